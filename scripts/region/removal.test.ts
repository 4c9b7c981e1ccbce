import { expect, test } from 'vitest';
import { stackNames } from '../../infra/names.ts';
import type { DeployedStack, Template } from '../lib/deployed-stack.ts';
import { isProtected, type LeavingRegion, planRemoval, withoutProtection } from './removal.ts';

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
    home: ORIGIN,
    stacks: deployed(),
    ...overrides,
  };
}

const steps = (state: LeavingRegion): readonly string[] =>
  planRemoval(state).map(({ kind, stack: of }) => `${kind} ${of}`);

const WHOLE = [
  `drain ${names.edge}`,
  `deploy ${names.edge}`,
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
  const edge = stacks.get(names.edge);
  if (edge === undefined) throw new Error('no edge');
  stacks.set(names.edge, { ...edge, parameters: new Map([['WeightEuWest3', '0']]) });
  expect(steps(leaving({ stacks }))).toEqual(WHOLE.slice(1));
  stacks.set(names.edge, stack(names.edge, ORIGIN));
  expect(steps(leaving({ stacks }))).toEqual(WHOLE.slice(2));
  stacks.delete(names.svc);
  stacks.set(names.zone, stack(names.zone, ORIGIN));
  stacks.delete(names.data);
  expect(steps(leaving({ stacks }))).toEqual(WHOLE.slice(5));
  for (const name of [names.out, names.in, names.base]) stacks.delete(name);
  expect(steps(leaving({ stacks }))).toEqual([]);
});

test.each([
  ['the origin', { region: ORIGIN }, /origin of zone eu/],
  ['a region that is still listed', { listed: true }, /Take it out of `replicas`/],
  ['the home', { home: REGION }, /Move home to eu-central-1 first/],
] as const)('%s is refused, with the way out', (_, overrides, sentence) => {
  expect(() => planRemoval(leaving(overrides))).toThrow(sentence);
});

test('what somebody else is changing just now is left alone', () => {
  const stacks = deployed();
  stacks.set(names.svc, { ...stack(names.svc, REGION), status: 'UPDATE_IN_PROGRESS' });
  expect(() => planRemoval(leaving({ stacks }))).toThrow(`${names.svc} is UPDATE_IN_PROGRESS`);
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
