import { describe, expect, it, test } from 'vitest';
import { effectOf, effectOfCreation, effectOfDeletion } from './effect.ts';
import { type Effect, NO_EFFECT } from './effect-types.ts';
import type { Template } from './template.ts';

const one = (Type: string, Properties: Record<string, unknown>, rest: object = {}): Template => ({
  Resources: { One: { Type, Properties, ...rest } },
});

const between = (before: Template, after: Template, parameters?: Record<string, string>): Effect =>
  effectOf(
    {
      template: before,
      ...(parameters === undefined ? {} : { parameters: new Map(Object.entries(parameters)) }),
    },
    after,
  );

const replacedIn = (effect: Effect): readonly string[] =>
  effect.replaced.map(({ id, property, certainty, because }) =>
    [id, property, certainty, ...(because === null ? [] : [`by ${because}`])].join(' '),
  );

test.each([
  ['AWS::RDS::DBInstance', 'PerformanceInsightsKMSKeyId', 'maybe'],
  ['AWS::RDS::DBInstance', 'AvailabilityZone', 'maybe'],
  ['AWS::ElastiCache::ServerlessCache', 'SubnetIds', 'certain'],
  ['AWS::EC2::Subnet', 'CidrBlock', 'certain'],
])('%s can’t always be given another %s: %s', (type, property, certainty) => {
  const effect = between(one(type, { [property]: 'a' }), one(type, {}));
  expect(effect.replaced).toMatchObject([{ id: 'One', type, property, certainty, because: null }]);
  expect(effect.changed).toEqual([]);
});

test('what can be changed in place is a change', () => {
  const type = 'AWS::EC2::Subnet';
  const effect = between(one(type, { Tags: ['a'] }), one(type, { Tags: ['b'] }));
  expect(effect.changed).toEqual([{ id: 'One', type, properties: ['Tags'], certainty: 'certain' }]);
  expect(effect.replaced).toEqual([]);
});

test('the order of keys changes nothing', () => {
  const [before, after] = [
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ].map((Tags) => one('AWS::EC2::VPC', { Tags }));
  if (before === undefined || after === undefined) throw new Error('two templates');
  expect(between(before, after)).toEqual(NO_EFFECT);
});

describe('what refers to a resource that is made anew', () => {
  const network = (range: string, reference: unknown): Template => ({
    Resources: {
      // Named so that it comes before what it depends on.
      ASubnet: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: reference } },
      BTable: { Type: 'AWS::EC2::RouteTable', Properties: { VpcId: 'vpc-1', Tags: [{ Ref: 'ASubnet' }] } },
      Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: range } },
    },
  });

  it.each([
    { Ref: 'Vpc' },
    { 'Fn::GetAtt': ['Vpc', 'VpcId'] },
    { 'Fn::GetAtt': 'Vpc.VpcId' },
    { 'Fn::Sub': '${Vpc}' },
    { 'Fn::Join': ['', ['', { Ref: 'Vpc' }]] },
  ])('is made anew too, where it can’t be changed: %j', (reference) => {
    const effect = between(network('10.0.0.0/16', reference), network('10.1.0.0/16', reference));
    expect(replacedIn(effect)).toEqual(['ASubnet VpcId certain by Vpc', 'Vpc CidrBlock certain']);
  });

  it('changes where it can be, as far away as it may be', () => {
    const effect = between(network('10.0.0.0/16', { Ref: 'Vpc' }), network('10.1.0.0/16', { Ref: 'Vpc' }));
    expect(effect.changed).toEqual([
      { id: 'BTable', type: 'AWS::EC2::RouteTable', properties: ['Tags'], certainty: 'certain' },
    ]);
  });

  it('is left alone where the function names something else of that name', () => {
    const reference = { 'Fn::Sub': ['${Vpc} ${!Vpc}', { Vpc: 'vpc-1' }] };
    const effect = between(network('10.0.0.0/16', reference), network('10.1.0.0/16', reference));
    expect(replacedIn(effect)).toEqual(['Vpc CidrBlock certain']);
  });

  it('may be made anew where that may be', () => {
    const cluster = (key: string): Template => ({
      Resources: {
        Cluster: { Type: 'AWS::RDS::DBCluster', Properties: { MasterUsername: key } },
        Instance: { Type: 'AWS::RDS::DBInstance', Properties: { DBClusterIdentifier: { Ref: 'Cluster' } } },
      },
    });
    expect(replacedIn(between(cluster('a'), cluster('b')))).toEqual([
      'Cluster MasterUsername maybe',
      'Instance DBClusterIdentifier maybe by Cluster',
    ]);
  });
});

describe('a resource that leaves its template', () => {
  const group = 'AWS::Logs::LogGroup';
  const removed = (template: Template): Effect['removed'] => between(template, { Resources: {} }).removed;

  it('goes, unless the template says otherwise', () => {
    expect(removed(one(group, {}))).toMatchObject([{ fate: 'deleted', name: null, isMember: false }]);
    for (const DeletionPolicy of ['Retain', 'RetainExceptOnCreate'])
      expect(removed(one(group, {}, { DeletionPolicy }))).toMatchObject([{ fate: 'kept' }]);
    expect(removed(one('AWS::RDS::DBCluster', {}, { DeletionPolicy: 'Snapshot' }))).toMatchObject([
      { fate: 'snapshot' },
    ]);
  });

  it('leaves a snapshot of a database where the template says nothing', () => {
    expect(removed(one('AWS::RDS::DBCluster', {}))).toMatchObject([{ fate: 'snapshot' }]);
    expect(removed(one('AWS::RDS::DBInstance', {}))).toMatchObject([{ fate: 'snapshot', isMember: false }]);
    expect(removed(one('AWS::RDS::DBInstance', { DBClusterIdentifier: 'a' }))).toMatchObject([
      { fate: 'deleted', isMember: true },
    ]);
  });

  it('goes on holding the name that the template gave it', () => {
    expect(removed(one(group, { LogGroupName: 'a' }))).toMatchObject([{ name: 'a' }]);
  });

  it('is all that a deletion of the stack does', () => {
    const effect = effectOfDeletion({ template: one(group, {}) });
    expect(effect).toEqual({ ...NO_EFFECT, removed: removed(one(group, {})) });
  });
});

test('the old one that is replaced goes by its own policy, and a name that stays stops the update', () => {
  const group = (KmsKeyId: string, rest: object): Template =>
    one('AWS::RDS::DBCluster', { DBClusterIdentifier: 'db', KmsKeyId }, rest);
  expect(between(group('a', {}), group('b', {})).replaced).toMatchObject([
    { fate: 'deleted', fixedName: 'db' },
  ]);
  const retained = { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Retain' };
  expect(between(group('a', retained), group('b', retained)).replaced).toMatchObject([{ fate: 'kept' }]);
  const renamed = one('AWS::RDS::DBCluster', { DBClusterIdentifier: 'db2' });
  expect(between(group('a', {}), renamed).replaced).toMatchObject([{ fixedName: null }]);
});

describe('parameters', () => {
  const vpc = (
    Parameters: Template['Parameters'] & object,
    CidrBlock: unknown = { Ref: 'Range' },
  ): Template => ({
    Parameters,
    Resources: { Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock } } },
  });

  it('keep what the stack has, whatever the new default is', () => {
    const effect = between(vpc({ Range: { Default: 'a' } }), vpc({ Range: { Default: 'b' } }), {
      Range: 'kept',
    });
    expect(effect).toEqual(NO_EFFECT);
  });

  it('count by their value: a text of the same value in their place changes nothing', () => {
    expect(between(vpc({ Range: { Default: 'a' } }), vpc({}, 'kept'), { Range: 'kept' })).toEqual(NO_EFFECT);
    expect(replacedIn(between(vpc({ Range: { Default: 'a' } }), vpc({}, 'a'), { Range: 'kept' }))).toEqual([
      'Vpc CidrBlock certain',
    ]);
  });

  it('that come take their default; without one the update is refused', () => {
    expect(replacedIn(between(vpc({}, 'a'), vpc({ Range: { Default: 'b' } })))).toEqual([
      'Vpc CidrBlock certain',
    ]);
    expect(between(vpc({}, 'a'), vpc({ Range: {} })).refused).toEqual([
      { kind: 'missing', parameter: 'Range' },
    ]);
  });

  it('whose kept value isn’t allowed any more refuse the update, and nothing else happens', () => {
    const after = vpc({ Range: { AllowedValues: ['b', 'c'], Default: 'b', ConstraintDescription: 'why' } });
    expect(between(vpc({ Range: { Default: 'a' } }), after)).toEqual({
      ...NO_EFFECT,
      refused: [{ kind: 'value', parameter: 'Range', kept: 'a', allowed: ['b', 'c'], why: 'why' }],
    });
  });

  it('that become secret are refused without being shown', () => {
    const after = vpc({ Range: { AllowedValues: ['hush'], Default: 'hush', NoEcho: true } });
    const effect = between(vpc({ Range: { Default: 'whisper' } }), after);
    expect(effect.refused).toMatchObject([{ kept: null, allowed: [] }]);
    expect(JSON.stringify(effect)).not.toMatch(/hush|whisper/);
  });

  it('whose value AWS hides aren’t judged by its stars', () => {
    const range = { Default: 'a', AllowedValues: ['a'] };
    for (const NoEcho of [true, false]) {
      const effect = between(vpc({ Range: { NoEcho: true } }), vpc({ Range: { ...range, NoEcho } }), {
        Range: '****',
      });
      expect(effect).toEqual(NO_EFFECT);
    }
  });
});

describe('conditions', () => {
  const template = (condition: unknown, Properties: object = {}): Template => ({
    Parameters: { Kind: { Default: 'plain' } },
    Conditions: { Global: condition },
    Resources: { Vpc: { Type: 'AWS::EC2::VPC', Condition: 'Global', Properties: { ...Properties } } },
  });
  const isPlain = { 'Fn::Equals': [{ Ref: 'Kind' }, 'plain'] };
  const countOf = (condition: unknown): number => effectOfCreation(template(condition)).added.length;

  it('that parameters decide are decided', () => {
    expect(countOf(isPlain)).toBe(1);
    expect(countOf({ 'Fn::Not': [isPlain] })).toBe(0);
    expect(countOf({ 'Fn::And': [isPlain, { 'Fn::Not': [isPlain] }] })).toBe(0);
    expect(countOf({ 'Fn::Or': [isPlain, { 'Fn::Not': [isPlain] }] })).toBe(1);
  });

  it('that nobody can decide here leave the resource in place', () => {
    const unknown = { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] };
    expect(countOf(unknown)).toBe(1);
    expect(countOf({ 'Fn::And': [unknown, isPlain] })).toBe(1);
    expect(countOf({ 'Fn::And': [unknown, { 'Fn::Not': [isPlain] }] })).toBe(0);
    expect(countOf({ Condition: 'Global' })).toBe(1);
  });

  it('choose values, and leave out what is no value', () => {
    const choice = { 'Fn::If': ['Global', '10.0.0.0/16', { Ref: 'AWS::NoValue' }] };
    const chosen = template(isPlain, { CidrBlock: choice });
    expect(between(chosen, template(isPlain, { CidrBlock: '10.0.0.0/16' }))).toEqual(NO_EFFECT);
    const left = { Tags: ['a', { 'Fn::If': ['Global', { Ref: 'AWS::NoValue' }, 'b'] }] };
    expect(between(template(isPlain, left), template(isPlain, { Tags: ['a'] }))).toEqual(NO_EFFECT);
  });

  it('that come out otherwise than before add and remove', () => {
    const effect = between(template(isPlain), template({ 'Fn::Not': [isPlain] }));
    expect(effect.removed).toMatchObject([{ id: 'Vpc' }]);
  });
});

describe('outputs', () => {
  const withOutput = (CidrBlock: string, Value: unknown): Template => ({
    ...one('AWS::EC2::VPC', { CidrBlock }),
    Outputs: { Id: { Value } },
  });

  it('have another value where what they name is made anew, or where their text changes', () => {
    const ref = { Ref: 'One' };
    expect(between(withOutput('a', ref), withOutput('b', ref)).outputs).toEqual(new Map([['Id', 'certain']]));
    expect(between(withOutput('a', ref), withOutput('a', 'other')).outputs).toEqual(
      new Map([['Id', 'certain']]),
    );
    expect(between(withOutput('a', ref), withOutput('a', ref)).outputs).toEqual(new Map());
  });

  it('of another stack count where they are read', () => {
    const reader = one('AWS::EC2::Subnet', {
      VpcId: { 'Fn::GetStackOutput': { StackName: 'base', OutputName: 'Id', Region: 'eu-west-1' } },
    });
    const effect = effectOf({ template: reader }, reader, ({ stack, output, region }) =>
      `${stack} ${output} ${region}` === 'base Id eu-west-1' ? 'maybe' : null,
    );
    expect(replacedIn(effect)).toEqual(['One VpcId maybe by base Id']);
  });
});

test('a logical id that goes to another type is refused', () => {
  const effect = between(one('AWS::EC2::VPC', {}), one('AWS::EC2::Subnet', {}));
  expect(effect).toEqual({
    ...NO_EFFECT,
    refused: [{ kind: 'type', id: 'One', from: 'AWS::EC2::VPC', to: 'AWS::EC2::Subnet' }],
  });
});

test('a type that nobody knows is said, and any change of it may make it anew', () => {
  const type = 'AWS::No::Such';
  const effect = between(one(type, { A: 1 }), one(type, { A: 2 }));
  expect(effect.unknownTypes).toEqual([type]);
  expect(effect.replaced).toMatchObject([{ id: 'One', property: 'A', certainty: 'maybe' }]);
  expect(effectOfDeletion({ template: one(type, {}) }).removed).toMatchObject([{ id: 'One', name: null }]);
});
