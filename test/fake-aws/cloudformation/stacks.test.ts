import { beforeEach, describe, expect, it } from 'vitest';
import type { Json, Properties } from '../values.ts';
import { EXAMPLES, parameterOf } from './example-behaviours.ts';
import { Harness, listOf, PLACE } from './harness.ts';
import { plain } from './text.ts';

const ELSEWHERE = { ...PLACE, region: 'eu-north-1' };

let aws: Harness;

beforeEach(() => {
  aws = new Harness(EXAMPLES);
});

function templateOf(value: Json, outputs: Properties = {}): Properties {
  return { Resources: { A: parameterOf(value) }, Outputs: outputs };
}

function update(value: Json): Promise<Properties> {
  return aws.call('UpdateStack', { StackName: 'stack', TemplateBody: JSON.stringify(templateOf(value)) });
}

/** Why the last change set of a stack failed. */
async function failure(name: string, template: Properties, place = PLACE): Promise<unknown> {
  return (await aws.deploy(name, template, { place }))['StatusReason'];
}

describe('outputs of other stacks', () => {
  const READER = templateOf({
    'Fn::GetStackOutput': { StackName: 'source', Region: 'eu-north-1', OutputName: 'O' },
  });

  it('are read from another region, as they are at the time', async () => {
    await aws.deploy('source', templateOf('one', { O: { Value: { 'Fn::GetAtt': 'A.Value' } } }), {
      place: ELSEWHERE,
    });
    await aws.deploy('reader', READER);
    await aws.deploy('source', templateOf('two', { O: { Value: { 'Fn::GetAtt': 'A.Value' } } }), {
      place: ELSEWHERE,
    });
    const valueThere = (): unknown => aws.world.all('AWS::SSM::Parameter', PLACE)[0]?.properties['Value'];
    expect(valueThere()).toBe('one');
    await aws.deploy('reader', READER);
    expect(valueThere()).toBe('two');
  });

  it('must be there already', async () => {
    expect(await failure('reader', READER)).toBe(
      'Fn::GetStackOutput: Stack with id source does not exist in eu-north-1',
    );
    await aws.deploy('source', templateOf('one'), { place: ELSEWHERE });
    expect(await failure('reader', READER)).toBe(
      'Fn::GetStackOutput: Output O does not exist in stack source in eu-north-1',
    );
    await aws.deploy('source', templateOf('one', { O: { Value: 'x' } }));
    expect(await failure('reader', READER)).toContain('Output O does not exist');
  });
});

describe('exports', () => {
  const EXPORTER = templateOf('a', { O: { Value: 'v', Export: { Name: 'e' } } });
  const IMPORTER = templateOf({ 'Fn::ImportValue': 'e' });

  it('can be imported in the same region, and not changed or deleted while they are', async () => {
    expect(await failure('importer', IMPORTER)).toBe('No export named e found.');
    await aws.deploy('exporter', EXPORTER);
    await aws.deploy('importer', IMPORTER);
    expect(await failure('importer', IMPORTER, ELSEWHERE)).toBe('No export named e found.');
    expect(await aws.call('ListImports', { ExportName: 'e' })).toEqual({ Imports: { member: ['importer'] } });

    await aws.deploy('exporter', templateOf('a', { O: { Value: 'w', Export: { Name: 'e' } } }));
    expect(await aws.status('exporter')).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect((await aws.reasons('exporter')).at(-1)).toContain(
      'Cannot update export e as it is in use by importer',
    );
    await aws.call('DeleteStack', { StackName: 'exporter' });
    expect(await aws.status('exporter')).toBe('UPDATE_ROLLBACK_COMPLETE');
    const { Stacks: stacks = null } = await aws.call('DescribeStacks', { StackName: 'exporter' });
    expect(listOf(stacks)).toMatchObject([
      { StackStatusReason: 'Delete canceled. Cannot delete export e as it is in use by importer.' },
    ]);
    await aws.call('DeleteStack', { StackName: 'importer' });
    await aws.call('DeleteStack', { StackName: 'exporter' });
    expect(await aws.status('exporter')).toBeUndefined();
  });

  it('have a name that no other stack exports', async () => {
    await aws.deploy('exporter', EXPORTER);
    await aws.deploy('other', EXPORTER);
    expect(await aws.status('other')).toBe('ROLLBACK_COMPLETE');
    expect((await aws.reasons('other')).at(-1)).toContain(
      'Export with name e is already exported by stack exporter',
    );
  });
});

describe('dynamic references', () => {
  it('are resolved when a resource is made', async () => {
    aws.world.add({
      ...PLACE,
      type: 'AWS::SSM::Parameter',
      id: '/p',
      properties: { Value: 'stored' },
      attributes: {},
      stack: null,
    });
    const state = new Map([['SecretString', '{"user":"u"}']]);
    const arn = 'arn:aws:secretsmanager:eu-west-1:111111111111:secret:s-abcdef';
    aws.world.add({
      ...PLACE,
      type: 'AWS::SecretsManager::Secret',
      id: arn,
      properties: { Name: 's' },
      attributes: {},
      stack: null,
      state,
    });
    await aws.deploy(
      'stack',
      templateOf(
        `{{resolve:ssm:/p}} {{resolve:secretsmanager:s:SecretString:user::}} {{resolve:secretsmanager:${arn}:SecretString:user}}`,
      ),
    );
    expect(aws.world.all('AWS::SSM::Parameter').at(-1)?.properties['Value']).toBe('stored u u');
    expect(await failure('other', templateOf('{{resolve:ssm:/none}}'))).toBe(
      'Parameters: [ssm:/none] cannot be found.',
    );
    expect(await failure('other', templateOf('{{resolve:secretsmanager:none}}'))).toContain(
      "can't find the specified secret",
    );
    expect(await failure('other', templateOf('{{resolve:secretsmanager:s:SecretString:key}}'))).toContain(
      'JSONKey',
    );
  });
});

describe('states of a stack', () => {
  it('are found by name while it exists, and by id for ever', async () => {
    await aws.deploy('stack', templateOf('a'));
    const { Stacks: stacks = null } = await aws.call('DescribeStacks', { StackName: 'stack' });
    const id = plain(listOf(stacks)[0]?.['StackId']);
    await aws.call('DeleteStack', { StackName: 'stack' });
    await expect(aws.call('DescribeStacks', { StackName: 'stack' })).rejects.toMatchObject({
      code: 'ValidationError',
      message: 'Stack with id stack does not exist',
    });
    expect(await aws.status(id)).toBe('DELETE_COMPLETE');
    await aws.call('DeleteStack', { StackName: 'stack' });
    await aws.deploy('stack', templateOf('b'));
    expect(await aws.status('stack')).toBe('CREATE_COMPLETE');
  });

  it('protect from deletion where that is wanted', async () => {
    await aws.deploy('stack', templateOf('a'));
    await aws.call('UpdateTerminationProtection', {
      StackName: 'stack',
      EnableTerminationProtection: 'true',
    });
    await expect(aws.call('DeleteStack', { StackName: 'stack' })).rejects.toThrow(
      'Stack [stack] cannot be deleted while TerminationProtection is enabled',
    );
    await aws.call('UpdateTerminationProtection', {
      StackName: 'stack',
      EnableTerminationProtection: 'false',
    });
    await aws.call('DeleteStack', { StackName: 'stack' });
    expect(await aws.status('stack')).toBeUndefined();
  });

  it('leave a stack that failed to be made only to be deleted', async () => {
    await aws.deploy('stack', templateOf('fail'));
    await expect(aws.deploy('stack', templateOf('a'))).rejects.toThrow(
      /is in ROLLBACK_COMPLETE state and can not be updated/u,
    );
    await aws.call('DeleteStack', { StackName: 'stack' });
    await aws.deploy('stack', templateOf('a'));
    expect(await aws.status('stack')).toBe('CREATE_COMPLETE');
  });

  it('let one operation at a time at a stack', async () => {
    aws = new Harness(EXAMPLES, { paceMs: 5 });
    const template = { Resources: { A: parameterOf('a'), B: parameterOf('b', {}, { DependsOn: 'A' }) } };
    await aws.deploy('stack', template);
    expect(await aws.status('stack')).toBe('CREATE_IN_PROGRESS');
    await expect(update('b')).rejects.toThrow(/is in CREATE_IN_PROGRESS state and can not be updated/u);
    await expect.poll(() => aws.status('stack')).toBe('CREATE_COMPLETE');
    await aws.deploy('stack', {
      Resources: { A: parameterOf('z'), B: parameterOf('y', {}, { DependsOn: 'A' }) },
    });
    await expect(aws.call('DeleteStack', { StackName: 'stack' })).rejects.toThrow(
      'cannot be deleted while in status UPDATE_IN_PROGRESS',
    );
    await aws.call('CancelUpdateStack', { StackName: 'stack' });
    await expect.poll(() => aws.status('stack')).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(
      aws.world
        .everything()
        .map(({ properties }) => plain(properties['Value']))
        .toSorted(),
    ).toEqual(['a', 'b']);
  });

  it('give up a creation that is to be deleted', async () => {
    aws = new Harness(EXAMPLES, { paceMs: 5 });
    await aws.deploy('stack', {
      Resources: { A: parameterOf('a'), B: parameterOf('b', {}, { DependsOn: 'A' }) },
    });
    await aws.call('DeleteStack', { StackName: 'stack' });
    await expect.poll(() => aws.status('stack')).toBeUndefined();
    expect(aws.world.everything()).toEqual([]);
  });
});

describe('a rollback that fails', () => {
  it('can be continued, past what cannot be brought back', async () => {
    await aws
      .deploy('stack', { Resources: { A: parameterOf('fails later'), B: parameterOf('b') } })
      .catch(() => undefined);
    // The value that A has to go back to is refused by then.
    await aws.call('DeleteStack', { StackName: 'stack' });
    aws = new Harness(
      EXAMPLES.map((one) =>
        one.type === 'AWS::SSM::Parameter' ? { ...one, create: ({ logicalId }) => ({ id: logicalId }) } : one,
      ),
    );
    await aws.deploy('stack', { Resources: { A: parameterOf('fail before'), B: parameterOf('b') } });
    await aws.deploy('stack', {
      Resources: { A: parameterOf('after'), B: parameterOf('fail', {}, { DependsOn: 'A' }) },
    });
    expect(await aws.status('stack')).toBe('UPDATE_ROLLBACK_FAILED');
    await expect(
      aws.call('ContinueUpdateRollback', { StackName: 'stack', ResourcesToSkip: ['C'] }),
    ).rejects.toThrow('C is not in state UPDATE_FAILED');
    await aws.call('ContinueUpdateRollback', { StackName: 'stack' });
    expect(await aws.status('stack')).toBe('UPDATE_ROLLBACK_FAILED');
    await aws.call('ContinueUpdateRollback', { StackName: 'stack', ResourcesToSkip: ['A'] });
    expect(await aws.status('stack')).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(aws.world.everything().map(({ id, properties }) => `${id} ${plain(properties['Value'])}`)).toEqual(
      ['A after', 'B b'],
    );
  });
});
