import { beforeEach, describe, expect, it } from 'vitest';
import type { Json, Properties } from '../values.ts';
import type { Resource } from '../world.ts';
import { EXAMPLES, parameterOf } from './example-behaviours.ts';
import { Harness, listOf } from './harness.ts';
import { plain } from './text.ts';

const EXISTING = { ImportExistingResources: 'true' };
const KEPT = { DeletionPolicy: 'RetainExceptOnCreate' };

let aws: Harness;

beforeEach(() => {
  aws = new Harness(EXAMPLES);
});

/** A parameter that no stack owns. */
function orphan(id: string): Resource {
  return aws.world.add({
    ...aws.place,
    type: 'AWS::SSM::Parameter',
    id,
    properties: { Value: 'as it was' },
    attributes: {},
    stack: null,
  });
}

async function listed(): Promise<readonly string[]> {
  const { StackResourceSummaries: list = null } = await aws.call('ListStackResources', {
    StackName: 'stack',
  });
  return listOf(list).map((one) => `${plain(one['LogicalResourceId'])} ${plain(one['ResourceStatus'])}`);
}

describe('existing resources', () => {
  const named = (attributes: Properties, name: Json = 'n'): Properties => ({
    Resources: { A: parameterOf('a', { Name: name }, attributes) },
  });

  it.each(['Retain', 'RetainExceptOnCreate'])('are taken in by name, with %s', async (DeletionPolicy) => {
    const resource = orphan('n');
    const { Changes: changes = null } = await aws.deploy('stack', named({ DeletionPolicy }), {
      input: EXISTING,
    });
    expect(listOf(changes)).toMatchObject([{ ResourceChange: { Action: 'Import', LogicalResourceId: 'A' } }]);
    expect(await aws.status('stack')).toBe('CREATE_COMPLETE');
    expect(resource.stack).toMatch(/:stack\/stack\//u);
  });

  it.each<[string, Properties]>([
    ['that would be deleted with the stack', named({})],
    ['that would be snapshot with it', named({ DeletionPolicy: 'Snapshot' })],
    ['whose name is put together', named(KEPT, { 'Fn::Join': ['', ['n']] })],
    [
      'whose name is a reference',
      { ...named(KEPT, { Ref: 'P' }), Parameters: { P: { Type: 'String', Default: 'n' } } },
    ],
  ])('are not taken in %s', async (_name, template) => {
    const resource = orphan('n');
    expect((await aws.deploy('stack', template, { input: EXISTING }))['StatusReason']).toContain(
      'AWS::EarlyValidation::ResourceExistenceCheck',
    );
    expect(resource.stack).toBeNull();
  });

  it('are not taken in from another stack, nor unless that is asked for', async () => {
    await aws.deploy('owner', named({}));
    const sets = [await aws.deploy('stack', named(KEPT), { input: EXISTING })];
    await aws.call('DeleteStack', { StackName: 'owner' });
    orphan('n');
    sets.push(await aws.deploy('stack', named(KEPT), { input: { ChangeSetType: 'CREATE' } }));
    for (const set of sets) expect(set['StatusReason']).toContain('ResourceExistenceCheck');
  });
});

describe('a failure', () => {
  const failing = {
    Resources: {
      A: parameterOf('a', { Name: 'n' }, KEPT),
      B: parameterOf('fail', {}, { DependsOn: 'A' }),
      T: { Type: 'AWS::SNS::Topic' },
    },
  };

  it('of a creation lets go what was imported, untouched', async () => {
    const resource = orphan('n');
    await aws.deploy('stack', failing, { input: EXISTING });
    expect(await aws.status('stack')).toBe('ROLLBACK_COMPLETE');
    expect(aws.world.everything()).toEqual([resource]);
    expect(resource).toMatchObject({ stack: null, properties: { Value: 'as it was' } });
    expect(await aws.events('stack')).toContain('A: IMPORT_ROLLBACK_COMPLETE');
    expect(await listed()).toEqual([]);
  });

  it('of an update does so as well, and the stack is what it was', async () => {
    await aws.deploy('stack', { Resources: { T: { Type: 'AWS::SNS::Topic' } } });
    const resource = orphan('n');
    await aws.deploy('stack', failing, { input: EXISTING });
    expect(await aws.status('stack')).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(resource).toMatchObject({ stack: null, properties: { Value: 'as it was' } });
    expect(await listed()).toEqual(['T CREATE_COMPLETE']);
    await aws.call('DeleteStack', { StackName: 'stack' });
    expect(aws.world.everything()).toEqual([resource]);
  });

  it('that was left as it is does so once it is rolled back', async () => {
    const resource = orphan('n');
    await aws.deploy('stack', failing, { input: { ...EXISTING, OnStackFailure: 'DO_NOTHING' } });
    expect(resource.stack).not.toBeNull();
    await aws.call('RollbackStack', { StackName: 'stack' });
    expect(aws.world.everything()).toEqual([resource]);
    expect(resource.stack).toBeNull();
  });
});

describe('an import', () => {
  const BEFORE = { Resources: { T: { Type: 'AWS::SNS::Topic' } } };
  const imports = (id: string, logicalId = 'A'): Json => [
    {
      ResourceType: 'AWS::SSM::Parameter',
      LogicalResourceId: logicalId,
      ResourceIdentifier: { Name: id },
    },
  ];
  const withA = (attributes: Properties, more: Properties = {}): Properties => ({
    Resources: { ...BEFORE.Resources, A: parameterOf('a', { Name: 'n' }, attributes), ...more },
  });

  async function importing(template: Properties, given: Json = imports('n')): Promise<Properties> {
    return await aws.deploy('stack', template, {
      input: { ChangeSetType: 'IMPORT', ResourcesToImport: given },
    });
  }

  beforeEach(() => aws.deploy('stack', BEFORE));

  it('takes in what is named, whatever happens to it when the stack goes', async () => {
    const resource = orphan('n');
    await importing(withA({ DeletionPolicy: 'Delete' }));
    expect(await aws.status('stack')).toBe('IMPORT_COMPLETE');
    expect(await listed()).toEqual(['T CREATE_COMPLETE', 'A IMPORT_COMPLETE']);
    expect(resource.stack).toMatch(/:stack\/stack\//u);
  });

  it.each<[string, Properties, Json, RegExp]>([
    [
      'without a deletion policy',
      withA({}),
      imports('n'),
      /resources to import \[A\] must have DeletionPolicy/u,
    ],
    [
      'that adds something else',
      withA(KEPT, { B: parameterOf('b') }),
      imports('n'),
      /^Resources \[B\] is missing from ResourceToImport list/u,
    ],
    [
      'that changes something else',
      withA(KEPT, { T: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: 'x' } } }),
      imports('n'),
      /^You have modified resources \[T\] in your template that are not being imported/u,
    ],
    [
      'that removes something',
      { Resources: { A: parameterOf('a', { Name: 'n' }, KEPT) } },
      imports('n'),
      /^You have modified resources \[T\]/u,
    ],
    [
      'with another output',
      { ...withA(KEPT), Outputs: { O: { Value: 'o' } } },
      imports('n'),
      /you cannot modify or add \[Outputs\]/u,
    ],
    ['of what the template lacks', withA(KEPT), imports('n', 'Z'), /\[Z\] .* not in the template/u],
    ['of what the stack has', withA(KEPT), imports('n', 'T'), /\[T\] .* already in a stack/u],
  ])('is refused %s', async (_name, template, given, sentence) => {
    const resource = orphan('n');
    await expect(importing(template, given)).rejects.toThrow(sentence);
    expect(resource.stack).toBeNull();
    expect(await aws.status('stack')).toBe('CREATE_COMPLETE');
  });

  it('is no other type of change set', async () => {
    orphan('n');
    await expect(
      aws.deploy('stack', withA(KEPT), { input: { ResourcesToImport: imports('n') } }),
    ).rejects.toThrow('type IMPORT');
  });

  it.each(['of nothing', 'of what another stack owns'])('%s fails, and touches nothing', async (name) => {
    if (name !== 'of nothing') await aws.deploy('owner', withA({ DeletionPolicy: 'Delete' }));
    const before = aws.world.everything().map(({ id, stack }) => [id, stack]);
    await importing(withA(KEPT));
    expect(await aws.status('stack')).toBe('IMPORT_ROLLBACK_COMPLETE');
    expect((await aws.reasons('stack'))[0]).toMatch(
      name === 'of nothing'
        ? /^A: .*identifier 'n' was not found/u
        : /^A: n already exists in stack .*:stack\/owner\//u,
    );
    expect(aws.world.everything().map(({ id, stack }) => [id, stack])).toEqual(before);
    expect(await listed()).toEqual(['T CREATE_COMPLETE']);
  });
});
