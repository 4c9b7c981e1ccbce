import { expect, test } from 'vitest';
import { UserError } from '../lib/user-error.ts';
import { type GlobalMember, type LeavingDatabase, refuseLoss } from './database-safety.ts';

const arn = (region: string): string => `arn:aws:rds:${region}:222222222222:cluster:x-${region}`;
const OWN = arn('eu-west-3');
const HOME = arn('eu-central-1');
const THIRD = arn('eu-north-1');
const reader = (of: string): GlobalMember => ({ arn: of, isWriter: false });
const writer = (of: string): GlobalMember => ({ arn: of, isWriter: true });

function found(overrides: Partial<LeavingDatabase> = {}): LeavingDatabase {
  return {
    zone: { environment: 'production', name: 'eu' },
    region: 'eu-west-3',
    remaining: ['eu-central-1', 'eu-north-1'],
    clusterArn: OWN,
    members: [writer(HOME), reader(OWN), reader(THIRD)],
    writerStatus: new Map([[HOME, 'available']]),
    originHasData: true,
    ...overrides,
  };
}

test('a copy of a database whose writer is available elsewhere may go', () => {
  expect(refuseLoss(found())).toBeUndefined();
});

test('so may it where home has moved to another region that stays', () => {
  const members = [writer(THIRD), reader(OWN), reader(HOME)];
  expect(refuseLoss(found({ members, writerStatus: new Map([[THIRD, 'available']]) }))).toBeUndefined();
});

test('a cluster that is gone is no loss, whatever else is unclear', () => {
  expect(
    refuseLoss(found({ clusterArn: null, members: null, writerStatus: new Map(), originHasData: false })),
  ).toBeUndefined();
});

test.each([
  ['there is no global database', { members: null }, /no global database keyhearth-production-eu/],
  ['it was detached', { members: [writer(HOME), reader(THIRD)] }, /was taken out, and has its own data/],
  ['a global database has no members', { members: [] }, /was taken out/],
  ['it is listed twice', { members: [writer(HOME), reader(OWN), reader(OWN)] }, /isn't a member/],
  [
    'it is the writer',
    { members: [writer(OWN), reader(HOME)] },
    /Move home to eu-central-1 or eu-north-1 first/,
  ],
  ['nobody is the writer', { members: [reader(OWN), reader(HOME)] }, /has no writer/],
  ['it alone is left', { members: [reader(OWN)] }, /has no writer/],
  ['there are two writers', { members: [writer(HOME), writer(THIRD), reader(OWN)] }, /has 2 writers/],
  [
    'the writer is in a region that doesn’t stay',
    { members: [writer(arn('us-east-1')), reader(OWN)] },
    /in none of the regions that stay/,
  ],
  ['the writer’s cluster is gone', { writerStatus: new Map([[HOME, 'missing']]) }, /is missing/],
  ['the writer isn’t available', { writerStatus: new Map([[HOME, 'failing-over']]) }, /is failing-over/],
  ['nothing is known of the writer', { writerStatus: new Map() }, /is unknown/],
  ['the origin has no data stack', { originHasData: false }, /isn't deployed/],
] as const)('it stays where %s', (_, overrides, sentence) => {
  expect(() => refuseLoss(found(overrides))).toThrow(UserError);
  expect(() => refuseLoss(found(overrides))).toThrow(sentence);
});
