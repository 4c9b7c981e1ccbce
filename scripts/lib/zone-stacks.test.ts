import { expect, test } from 'vitest';
import { stackNames } from '../../infra/names.ts';
import { stackNamesOf } from './zone-stacks.ts';

const zone = { environment: 'production', name: 'eu' };

test('a stack’s name tells the regions that it is about', () => {
  const names = stackNamesOf(zone);
  expect(names.get(stackNames.zone(zone))).toEqual([]);
  expect(names.get(stackNames.edge(zone))).toEqual([]);
  expect(names.get(stackNames.data(zone, 'eu-west-1'))).toEqual(['eu-west-1']);
  expect(names.get(stackNames.link(zone, 'eu-west-1', 'us-gov-none' as 'us-east-1'))).toBeUndefined();
  expect(names.get(stackNames.link(zone, 'eu-west-1', 'eu-west-3'))).toEqual(['eu-west-1', 'eu-west-3']);
});

test('stacks of a zone whose name begins alike are another’s', () => {
  const names = stackNamesOf(zone);
  for (const other of ['eu-two', 'eu-base', 'e'])
    expect(names.has(stackNames.service({ ...zone, name: other }, 'eu-west-1'))).toBe(false);
});
