import { expect, test } from 'vitest';
import { stackNames } from '../../infra/names.ts';
import type { DeployedStack, Template } from '../lib/deployed-stack.ts';
import { isProtected, protectedAgain, withoutProtection } from './protection.ts';
import { type LeavingRegion, planRemoval } from './removal.ts';

const ZONE = { environment: 'production', name: 'eu' };
const [ORIGIN, REGION] = ['eu-central-1', 'eu-west-3'] as const;
const names = {
  edge: stackNames.edge(ZONE),
  zone: stackNames.zone(ZONE),
  svc: stackNames.service(ZONE, REGION),
  data: stackNames.data(ZONE, REGION),
  base: stackNames.base(ZONE, REGION),
  out: stackNames.link(ZONE, REGION, ORIGIN),
  in: stackNames.link(ZONE, ORIGIN, REGION),
};

function stack(name: string, region: string, template: Partial<Template> = {}): DeployedStack {
  return {
    name,
    region,
    id: `arn:${name}`,
    status: 'CREATE_COMPLETE',
    reason: null,
    terminationProtection: false,
    parameters: new Map(Object.keys(template.Parameters ?? {}).map((key) => [key, '128'])),
    outputs: new Map(),
    tags: new Map(),
    template: { Resources: {}, ...template },
  };
}

const CLUSTER = {
  Type: 'AWS::RDS::DBCluster',
  DeletionPolicy: 'RetainExceptOnCreate',
  Properties: { DeletionProtection: true, Engine: 'aurora-postgresql' },
};
const BUCKET = { Type: 'AWS::S3::Bucket', DeletionPolicy: 'RetainExceptOnCreate' };

function deployed(): Map<string, DeployedStack> {
  const all = [
    stack(names.edge, ORIGIN, { Parameters: { WeightEuWest3: { Default: 128 } } }),
    stack(names.zone, ORIGIN, {
      Resources: { Peers: { Type: 'AWS::SecretsManager::Secret', Properties: { Region: REGION } } },
    }),
    stack(names.svc, REGION),
    stack(names.data, REGION, { Resources: { Cluster: CLUSTER, Bucket: BUCKET } }),
    stack(names.base, REGION),
    stack(names.in, ORIGIN, { Resources: { Connection: { Type: 'AWS::EC2::VPCPeeringConnection' } } }),
    stack(names.out, REGION),
  ];
  return new Map(all.map((one) => [one.name, one]));
}

function leaving(overrides: Partial<LeavingRegion> = {}): LeavingRegion {
  return {
    zone: ZONE,
    region: REGION,
    origin: ORIGIN,
    remaining: [ORIGIN],
    listed: false,
    stacks: deployed(),
    ...overrides,
  };
}

const steps = (state: LeavingRegion): readonly string[] =>
  planRemoval(state).map(({ kind, stack: of }) => `${kind} ${of}`);

const WHOLE = [
  `drain ${names.edge}`,
  `deploy ${names.edge}`,
  `wait ${names.edge}`,
  `delete ${names.svc}`,
  `deploy ${names.zone}`,
  `delete ${names.data}`,
  `delete ${names.out}`,
  `delete ${names.in}`,
  `delete ${names.base}`,
];

test('no client is led there before anything is deleted, and the network goes last, after what leads through its peering', () => {
  expect(steps(leaving())).toEqual(WHOLE);
});

test('wherever it was interrupted, it goes on there', () => {
  const stacks = deployed();
  stacks.set(names.edge, stack(names.edge, ORIGIN));
  expect(steps(leaving({ stacks }))).toEqual(WHOLE.slice(2));
  stacks.delete(names.svc);
  stacks.set(names.zone, stack(names.zone, ORIGIN));
  expect(steps(leaving({ stacks }))).toEqual(WHOLE.slice(5));
  stacks.delete(names.data);
  expect(steps(leaving({ stacks }))).toEqual(WHOLE.slice(6));
  stacks.delete(names.out);
  expect(steps(leaving({ stacks }))).toEqual(WHOLE.slice(7));
  stacks.delete(names.in);
  expect(steps(leaving({ stacks }))).toEqual(WHOLE.slice(8));
  stacks.delete(names.base);
  expect(steps(leaving({ stacks }))).toEqual([]);
});

test('a weight that is 0 already is waited for again: whoever set it may not have waited', () => {
  const stacks = deployed();
  const edge = stacks.get(names.edge);
  if (edge === undefined) throw new Error('no edge');
  stacks.set(names.edge, { ...edge, parameters: new Map([['WeightEuWest3', '0']]) });
  expect(steps(leaving({ stacks }))).toEqual(WHOLE);
});

test('the links lead to every region that stays', () => {
  const other = stackNames.link(ZONE, 'eu-west-1', REGION);
  const stacks = new Map([[other, stack(other, 'eu-west-1')]]);
  expect(planRemoval(leaving({ stacks, remaining: [ORIGIN, 'eu-west-1'] }))).toMatchObject([
    { kind: 'delete', stack: other, in: 'eu-west-1' },
  ]);
});

test('a stack that says it is in a region which the zone hasn’t got is a fault', () => {
  const stacks = new Map([[names.data, stack(names.data, 'us-east-1')]]);
  expect(() => planRemoval(leaving({ stacks }))).toThrow('us-east-1, which the zone hasn');
});

test.each([
  ['the origin', { region: ORIGIN }, /origin of zone eu/],
  ['a region that is still listed', { listed: true }, /Take it out of `replicas`/],
] as const)('%s is refused, with the way out', (_, overrides, sentence) => {
  expect(() => planRemoval(leaving(overrides))).toThrow(sentence);
});

const originData = stackNames.data(ZONE, ORIGIN);

test.each([
  [names.svc, 'UPDATE_IN_PROGRESS', /something else is changing it/],
  [names.data, 'DELETE_IN_PROGRESS', /something else is changing it/],
  [names.data, 'UPDATE_ROLLBACK_FAILED', /cdk rollback/],
  [names.data, 'ROLLBACK_FAILED', /cdk rollback/],
  [names.data, 'DELETE_FAILED', /Delete it by hand/],
  [names.edge, 'DELETE_FAILED', /its deletion failed/],
  [names.edge, 'CREATE_FAILED', /deploy it or delete it/],
  [names.zone, 'UPDATE_ROLLBACK_FAILED', /cdk rollback/],
  [originData, 'UPDATE_IN_PROGRESS', /something else is changing it/],
  [originData, 'UPDATE_ROLLBACK_FAILED', /cdk rollback/],
] as const)('%s that is %s is left alone', (name, status, sentence) => {
  const stacks = deployed();
  const found = stacks.get(name) ?? stack(name, ORIGIN);
  stacks.set(name, { ...found, status });
  expect(() => planRemoval(leaving({ stacks }))).toThrow(sentence);
  expect(() => planRemoval(leaving({ stacks }))).toThrow(`${name} is ${status}`);
});

test.each(['ROLLBACK_COMPLETE', 'CREATE_FAILED', 'REVIEW_IN_PROGRESS'] as const)(
  'a stack of the region that is %s is deleted like the others',
  (status) => {
    const stacks = deployed();
    stacks.set(names.data, { ...stack(names.data, REGION), status });
    expect(steps(leaving({ stacks }))).toEqual(WHOLE);
  },
);

test('a deletion that failed is tried again where nothing is protected any more', () => {
  const stacks = deployed();
  stacks.set(names.base, { ...stack(names.base, REGION), status: 'DELETE_FAILED' });
  expect(steps(leaving({ stacks }))).toEqual(WHOLE);
});

test('an edge that nothing has come of is neither drained nor waited for', () => {
  const stacks = deployed();
  const edge = stacks.get(names.edge);
  if (edge === undefined) throw new Error('no edge');
  stacks.set(names.edge, { ...edge, status: 'ROLLBACK_COMPLETE' });
  expect(steps(leaving({ stacks }))).toEqual(WHOLE.slice(3));
});

test('the copy of the database goes with its region, the events stay and are named', () => {
  const template = { Resources: { Cluster: CLUSTER, Bucket: BUCKET } };
  expect(isProtected(template)).toBe(true);
  const changed = withoutProtection(template);
  expect(isProtected(changed)).toBe(false);
  expect(changed.Resources).toEqual({
    Cluster: {
      ...CLUSTER,
      DeletionPolicy: 'Delete',
      Properties: { ...CLUSTER.Properties, DeletionProtection: false },
    },
    Bucket: BUCKET,
  });
  const step = planRemoval(leaving()).find(({ stack: of }) => of === names.data);
  expect(step).toMatchObject({ keeps: ['AWS::S3::Bucket'] });
});

test('protection comes back as it was, also after it was taken off twice', () => {
  const template = {
    Metadata: { Author: 'x' },
    Parameters: { A: { Default: 1 } },
    Resources: { Cluster: CLUSTER, Bucket: BUCKET },
  };
  const unprotected = withoutProtection(template);
  expect(protectedAgain(unprotected)).toEqual(template);
  expect(protectedAgain(withoutProtection(unprotected))).toEqual(template);
  expect(protectedAgain(template)).toBeUndefined();
});
