import { expect, test } from 'vitest';
import { deploymentOf } from '../topology/deployment.ts';
import type { Zone } from '../topology/types.ts';
import { allStacks, testApp, TWO_REGIONS, templateOf } from './test/zones.ts';
import { buildZone } from './zone.ts';

type Templates = ReadonlyMap<string, string>;

/** Every template of some zones of one environment, as text, by its stack's name. */
function templatesOf(zones: readonly Zone[]): Templates {
  const app = testApp();
  const built = zones.map((zone) => buildZone(app, deploymentOf({ name: 'test', zones }, zone)));
  return new Map(
    built.flatMap(allStacks).map((stack) => [stack.stackName, JSON.stringify(templateOf(stack).toJSON())]),
  );
}

/** What is in `after` alone, in `before` alone, and in both with another text. */
function difference(
  before: Templates,
  after: Templates,
): Record<'added' | 'removed' | 'changed', readonly string[]> {
  const names = (map: Templates): readonly string[] => [...map.keys()];
  return {
    added: names(after)
      .filter((name) => !before.has(name))
      .toSorted(),
    removed: names(before)
      .filter((name) => !after.has(name))
      .toSorted(),
    changed: names(before)
      .filter((name) => after.has(name) && after.get(name) !== before.get(name))
      .toSorted(),
  };
}

const THREE_REGIONS: Zone = { ...TWO_REGIONS, replicas: ['eu-west-3', 'eu-north-1'] };
const OWN = [
  'keyhearth-test-eu-base-eu-north-1',
  'keyhearth-test-eu-data-eu-north-1',
  'keyhearth-test-eu-link-eu-central-1-eu-north-1',
  'keyhearth-test-eu-link-eu-north-1-eu-central-1',
  'keyhearth-test-eu-link-eu-north-1-eu-west-3',
  'keyhearth-test-eu-link-eu-west-3-eu-north-1',
  'keyhearth-test-eu-svc-eu-north-1',
];

test('adding a region makes its own stacks and changes the two that list a zone’s regions; removing it is the reverse', () => {
  const [two, three] = [templatesOf([TWO_REGIONS]), templatesOf([THREE_REGIONS])];
  const changed = ['keyhearth-test-eu-edge', 'keyhearth-test-eu-zone'];
  expect(difference(two, three)).toEqual({ added: OWN, removed: [], changed });
  expect(difference(three, two)).toEqual({ added: [], removed: OWN, changed });
});

test('a region may be listed anywhere among the replicas: the order changes nothing', () => {
  const other: Zone = { ...TWO_REGIONS, replicas: ['eu-north-1', 'eu-west-3'] };
  const { added, removed, changed } = difference(templatesOf([THREE_REGIONS]), templatesOf([other]));
  expect({ added, removed }).toEqual({ added: [], removed: [] });
  expect(changed).toEqual([]);
});

test('a customer’s dedicated zone is one more entry, and no other zone’s stack changes', () => {
  const customer: Zone = {
    ...TWO_REGIONS,
    name: 'acme',
    hostname: 'keys.acme.eu.example.com',
    account: '333333333333',
    origin: 'eu-west-1',
    replicas: [],
  };
  const { added, removed, changed } = difference(
    templatesOf([TWO_REGIONS]),
    templatesOf([TWO_REGIONS, customer]),
  );
  expect({ removed, changed }).toEqual({ removed: [], changed: [] });
  expect(added).toEqual(
    ['base-eu-west-1', 'data-eu-west-1', 'edge', 'svc-eu-west-1', 'zone'].map(
      (name) => `keyhearth-test-acme-${name}`,
    ),
  );
});

test('the same topology gives the same templates, byte for byte', () => {
  expect(difference(templatesOf([THREE_REGIONS]), templatesOf([THREE_REGIONS]))).toEqual({
    added: [],
    removed: [],
    changed: [],
  });
});
