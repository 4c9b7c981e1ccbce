import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import { databaseUrl, startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { promote, waitForCatchUp } from '../../scripts/local/postgres/replication.ts';
import type { Epoch } from '../domain/revision.ts';
import type { PeerState } from '../peers/types.ts';
import { databaseOf } from '../store/database.ts';
import { createPool } from '../store/pool.ts';
import { HomeWatch, type HomeWatchOptions } from './home-watch.ts';
import { Listening } from './listening.ts';
import { Members } from './members.ts';
import type { FeedView } from './ports.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const HOME = 'us-east-1';
const EUROPE = 'eu-west-1';
const log = { info() {}, warn() {}, error() {} };

let postgres: TestPostgres;
let url: string;
const pools: pg.Pool[] = [];
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  url = await postgres.createDatabase();
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()));
});

interface WatchSetup {
  readonly region?: string;
  readonly at?: string;
  readonly peers?: Readonly<Record<string, () => PeerState | Promise<PeerState>>>;
  readonly feed?: () => FeedView | null;
  readonly options?: Pick<HomeWatchOptions, 'listening' | 'members'>;
}

function makeWatch({
  region = HOME,
  at = url,
  peers = {},
  feed = () => null,
  options = {},
}: WatchSetup = {}) {
  const pool = createPool({ url: at, applicationName: 'test', onIdleError: () => {}, connections: 4 });
  pools.push(pool);
  const watch = new HomeWatch({
    region,
    origin: HOME,
    database: databaseOf(pool),
    peers: {
      regions: Object.keys(peers).filter((name) => name !== region),
      async state(name) {
        const state = await peers[name]?.();
        if (state === undefined) throw new Error('no such peer');
        return state;
      },
    },
    feedView: feed,
    log,
    checkMs: 20,
    ...options,
  });
  return { watch, pool };
}

async function epochs(pool: pg.Pool) {
  const { rows } = await pool.query<{ counter: number; region: string }>(
    'select counter, region from epochs order by counter',
  );
  return rows.map((row) => `${row.counter} ${row.region}`);
}

test('the origin of an empty zone becomes home, and stays it after a restart', async () => {
  const { watch, pool } = makeWatch();
  const state = await watch.look();
  expect(state).toMatchObject({ at: 'here', epoch: { counter: 1 } });
  expect(await makeWatch().watch.look()).toEqual(state);
  expect(await epochs(pool)).toEqual([`1 ${HOME}`]);
  expect((await pool.query('select from heartbeat')).rowCount).toBe(1);
  expect(watch.peerState('task_1')).toMatchObject({ region: HOME, homeRegion: HOME, epoch: { counter: 1 } });
});

test('another region does not start an empty zone', async () => {
  const { watch, pool } = makeWatch({ region: EUROPE });
  expect(await watch.look()).toMatchObject({ at: 'unknown' });
  expect(await epochs(pool)).toEqual([]);
});

test('several tasks of one region that find the same do not fight', async () => {
  const watches = Array.from({ length: 5 }, () => makeWatch());
  await Promise.all(watches.map(({ watch }) => watch.look()));
  const states = await Promise.all(watches.map(({ watch }) => watch.look()));
  expect(new Set(states.map((state) => JSON.stringify(state))).size).toBe(1);
  expect(states[0]).toMatchObject({ at: 'here' });
  expect(watches.reduce((sum, { watch }) => sum + watch.counters.takeovers, 0)).toBe(1);
});

test('a database without schema, and one that is not there, are no home', async () => {
  const empty = makeWatch({ at: await postgres.createDatabase('empty') });
  expect(await empty.watch.look()).toMatchObject({
    at: 'unknown',
    reason: expect.stringContaining('schema'),
  });
  const gone = makeWatch({ at: 'postgres://keyhearth:x@127.0.0.1:1/keyhearth' });
  expect(await gone.watch.look()).toMatchObject({ at: 'unknown' });
  expect(gone.watch.counters.failedChecks).toBe(1);
  expect(gone.watch.peerState('task_1')).toMatchObject({ homeRegion: null, epoch: null });
});

test('a home that hears of a later epoch is home no longer, and says where it is', async () => {
  let state: PeerState = { region: EUROPE, taskId: 'task_2', epoch: null, homeRegion: null };
  const { watch } = makeWatch({ peers: { [EUROPE]: () => state } });
  expect(await watch.look()).toMatchObject({ at: 'here' });
  const moves: string[] = [];
  watch.onMove((moved) => moves.push(moved.at));
  state = { ...state, epoch: { counter: 2, id: 'bbbbbbbb' }, homeRegion: EUROPE };
  expect(await watch.look()).toEqual({ at: 'elsewhere', epoch: state.epoch, region: EUROPE });
  expect(watch.epoch()).toBeNull();
  expect(moves).toEqual(['elsewhere']);
});

test('a home that once heard of a later epoch stays away from writing when nobody can be reached any more', async () => {
  const later: PeerState = {
    region: EUROPE,
    taskId: 'task_2',
    epoch: { counter: 2, id: 'bbbbbbbb' },
    homeRegion: EUROPE,
  };
  let reachable = true;
  const answer = (): PeerState => {
    if (!reachable) throw new Error('no way there');
    return later;
  };
  await makeWatch().watch.look();
  const { watch, pool } = makeWatch({ peers: { [EUROPE]: answer } });
  expect(await watch.look()).toMatchObject({ at: 'elsewhere', region: EUROPE });
  reachable = false;
  expect(await watch.look()).toMatchObject({ at: 'elsewhere', region: EUROPE });
  expect(watch.epoch()).toBeNull();
  expect(watch.peerState('task_1')).toMatchObject({ epoch: later.epoch, homeRegion: EUROPE });
  expect(await epochs(pool)).toEqual([`1 ${HOME}`]);
});

test('a home whose own feed shows a later epoch stops at once, and says so to its peers', async () => {
  let feed: FeedView | null = null;
  const { watch } = makeWatch({ feed: () => feed });
  await watch.look();
  feed = { epoch: { counter: 2, id: 'bbbbbbbb' }, region: EUROPE, heartbeatAgeMs: 50 };
  expect(watch.peerState('task_1')).toMatchObject({ epoch: feed.epoch, homeRegion: EUROPE });
  expect(watch.epoch()).toBeNull();
});

test('looks run one at a time: an older one that takes long never overwrites what a newer one found', async () => {
  const { promise: first, resolve: answerFirst } = Promise.withResolvers<PeerState>();
  const lost: PeerState = { region: EUROPE, taskId: 'task_2', epoch: null, homeRegion: null };
  let asked = 0;
  let underWay = 0;
  const peers = {
    [EUROPE]: async (): Promise<PeerState> => {
      asked += 1;
      underWay += 1;
      expect(underWay).toBe(1);
      const state =
        asked === 1 ? await first : { ...lost, epoch: { counter: 2, id: 'bbbbbbbb' }, homeRegion: EUROPE };
      underWay -= 1;
      return state;
    },
  };
  const { watch } = makeWatch({ peers });
  const older = watch.look();
  await expect.poll(() => asked).toBe(1);
  const newer = [watch.look(), watch.look(), watch.look()];
  answerFirst(lost);
  expect(await older).toMatchObject({ at: 'here' });
  for (const look of newer) expect(await look).toMatchObject({ at: 'elsewhere', region: EUROPE });
  expect(asked).toBe(2);
  expect(watch.current()).toMatchObject({ at: 'elsewhere', region: EUROPE });
  await watch.stop();
  await watch.look();
  expect(asked).toBe(2);
});

test('a promoted standby takes over with a higher epoch; the old home, back again, gives way', async () => {
  const first = makeWatch();
  const home = await first.watch.look();
  const standby = await postgres.addStandby('europe');
  const standbyUrl = databaseUrl(standby.url, new URL(url).pathname.slice(1));
  const feed = (): FeedView | null => ({ epoch: epochOf(home), region: HOME, heartbeatAgeMs: 100 });
  const second = makeWatch({
    region: EUROPE,
    at: standbyUrl,
    feed,
    peers: { [HOME]: () => first.watch.peerState('task_1') },
  });
  expect(await second.watch.look()).toEqual({ at: 'elsewhere', epoch: epochOf(home), region: HOME });
  await waitForCatchUp(standby, postgres.primary, 10_000);
  await promote(standby);
  // The former home goes on: two writers are worse than none.
  expect(await second.watch.look()).toMatchObject({ at: 'unknown' });
  const { watch, pool } = makeWatch({ region: EUROPE, at: standbyUrl, feed });
  const taken = await watch.look();
  expect(taken).toMatchObject({ at: 'here', epoch: { counter: 2 } });
  expect(await epochs(pool)).toEqual([`1 ${HOME}`, `2 ${EUROPE}`]);
  const { rows } = await pool.query('select region, epoch, changes_below_watermark as count from heartbeat');
  expect(rows).toEqual([{ region: EUROPE, epoch: 2, count: '0' }]);
  const back = makeWatch({ peers: { [EUROPE]: () => watch.peerState('task_2') } });
  expect(await back.watch.look()).toEqual({ at: 'elsewhere', epoch: epochOf(taken), region: EUROPE });
});

test('a task that has only just started listens before it becomes home, and heeds what its neighbours have heard', async () => {
  const clock = new FakeClock();
  const monotonicMs = (): number => clock.monotonicMs();
  const makeListening = () => new Listening({ region: HOME, isCounted: () => true, monotonicMs, log });
  await makeWatch().watch.look();
  const neighbour: PeerState = { region: HOME, taskId: 'task_2', epoch: null, homeRegion: null };
  const peaceful = makeWatch({
    peers: { [HOME]: () => neighbour },
    options: { listening: makeListening() },
  });
  expect(await peaceful.watch.look()).toMatchObject({ at: 'unknown' });
  clock.advance(3000);
  expect(await peaceful.watch.look()).toMatchObject({ at: 'here' });

  let heard = neighbour;
  const { watch } = makeWatch({ peers: { [HOME]: () => heard }, options: { listening: makeListening() } });
  expect(await watch.look()).toMatchObject({ at: 'unknown' });
  heard = { ...neighbour, epoch: { counter: 2, id: 'bbbbbbbb' }, homeRegion: EUROPE };
  clock.advance(3000);
  expect(await watch.look()).toMatchObject({ at: 'elsewhere', region: EUROPE });
});

test('whom a home asks is what its own writer shows at that moment', async () => {
  const { pool } = makeWatch();
  const unread = { query: () => Promise.reject(new Error('no reader here')) };
  const monotonicMs = (): number => performance.now();
  const members = new Members({ region: HOME, configured: [], reader: () => unread, monotonicMs, log });
  const { watch } = makeWatch({ options: { members } });
  await watch.look();
  expect(members.others).toEqual([]);
  await pool.query(
    `insert into task_status (task_id, region, epoch, epoch_id, watermark, applied_xids, staleness_ms, reported_at, stopped_at)
     select 'task of ' || region, region, 1, 'aaaaaaaa', '0', '{}', 0, now() - interval '1 day', stopped
     from (values ('${EUROPE}', null), ('ap-southeast-1', now()), ('', now())) as one (region, stopped)`,
  );
  await watch.look();
  expect(members.others).toEqual([EUROPE]);
  await pool.query(`update task_status set stopped_at = now()`);
  await pool.query(
    `insert into epochs (counter, id, region, started_xid) values (2, 'bbbbbbbb', 'sa-east-1', pg_current_xact_id())`,
  );
  await watch.look();
  expect(members.others).toEqual(['sa-east-1']);
});

test('the loop notices by itself, and stops when it is told to', async () => {
  const { watch, pool } = makeWatch();
  await watch.start();
  expect(watch.current()).toMatchObject({ at: 'here' });
  await pool.query(
    `insert into epochs (counter, id, region, started_xid) values (2, 'bbbbbbbb', '${HOME}', pg_current_xact_id())`,
  );
  await expect.poll(() => watch.epoch()).toEqual({ counter: 2, id: 'bbbbbbbb' });
  await watch.stop();
  const { checks } = watch.counters;
  await watch.stop();
  expect(watch.counters.checks).toBe(checks);
});

function epochOf(state: ReturnType<HomeWatch['current']>): Epoch {
  if (state.at === 'unknown') throw new Error(state.reason);
  return state.epoch;
}
