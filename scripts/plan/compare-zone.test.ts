import { describe, expect, it } from 'vitest';
import { compareZone, type DeployedStack, type StackPlan, type WantedStack } from './compare-zone.ts';
import { obstaclesOf } from './obstacles.ts';
import type { Template } from './template.ts';

const REGION = 'eu-west-1';
const ACCOUNT = '222222222222';
const EMPTY: Template = { Resources: {} };

const wanted = (name: string, template: Template, ...dependencies: readonly string[]): WantedStack => ({
  name,
  account: ACCOUNT,
  region: REGION,
  dependencies,
  template,
});

const deployed = (name: string, template: Template, rest: Partial<DeployedStack> = {}): DeployedStack => ({
  name,
  account: ACCOUNT,
  region: REGION,
  status: 'CREATE_COMPLETE',
  reason: null,
  terminationProtection: false,
  unreadable: null,
  parameters: new Map(),
  template,
  ...rest,
});

const vpc = (CidrBlock: string): Template => ({
  Resources: { Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock } } },
  Outputs: { Id: { Value: { Ref: 'Vpc' } } },
});

const reader = (fields: object = {}, rest: object = {}): Template => ({
  Resources: {
    Subnet: {
      Type: 'AWS::EC2::Subnet',
      Properties: {
        VpcId: { 'Fn::GetStackOutput': { StackName: 'base', OutputName: 'Id', Region: REGION } },
        ...fields,
      },
    },
  },
  ...rest,
});

const only = (plans: readonly StackPlan[]): StackPlan => {
  const [plan, ...others] = plans;
  if (plan === undefined || others.length > 0) throw new Error('one plan');
  return plan;
};

describe('a stack', () => {
  it('that isn’t there is new, with all that it makes', () => {
    const plan = only(compareZone([wanted('base', vpc('a'))], []));
    expect(plan).toMatchObject({ kind: 'new', status: null, effect: { added: [{ id: 'Vpc' }] } });
  });

  it('whose first deployment failed is new, too', () => {
    const plan = only(
      compareZone([wanted('base', vpc('a'))], [deployed('base', vpc('b'), { status: 'ROLLBACK_COMPLETE' })]),
    );
    expect(plan).toMatchObject({ kind: 'new', status: 'ROLLBACK_COMPLETE' });
    expect(plan.state.advice).toContain('first deployment failed');
  });

  it('of the same template is unchanged, whatever its parameters keep', () => {
    const template: Template = { ...EMPTY, Parameters: { Weight: { Default: 128 } } };
    const there = deployed('base', template, { parameters: new Map([['Weight', '0']]) });
    expect(only(compareZone([wanted('base', template)], [there]))).toMatchObject({ kind: 'unchanged' });
  });

  it('of the same name in another region is another one', () => {
    const plans = compareZone([wanted('zone', EMPTY)], [deployed('zone', EMPTY, { region: 'eu-west-3' })]);
    expect(plans.map(({ kind, region }) => [kind, region])).toEqual([
      ['new', REGION],
      ['gone', 'eu-west-3'],
    ]);
  });

  it('of another template is changed, though no resource may be', () => {
    const next: Template = { ...EMPTY, Outputs: { New: { Value: 'a' } } };
    const plan = only(compareZone([wanted('base', next)], [deployed('base', EMPTY)]));
    expect(plan).toMatchObject({ kind: 'changed', effect: { added: [], changed: [] } });
  });

  it('that nobody describes any more is gone, with what its deletion would do', () => {
    const there = deployed('old', vpc('a'), { terminationProtection: true });
    expect(only(compareZone([], [there]))).toMatchObject({
      kind: 'gone',
      account: ACCOUNT,
      terminationProtection: true,
      effect: { removed: [{ id: 'Vpc', fate: 'deleted' }] },
    });
  });
});

describe('an output that will be another', () => {
  const before = [deployed('base', vpc('a')), deployed('svc', reader())];

  it('reaches the stack that reads it, if that is deployed at all', () => {
    const after = [wanted('base', vpc('b')), wanted('svc', reader({ Tags: ['new'] }), 'base')];
    const [, svc] = compareZone(after, before);
    expect(svc).toMatchObject({
      kind: 'changed',
      effect: { replaced: [{ id: 'Subnet', property: 'VpcId', because: 'base Id' }] },
      stale: [],
    });
  });

  it('goes stale where the template of the reader is the same', () => {
    const [, svc] = compareZone([wanted('base', vpc('b')), wanted('svc', reader(), 'base')], before);
    expect(svc).toMatchObject({
      kind: 'unchanged',
      effect: { replaced: [] },
      stale: [{ stack: 'base', output: 'Id', certainty: 'certain' }],
    });
  });

  it('is none of a stack of that name in another region', () => {
    const elsewhere = { ...wanted('base', vpc('b')), region: 'eu-west-3' };
    const [, svc] = compareZone([elsewhere, wanted('svc', reader(), 'base')], before);
    expect(svc).toMatchObject({ stale: [] });
  });
});

describe('what stands in the way', () => {
  const fixed = (value: string): Template => ({
    ...EMPTY,
    Parameters: { Range: { Default: value, AllowedValues: [value], ConstraintDescription: 'put it back' } },
  });
  const there = (template: Template): DeployedStack =>
    deployed('base', template, { parameters: new Map([['Range', 'a']]) });

  it('is a kept value that isn’t allowed any more; what comes after isn’t reached', () => {
    const after = [
      wanted('base', fixed('b')),
      wanted('data', EMPTY, 'base'),
      wanted('svc', EMPTY, 'data'),
      wanted('x', EMPTY),
    ];
    const plans = compareZone(after, [there(fixed('a'))]);
    expect(plans.map(({ waitsFor }) => waitsFor)).toEqual([null, 'base', 'base', null]);
    expect(obstaclesOf(plans, true)).toEqual([
      {
        kind: 'refusal',
        stack: 'base',
        resource: 'Range',
        type: null,
        what: 'It has kept Range = a, allowed now: b. CloudFormation refuses the whole update.',
        atStake: null,
        instead: 'Put it back.',
      },
    ]);
  });

  it('is a stack that something is changing, or that has to be mended', () => {
    for (const status of ['UPDATE_IN_PROGRESS', 'UPDATE_ROLLBACK_FAILED', 'DELETE_FAILED']) {
      const plans = compareZone(
        [wanted('base', EMPTY), wanted('svc', EMPTY, 'base')],
        [deployed('base', EMPTY, { status })],
      );
      expect(plans[1]?.waitsFor).toBe('base');
      expect(obstaclesOf(plans, true)).toMatchObject([{ kind: 'status', what: `base is ${status}.` }]);
    }
  });

  it('is a template that is nobody’s: what a deployment changes of it isn’t known', () => {
    const plans = compareZone(
      [wanted('base', vpc('a'))],
      [deployed('base', EMPTY, { unreadable: 'its template has no resources' })],
    );
    expect(plans).toMatchObject([{ kind: 'changed', effect: { added: [] } }]);
    expect(obstaclesOf(plans, true)).toMatchObject([
      {
        kind: 'template',
        what: 'What a deployment would change of it can’t be told: its template has no resources.',
      },
    ]);
  });

  it('is a name that stays while what has it must be made anew', () => {
    const cluster = (KmsKeyId: string): Template => ({
      Resources: { Db: { Type: 'AWS::RDS::DBCluster', Properties: { DBClusterIdentifier: 'db', KmsKeyId } } },
    });
    const plans = compareZone([wanted('data', cluster('b'))], [deployed('data', cluster('a'))]);
    for (const allowed of [true, false])
      expect(obstaclesOf(plans, allowed)).toMatchObject([{ kind: 'name', resource: 'Db' }]);
  });

  it('isn’t a stack that is gone: no deployment touches it', () => {
    const key: Template = { Resources: { Key: { Type: 'AWS::KMS::Key' } } };
    expect(obstaclesOf(compareZone([], [deployed('old', key)]), false)).toEqual([]);
  });
});

describe('without leave', () => {
  const REPLACED = [
    ['AWS::RDS::DBInstance', 'Engine'],
    ['AWS::S3::Bucket', 'BucketName'],
    ['AWS::KMS::ReplicaKey', 'PrimaryKeyArn'],
    ['AWS::SecretsManager::Secret', 'Name'],
    ['AWS::Logs::LogGroup', 'LogGroupName'],
    ['AWS::RDS::DBCluster', 'KmsKeyId'],
    ['AWS::RDS::GlobalCluster', 'GlobalClusterIdentifier'],
    ['AWS::ElasticLoadBalancingV2::LoadBalancer', 'Scheme'],
  ] as const;
  const one = (Type: string, Properties: Record<string, unknown>, rest: object = {}): Template => ({
    Resources: { One: { Type, Properties, ...rest } },
  });
  const between = (before: Template, after: Template): readonly StackPlan[] =>
    compareZone([wanted('data', after)], [deployed('data', before)]);

  it.each(REPLACED)('%s isn’t made anew for its %s', (type, property) => {
    const plans = between(one(type, { [property]: 'a' }), one(type, { [property]: 'b' }));
    expect(obstaclesOf(plans, false)).toMatchObject([{ kind: 'replacement', resource: 'One', type }]);
    expect(obstaclesOf(plans, true)).toEqual([]);
  });

  it.each([...REPLACED.map(([type]) => type), 'AWS::GlobalAccelerator::Accelerator', 'AWS::KMS::Key'])(
    '%s doesn’t leave its stack',
    (type) => {
      const plans = between(one(type, {}), EMPTY);
      expect(obstaclesOf(plans, false)).toMatchObject([{ kind: 'removal', resource: 'One', type }]);
      expect(obstaclesOf(plans, true)).toEqual([]);
    },
  );

  it('an instance of a cluster goes: the cluster has the data', () => {
    expect(
      obstaclesOf(between(one('AWS::RDS::DBInstance', { DBClusterIdentifier: 'a' }), EMPTY), false),
    ).toEqual([]);
  });

  it('anything else is replaced and removed', () => {
    const type = 'AWS::EC2::Subnet';
    expect(obstaclesOf(between(one(type, { CidrBlock: 'a' }), one(type, { CidrBlock: 'b' })), false)).toEqual(
      [],
    );
    expect(obstaclesOf(between(one(type, {}), EMPTY), false)).toEqual([]);
  });

  it('what would be lost is said, and what stays', () => {
    const kept = { DeletionPolicy: 'RetainExceptOnCreate' };
    const lost = (template: Template): string | null | undefined =>
      obstaclesOf(between(template, EMPTY), false)[0]?.atStake;
    expect(lost(one('AWS::S3::Bucket', {}))).toBe('The usage events in it; the old one is deleted.');
    expect(lost(one('AWS::S3::Bucket', {}, kept))).toBe(
      'Nothing at once: the old one stays in AWS, outside of every stack.',
    );
    expect(lost(one('AWS::RDS::DBCluster', {}))).toContain('a last snapshot stays');
  });
});
