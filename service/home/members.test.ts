import { expect, test } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import type { Rows } from '../manage/ports.ts';
import { Members, otherRegions } from './members.ts';

const US = 'us-east-1';
const EU = 'eu-west-1';
const AP = 'ap-southeast-1';
const log = { info() {}, warn() {}, error() {} };

/** A database that shows these regions, or fails. */
function showing(regions: readonly string[] | Error): Rows {
  return {
    query: <Row>(_text: string, values: readonly unknown[] = []) => {
      if (regions instanceof Error) return Promise.reject<readonly Row[]>(regions);
      const [asked] = values;
      const counted = typeof asked === 'string' ? [{ counted: regions.includes(asked) }] : null;
      return Promise.resolve((counted ?? regions.map((region) => ({ region }))) as unknown as readonly Row[]);
    },
  };
}

function makeMembers(configured: readonly string[] = []) {
  const clock = new FakeClock();
  const state = { reader: [] as readonly string[] | Error, reads: 0, changes: [] as (readonly string[])[] };
  const members = new Members({
    region: US,
    configured,
    reader: () => {
      state.reads += 1;
      return showing(state.reader);
    },
    monotonicMs: () => clock.monotonicMs(),
    log,
    onChange: (others) => state.changes.push(others),
  });
  return { members, clock, state };
}

test('the others are those that are named, that the data shows and that were heard of, never the own one', () => {
  const facts = { region: US, configured: [US, AP], shown: [EU, US, AP], heard: ['sa-east-1', EU] };
  expect(otherRegions(facts)).toEqual([AP, EU, 'sa-east-1']);
});

test('what is no region’s name becomes part of no URL', () => {
  const shown = ['', 'evil.example/', 'a@b', 'EU-WEST-1', '..', 'x'.repeat(33), EU, '{region}', '1a'];
  expect(otherRegions({ region: US, configured: [], shown, heard: shown })).toEqual([EU]);
});

test('a flood of names is cut off, and pushes out nobody that is named', () => {
  const flood = Array.from({ length: 500 }, (_, at) => `aa-flood-${at}`);
  const others = otherRegions({ region: US, configured: [AP], shown: [...flood, EU], heard: [EU] });
  expect(others).toHaveLength(32);
  expect(others.slice(0, 2)).toEqual([AP, EU]);
  const { members } = makeMembers();
  for (const name of flood) members.heard(name);
  expect(members.others).toHaveLength(32);
});

test('the own reader is read anew after a while; what it shows no longer is a member no longer', async () => {
  const { members, clock, state } = makeMembers();
  state.reader = [US, EU, AP];
  await members.refresh();
  expect(members.others).toEqual([AP, EU]);
  state.reader = [US, AP];
  await members.refresh();
  expect(members.others).toEqual([AP, EU]);
  expect(state.reads).toBe(1);
  clock.advance(2000);
  await members.refresh();
  expect(members.others).toEqual([AP]);
  expect(state.changes).toEqual([[AP, EU], [AP]]);
});

test('a reader that does not answer takes nobody away', async () => {
  const { members, clock, state } = makeMembers();
  state.reader = [EU];
  await members.refresh();
  clock.advance(60_000);
  state.reader = new Error('lost');
  expect(await members.refresh()).toBe(false);
  expect(members.others).toEqual([EU]);
});

test('what a writable writer shows counts, too, and ends to when it is writable no longer', async () => {
  const { members } = makeMembers();
  await members.readWriter(showing([US, AP]));
  expect(members.others).toEqual([AP]);
  await members.readWriter(null);
  expect(members.others).toEqual([]);
  await expect(members.readWriter(showing(new Error('lost')))).rejects.toThrow('lost');
});

test('whoever calls is known for a minute since the last call; a home for as long as it is taken for one', () => {
  const { members, clock } = makeMembers();
  members.heard(EU);
  members.learnHomes([AP]);
  clock.advance(59_000);
  members.heard(EU);
  clock.advance(59_000);
  expect(members.others).toEqual([AP, EU]);
  clock.advance(2000);
  expect(members.others).toEqual([AP]);
  members.learnHomes([]);
  expect(members.others).toEqual([]);
});

test('whether home counts the own region is what the reader says, whoever else is named', async () => {
  const { members, clock, state } = makeMembers([US]);
  members.heard(US);
  state.reader = new Error('it does not answer yet');
  await members.refresh();
  expect(members.isCounted).toBeNull();
  state.reader = [EU];
  await members.refresh();
  expect(members.isCounted).toBe(false);
  state.reader = [US];
  clock.advance(2000);
  await members.refresh();
  expect(members.isCounted).toBe(true);
});
