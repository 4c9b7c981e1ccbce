import { beforeEach, describe, expect, it } from 'vitest';
import type { Json, Properties } from '../values.ts';
import { EXAMPLES, parameterOf, roleOf } from './example-behaviours.ts';
import { Harness, listOf } from './harness.ts';
import { UNKNOWN } from './intrinsics.ts';
import { plain } from './text.ts';

let aws: Harness;

beforeEach(() => {
  aws = new Harness(EXAMPLES);
});

const TEMPLATE = { Resources: { A: parameterOf('a', { Name: 'n' }), B: parameterOf({ Ref: 'A' }) } };

function create(template: Json, input: Properties = {}): Promise<Properties> {
  return aws.call('CreateChangeSet', {
    StackName: 'stack',
    ChangeSetName: 'set',
    TemplateBody: JSON.stringify(template),
    ...input,
  });
}

async function describeSet(input: Properties = {}): Promise<Properties> {
  return aws.call('DescribeChangeSet', { StackName: 'stack', ChangeSetName: 'set', ...input });
}

/** `Modify A True Static` and so on. */
async function changes(template: Json, input: Properties = {}): Promise<readonly string[]> {
  await create(template, input);
  const { Changes: list = null } = await describeSet();
  return listOf(list).map(({ ResourceChange: change }) => {
    const {
      Action,
      LogicalResourceId,
      Replacement = '-',
      Scope = null,
      Details = null,
    } = change as Properties;
    const scopes = (Scope as { member: readonly string[] }).member.join('+');
    const evaluations = listOf(Details).map(({ Evaluation }) => plain(Evaluation));
    return [...[Action, LogicalResourceId, Replacement].map(plain), scopes, evaluations.join('+')]
      .join(' ')
      .trim();
  });
}

describe('a change set', () => {
  it('makes a stack that is only looked at until it is executed', async () => {
    await create(TEMPLATE, { ChangeSetType: 'CREATE' });
    expect(await aws.status('stack')).toBe('REVIEW_IN_PROGRESS');
    expect(aws.world.everything()).toEqual([]);
    expect(await describeSet()).toMatchObject({ Status: 'CREATE_COMPLETE', ExecutionStatus: 'AVAILABLE' });
    await aws.call('ExecuteChangeSet', { StackName: 'stack', ChangeSetName: 'set' });
    expect(await aws.status('stack')).toBe('CREATE_COMPLETE');
    expect(await describeSet()).toMatchObject({ ExecutionStatus: 'EXECUTE_COMPLETE' });
    await expect(
      aws.call('ExecuteChangeSet', { StackName: 'stack', ChangeSetName: 'set' }),
    ).rejects.toMatchObject({
      code: 'InvalidChangeSetStatus',
    });
  });

  it('is gone once it is deleted, and deleting it again is no failure', async () => {
    await create(TEMPLATE, { ChangeSetType: 'CREATE' });
    await aws.call('DeleteChangeSet', { StackName: 'stack', ChangeSetName: 'set' });
    await expect(describeSet()).rejects.toMatchObject({ code: 'ChangeSetNotFound' });
    await aws.call('DeleteChangeSet', { StackName: 'stack', ChangeSetName: 'set' });
  });

  it('tells what is new, what changes how, and what goes', async () => {
    expect(await changes(TEMPLATE, { ChangeSetType: 'CREATE' })).toEqual(['Add A -', 'Add B -']);
    await aws.call('ExecuteChangeSet', { StackName: 'stack', ChangeSetName: 'set' });
    await aws.call('DeleteChangeSet', { StackName: 'stack', ChangeSetName: 'set' });
    const after = {
      Resources: {
        A: parameterOf('z', { Name: 'other' }),
        B: parameterOf({ Ref: 'A' }, {}, { DeletionPolicy: 'Retain' }),
        C: parameterOf('c'),
      },
    };
    expect(await changes(after)).toEqual([
      'Modify A True Properties Static+Static',
      'Add C -',
      'Modify B False Properties+DeletionPolicy Dynamic+Static',
    ]);
    await aws.call('DeleteChangeSet', { StackName: 'stack', ChangeSetName: 'set' });
    expect(await changes({ Resources: { B: parameterOf('n') } })).toEqual(['Remove A -']);
  });

  it('shows values as they would be', async () => {
    await create(TEMPLATE, { ChangeSetType: 'CREATE' });
    const { Changes: list = null } = await describeSet({ IncludePropertyValues: 'true' });
    const contexts = listOf(list).map(({ ResourceChange: change }) =>
      JSON.parse(plain((change as Properties)['AfterContext'])),
    );
    expect(contexts).toEqual([
      { Properties: { Type: 'String', Value: 'a', Name: 'n' } },
      { Properties: { Type: 'String', Value: UNKNOWN } },
    ]);
  });

  it('fails where nothing changes, and does not where only an output or a tag does', async () => {
    await aws.deploy('stack', TEMPLATE);
    expect(await aws.deploy('stack', TEMPLATE)).toMatchObject({
      Status: 'FAILED',
      ExecutionStatus: 'UNAVAILABLE',
      StatusReason:
        "The submitted information didn't contain changes. Submit different information to create a change set.",
    });
    const withOutput = { ...TEMPLATE, Outputs: { O: { Value: { Ref: 'A' } } } };
    expect(await aws.deploy('stack', withOutput)).toMatchObject({ Status: 'CREATE_COMPLETE' });
    expect(
      await aws.deploy('stack', withOutput, { input: { Tags: [{ Key: 'k', Value: 'v' }] } }),
    ).toMatchObject({ Status: 'CREATE_COMPLETE' });
    expect(await aws.deploy('stack', withOutput)).toMatchObject({ Status: 'FAILED' });
  });

  it('fails over values that are wrong as they stand, and DescribeEvents says which', async () => {
    const described = await aws.deploy('stack', {
      Resources: { A: parameterOf('a', { Colour: 'red' }), B: parameterOf('b') },
    });
    expect(described['StatusReason']).toContain('[AWS::EarlyValidation::PropertyValidation]');
    await create({ Resources: { A: parameterOf('a', { Colour: 'red' }) } }, { ChangeSetType: 'CREATE' });
    const { OperationEvents: events = null } = await aws.call('DescribeEvents', {
      StackName: 'stack',
      ChangeSetName: 'set',
      Filters: { FailedEvents: 'true' },
    });
    expect(listOf(events)).toMatchObject([
      {
        EventType: 'VALIDATION_ERROR',
        LogicalResourceId: 'A',
        ValidationPath: '/Resources/A/Properties/Colour',
        ValidationName: 'PROPERTY_VALIDATION',
      },
    ]);
    expect(aws.world.everything()).toEqual([]);
  });

  it('fails over a name that is taken', async () => {
    await aws.deploy('owner', { Resources: { A: parameterOf('a', { Name: 'n' }) } });
    expect((await aws.deploy('stack', TEMPLATE))['StatusReason']).toContain(
      '[AWS::EarlyValidation::ResourceExistenceCheck]',
    );
  });

  it.each<[string, Properties, Json, string, RegExp]>([
    ['of a stack that there is none of', {}, TEMPLATE, 'ValidationError', /Stack \[stack\] does not exist/u],
    [
      'with a name that is none',
      { ChangeSetType: 'CREATE', ChangeSetName: '1' },
      TEMPLATE,
      'ValidationError',
      /regular expression pattern/u,
    ],
    [
      'of a stack with a name over its length',
      { ChangeSetType: 'CREATE', StackName: 'x'.repeat(129) },
      TEMPLATE,
      'ValidationError',
      /length less than or equal to 128/u,
    ],
    [
      'without a template',
      { ChangeSetType: 'CREATE', TemplateBody: '' },
      TEMPLATE,
      'ValidationError',
      /JSON|YAML|unsupported/u,
    ],
    [
      'without an acknowledgement',
      { ChangeSetType: 'CREATE' },
      { Resources: { A: roleOf({}) } },
      'InsufficientCapabilitiesException',
      /CAPABILITY_IAM/u,
    ],
    [
      'with a body over its size',
      { ChangeSetType: 'CREATE', TemplateBody: `{"Resources": "${'x'.repeat(51_200)}"}` },
      null,
      'ValidationError',
      /less than or equal to 51200/u,
    ],
    [
      'against a rule',
      { ChangeSetType: 'CREATE' },
      {
        ...TEMPLATE,
        Rules: { R: { Assertions: [{ Assert: { 'Fn::Equals': ['a', 'b'] }, AssertDescription: 'Never.' }] } },
      },
      'ValidationError',
      /Never\./u,
    ],
    [
      'with a tag of AWS',
      { ChangeSetType: 'CREATE', Tags: [{ Key: 'aws:x', Value: 'y' }] },
      TEMPLATE,
      'ValidationError',
      /aws: prefixed/u,
    ],
  ])('is refused %s, and leaves no stack', async (_name, input, template, code, sentence) => {
    const refused = create(template, input);
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(sentence) });
    expect(listOf((await aws.call('ListStacks', {}))['StackSummaries'] ?? null)).toEqual([]);
  });

  it('reads a template of more than 51,200 bytes from S3, up to a megabyte', async () => {
    const put = (key: string, padding: number): string => {
      const bytes = Buffer.from(JSON.stringify({ ...TEMPLATE, Metadata: { padding: 'x'.repeat(padding) } }));
      aws.world.objects.put('assets', { key, bytes });
      return `https://s3.eu-west-1.amazonaws.com/assets/${key}`;
    };
    const input = { StackName: 'stack', ChangeSetName: 'set', ChangeSetType: 'CREATE' };
    await expect(
      aws.call('CreateChangeSet', { ...input, TemplateURL: put('large', 1_000_000) }),
    ).rejects.toThrow('may not exceed');
    await aws.call('CreateChangeSet', { ...input, TemplateURL: put('small', 60_000) });
    expect(await describeSet()).toMatchObject({ Status: 'CREATE_COMPLETE' });
  });
});
