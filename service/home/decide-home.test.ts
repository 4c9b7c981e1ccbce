import { expect, test } from 'vitest';
import type { PeerState } from '../peers/types.ts';
import { decideHome, type HomeFacts } from './decide-home.ts';
import type { EpochRow } from './epochs.ts';

const ORIGIN = 'us-east-1';
const EUROPE = 'eu-west-1';
const ASIA = 'ap-southeast-1';

const first: EpochRow = { epoch: { counter: 1, id: 'aaaaaaaa' }, region: ORIGIN };
const second: EpochRow = { epoch: { counter: 2, id: 'bbbbbbbb' }, region: EUROPE };

function facts(change: Partial<HomeFacts>): HomeFacts {
  return {
    region: ORIGIN,
    origin: ORIGIN,
    writer: { kind: 'readOnly' },
    feed: null,
    peers: [],
    highest: null,
    ...change,
  };
}

function peer(region: string, known: EpochRow | null, homeRegion: string | null): PeerState {
  return { region, taskId: 'task_1', epoch: known?.epoch ?? null, homeRegion };
}

function heartbeat(of: EpochRow, heartbeatAgeMs = 100) {
  return { epoch: of.epoch, region: of.region, heartbeatAgeMs };
}

test('home is here where the own writer accepts writes and the last epoch is ours', () => {
  const writer = { kind: 'writable', latest: first } as const;
  const here = { kind: 'is', state: { at: 'here', epoch: first.epoch } };
  expect(decideHome(facts({ writer }))).toEqual(here);
  expect(decideHome(facts({ writer, peers: [peer(EUROPE, first, ORIGIN), peer(ASIA, null, null)] }))).toEqual(
    here,
  );
});

test("the origin starts a zone's first epoch, and nobody else does", () => {
  const writer = { kind: 'writable', latest: null } as const;
  expect(decideHome(facts({ writer }))).toEqual({ kind: 'start', replaces: null });
  expect(decideHome(facts({ writer, region: EUROPE }))).toMatchObject({ state: { at: 'unknown' } });
});

test('an empty origin takes nothing over while a peer knows an epoch', () => {
  const writer = { kind: 'writable', latest: null } as const;
  const decision = decideHome(facts({ writer, peers: [peer(EUROPE, second, EUROPE)] }));
  expect(decision).toEqual({ kind: 'is', state: { at: 'elsewhere', epoch: second.epoch, region: EUROPE } });
});

test('a promoted region takes over where the former home does not answer, or says that it is home no longer', () => {
  const promoted = { region: EUROPE, writer: { kind: 'writable', latest: first } } as const;
  const takeOver = { kind: 'start', replaces: first };
  expect(decideHome(facts(promoted))).toEqual(takeOver);
  expect(decideHome(facts({ ...promoted, peers: [peer(ORIGIN, first, null)] }))).toEqual(takeOver);
  // A third region still believes in the former home, which itself is gone.
  expect(decideHome(facts({ ...promoted, peers: [peer(ASIA, first, ORIGIN)] }))).toEqual(takeOver);
});

test('a promoted region does not take over while the former home goes on', () => {
  const promoted = { region: EUROPE, writer: { kind: 'writable', latest: first } } as const;
  const decision = decideHome(facts({ ...promoted, peers: [peer(ORIGIN, first, ORIGIN)] }));
  expect(decision).toMatchObject({ kind: 'is', state: { at: 'unknown' } });
});

test('an old home that comes back leaves the writing to the new one', () => {
  const writer = { kind: 'writable', latest: first } as const;
  const toEurope = { kind: 'is', state: { at: 'elsewhere', epoch: second.epoch, region: EUROPE } };
  expect(decideHome(facts({ writer, peers: [peer(EUROPE, second, EUROPE)] }))).toEqual(toEurope);
  expect(decideHome(facts({ writer, feed: heartbeat(second) }))).toEqual(toEurope);
  const hearsay = decideHome(facts({ writer, peers: [peer(ASIA, second, null)] }));
  expect(hearsay).toMatchObject({ kind: 'is', state: { at: 'unknown' } });
});

test('a higher epoch that was heard of once is never forgotten, though nobody tells of it any more', () => {
  const writer = { kind: 'writable', latest: first } as const;
  const highest = { epoch: second.epoch, homeRegion: EUROPE };
  const toEurope = { kind: 'is', state: { at: 'elsewhere', epoch: second.epoch, region: EUROPE } };
  expect(decideHome(facts({ writer, highest }))).toEqual(toEurope);
  expect(decideHome(facts({ writer, highest, feed: heartbeat(first) }))).toEqual(toEurope);
  const nowhere = { ...highest, homeRegion: null };
  expect(decideHome(facts({ writer, highest: nowhere }))).toMatchObject({ state: { at: 'unknown' } });
  // The origin's own database was emptied.
  const empty = { kind: 'writable', latest: null } as const;
  expect(decideHome(facts({ writer: empty, highest }))).toEqual(toEurope);
  // A replica whose feed still shows the old home.
  expect(decideHome(facts({ region: ASIA, feed: heartbeat(first), highest }))).toEqual(toEurope);
  expect(decideHome(facts({ region: ASIA, feed: heartbeat(first), highest: nowhere }))).toMatchObject({
    state: { at: 'elsewhere', region: ORIGIN },
  });
});

test('the epoch that was started here is the highest, and home is here', () => {
  const writer = { kind: 'writable', latest: first } as const;
  const highest = { epoch: first.epoch, homeRegion: ORIGIN };
  expect(decideHome(facts({ writer, highest }))).toMatchObject({ state: { at: 'here' } });
});

test('of two epochs with the same counter all regions choose the same', () => {
  const rival: EpochRow = { epoch: { counter: 1, id: 'bbbbbbbb' }, region: EUROPE };
  const ours = { kind: 'writable', latest: first } as const;
  expect(decideHome(facts({ writer: ours, peers: [peer(EUROPE, rival, EUROPE)] }))).toMatchObject({
    state: { at: 'elsewhere', region: EUROPE },
  });
  const theirs = { kind: 'writable', latest: rival } as const;
  expect(
    decideHome(facts({ region: EUROPE, writer: theirs, peers: [peer(ORIGIN, first, ORIGIN)] })),
  ).toMatchObject({
    state: { at: 'here' },
  });
});

test('a replica finds the home in its own feed', () => {
  const decision = decideHome(facts({ region: ASIA, feed: heartbeat(first) }));
  expect(decision).toEqual({ kind: 'is', state: { at: 'elsewhere', epoch: first.epoch, region: ORIGIN } });
});

test('a replica whose heartbeat stopped asks its peers, and keeps the last home where none claims to be it', () => {
  const stale = { region: ASIA, feed: heartbeat(first, 60_000) };
  expect(decideHome(facts({ ...stale, peers: [peer(EUROPE, second, EUROPE)] }))).toMatchObject({
    state: { at: 'elsewhere', region: EUROPE },
  });
  expect(decideHome(facts({ ...stale, peers: [peer(EUROPE, second, ORIGIN)] }))).toMatchObject({
    state: { at: 'elsewhere', region: ORIGIN },
  });
  // A claim of an older epoch than the feed's is an old home's.
  const late = { region: ASIA, feed: heartbeat(second, 60_000), peers: [peer(ORIGIN, first, ORIGIN)] };
  expect(decideHome(facts(late))).toMatchObject({ state: { at: 'elsewhere', region: EUROPE } });
});

test.each([
  { kind: 'unreachable', reason: 'ECONNREFUSED' },
  { kind: 'readOnly' },
  { kind: 'empty' },
] as const)('the home is unknown where only our own heartbeat names us (%o)', (writer) => {
  expect(decideHome(facts({ writer, feed: heartbeat(first) }))).toMatchObject({ state: { at: 'unknown' } });
  expect(decideHome(facts({ writer }))).toMatchObject({ state: { at: 'unknown' } });
});
