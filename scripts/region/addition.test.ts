import { expect, test } from 'vitest';
import { stackNames } from '../../infra/names.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { AssemblyStack } from '../lib/assembly.ts';
import type { DeployedStack } from '../lib/deployed-stack.ts';
import { type ComingRegion, planAddition } from './addition.ts';

const ZONE = { environment: 'production', name: 'global' };
const LISTED: readonly AwsRegion[] = ['us-east-1', 'eu-west-1', 'ap-southeast-1'];

/** In the order in which the CDK deploys them. */
function namesOf(regions: readonly AwsRegion[]): readonly string[] {
  return [
    ...regions.map((region) => stackNames.base(ZONE, region)),
    ...regions.flatMap((from) =>
      regions.flatMap((to) => (from === to ? [] : [stackNames.link(ZONE, from, to)])),
    ),
    stackNames.zone(ZONE),
    ...regions.flatMap((region) => [stackNames.data(ZONE, region), stackNames.service(ZONE, region)]),
    stackNames.edge(ZONE),
  ];
}

function wanted(name: string): AssemblyStack {
  return {
    name,
    account: '111111111111',
    region: 'us-east-1',
    terminationProtection: false,
    dependencies: [],
    template: '{"Resources":{}}',
    templatePath: `${name}.template.json`,
  };
}

function deployed(name: string): DeployedStack {
  return {
    name,
    region: 'us-east-1',
    id: name,
    status: 'CREATE_COMPLETE',
    reason: null,
    terminationProtection: false,
    parameters: new Map(),
    outputs: new Map(),
    tags: new Map(),
    template: { Resources: {} },
  };
}

function coming(overrides: Partial<ComingRegion> = {}): ComingRegion {
  return {
    zone: ZONE,
    region: 'ap-southeast-1',
    origin: 'us-east-1',
    listed: LISTED,
    wanted: namesOf(LISTED).map(wanted),
    deployed: new Map(namesOf(LISTED.slice(0, 2)).map((name) => [name, deployed(name)])),
    ...overrides,
  };
}

test('its own stacks, the zone and the edge, in order; nothing of the other regions', () => {
  expect(planAddition(coming())).toEqual([
    stackNames.base(ZONE, 'ap-southeast-1'),
    stackNames.link(ZONE, 'us-east-1', 'ap-southeast-1'),
    stackNames.link(ZONE, 'eu-west-1', 'ap-southeast-1'),
    stackNames.link(ZONE, 'ap-southeast-1', 'us-east-1'),
    stackNames.link(ZONE, 'ap-southeast-1', 'eu-west-1'),
    stackNames.zone(ZONE),
    stackNames.data(ZONE, 'ap-southeast-1'),
    stackNames.service(ZONE, 'ap-southeast-1'),
    stackNames.edge(ZONE),
  ]);
});

test('interrupted, the same stacks are gone through again', () => {
  const state = coming();
  const half = new Map(state.deployed);
  half.set(stackNames.base(ZONE, 'ap-southeast-1'), deployed(stackNames.base(ZONE, 'ap-southeast-1')));
  expect(planAddition({ ...state, deployed: half })).toEqual(planAddition(state));
});

test('an edit that changes another region as well is refused, and named', () => {
  const name = stackNames.service(ZONE, 'eu-west-1');
  const edited = namesOf(LISTED).map((one) =>
    one === name ? { ...wanted(one), template: '{"Resources":{"A":{"Type":"T"}}}' } : wanted(one),
  );
  expect(() => planAddition(coming({ wanted: edited }))).toThrow(`${name} would change as well`);
});

test('a second region is refused with the way that makes the database global', () => {
  const two = LISTED.slice(0, 2);
  const state = coming({
    region: 'eu-west-1',
    listed: two,
    wanted: namesOf(two).map((name) =>
      name === stackNames.data(ZONE, 'us-east-1')
        ? { ...wanted(name), template: '{"Resources":{"Global":{"Type":"T"}}}' }
        : wanted(name),
    ),
    deployed: new Map(namesOf(['us-east-1']).map((name) => [name, deployed(name)])),
  });
  expect(() => planAddition(state)).toThrow('From one region to several');
});

test.each([
  ['the origin', { region: 'us-east-1' }, /is the origin/],
  ['a region that isn’t listed', { region: 'eu-north-1' }, /doesn't list eu-north-1/],
  ['a zone that isn’t deployed', { deployed: new Map() }, /isn't deployed yet/],
] as const)('%s is refused', (_, overrides, sentence) => {
  expect(() => planAddition(coming(overrides))).toThrow(sentence);
});
