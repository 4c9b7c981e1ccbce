import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { databaseUrl, startTestPostgres, type TestPostgres } from '../test/postgres.ts';
import { contextOf, makeWriteSide, type WriteSide } from '../test/write-side.ts';
import { HotCache } from './cache/hot-cache.ts';
import { systemClock } from './clock.ts';
import type { KeyHash } from './domain/brands.ts';
import { hashKey } from './domain/key-text.ts';
import type { RecordReads } from './domain/records.ts';
import type { SnapshotFloor } from './domain/feed.ts';
import type { Revision } from './domain/revision.ts';
import { HeartbeatWriter } from './home/heartbeat-writer.ts';
import { ChangeFeed } from './store/change-feed.ts';
import { databaseOf } from './store/database.ts';
import { PostgresFeedReader } from './store/feed-reader.ts';
import { createPool } from './store/pool.ts';
import { RecordReader } from './store/record-reader.ts';

/** Real feed and real refills on one real instance; what was read can be held back before the cache sees it. */
class Holder {
  readonly cache: HotCache;
  readonly feed: ChangeFeed;
  readonly #pool: ReturnType<typeof createPool>;
  reads = 0;
  #gate: Promise<void> | null = null;
  #open: (() => void) | null = null;
  #arrived: (() => void) | null = null;

  constructor(name: string, url: string) {
    this.#pool = createPool({ url, applicationName: name, onIdleError: () => {} });
    const records = new RecordReader(this.#pool);
    this.cache = new HotCache({
      source: {
        readRecords: async (hashes, floor) => await this.#hold(await records.readRecords(hashes, floor)),
        readShared: async (refs, floor) => await records.readShared(refs, floor),
      },
      floor: () => ({ mark: this.feed.mark, revision: null }),
      clock: systemClock,
      maxKeys: 1000,
      maxBytes: 10_000_000,
      maxRootKeys: 10,
      maxNamespaces: 10,
      maxAbsent: 1000,
      maxAgeMs: 3_600_000,
      loadConcurrency: 4,
      loadBatchSize: 50,
      maxWaitingLoads: 1000,
      onBackgroundError: () => {},
    });
    this.feed = new ChangeFeed({
      readers: [new PostgresFeedReader({ name, pool: this.#pool, recordsPool: this.#pool })],
      listener: this.cache,
      clock: systemClock,
      pollMs: 10,
      switchAfterMs: 60_000,
      log: { info() {}, warn() {}, error() {} },
    });
  }

  /** The next read gets its answer from the database and keeps it until the returned function is called. */
  holdNextRead(): { readonly arrived: Promise<void>; readonly release: () => void } {
    this.#gate = new Promise((resolve) => (this.#open = resolve));
    const arrived = new Promise<void>((resolve) => (this.#arrived = resolve));
    return { arrived, release: () => this.#open?.() };
  }

  async stop(): Promise<void> {
    await this.feed.stop();
    await this.#pool.end();
  }

  async #hold(reads: RecordReads): Promise<RecordReads> {
    this.reads += 1;
    const gate = this.#gate;
    this.#gate = null;
    if (gate !== null) {
      this.#arrived?.();
      await gate;
    }
    return reads;
  }
}

let postgres: TestPostgres;
let side: WriteSide;
let apiId: string;
let heartbeat: HeartbeatWriter;
const holders = new Map<string, Holder>();

beforeAll(async () => {
  postgres = await startTestPostgres();
  const url = await postgres.createDatabase();
  const standbys = [await postgres.addStandby('standby-1'), await postgres.addStandby('standby-2')];
  side = await makeWriteSide(url);
  const log = { info() {}, warn() {}, error() {} };
  heartbeat = new HeartbeatWriter({
    database: databaseOf(side.pool),
    epoch: () => side.epoch,
    log,
    intervalMs: 100,
  });
  heartbeat.start();
  ({ apiId } = (await side.manage.apis.createApi(contextOf(side.principal), { name: 'test' })).data);
  const name = new URL(url).pathname.slice(1);
  for (const [at, node] of [postgres.primary, ...standbys].entries()) {
    const holder = new Holder(`reader ${at}`, databaseUrl(node.url, name));
    holders.set(at === 0 ? 'the primary' : `standby ${at}`, holder);
    await holder.feed.start();
  }
});

afterAll(async () => {
  await Promise.all([...holders.values()].map(async (holder) => await holder.stop()));
  await heartbeat.stop();
  await side.end();
  await postgres.stop();
});

async function createKey(): Promise<{ keyId: string; hash: KeyHash; revision: Revision }> {
  const { data, revision } = await side.manage.keys.createKey(contextOf(side.principal), { apiId });
  return { keyId: data.keyId, hash: hashKey(data.key), revision };
}

async function deleteKey(keyId: string): Promise<Revision> {
  return (await side.manage.keys.deleteKey(contextOf(side.principal), { keyId })).revision;
}

/** Inserts a key under a hash that was known before: what creation does, with the hash chosen here. */
async function insertKey(hash: KeyHash): Promise<Revision> {
  const { principal, writer } = side;
  const { revision } = await writer.write(async (transaction) => {
    await transaction.query(
      `insert into keys (id, workspace_id, api_id, hash, start) values ($1, $2, $3, decode($4, 'hex'), 'test')`,
      [`key_${hash.slice(0, 12)}`, principal.workspaceId, apiId, hash],
    );
    transaction.changedRecord('key', `key_${hash.slice(0, 12)}`, hash);
    transaction.audit({
      workspaceId: principal.workspaceId,
      actorKind: 'system',
      actorId: 'test',
      requestId: '',
      clientAddress: '',
      action: 'key.create',
      targetKind: 'key',
      targetId: hash,
      detail: {},
    });
  });
  return revision;
}

function holderOf(name: string): Holder {
  const holder = holders.get(name);
  if (holder === undefined) throw new Error(`no ${name}`);
  return holder;
}

describe.each(['the primary', 'standby 1', 'standby 2'])('on %s', (name) => {
  test('a deletion during the read: the read is discarded', async () => {
    const holder = holderOf(name);
    const { cache, feed } = holder;
    const { keyId, hash, revision } = await createKey();
    expect(await feed.waitFor(revision, 5000)).toBe(true);
    const { arrived, release } = holder.holdNextRead();
    const load = cache.loadKey(hash);
    await arrived;
    expect(await feed.waitFor(await deleteKey(keyId), 5000)).toBe(true);
    release();
    expect(await load).toBeNull();
  });

  test('a deletion just before the read: the read shows it, and one is enough', async () => {
    const holder = holderOf(name);
    const { cache, feed } = holder;
    const { keyId, hash } = await createKey();
    expect(await feed.waitFor(await deleteKey(keyId), 5000)).toBe(true);
    const before = holder.reads;
    expect(await cache.loadKey(hash)).toBeNull();
    expect(holder.reads).toBe(before + 1);
  });

  test('a deletion just after the read: the record is dropped', async () => {
    const { cache, feed } = holderOf(name);
    const { keyId, hash, revision } = await createKey();
    expect(await feed.waitFor(revision, 5000)).toBe(true);
    expect((await cache.loadKey(hash))?.row.keyId).toBe(keyId);
    expect(await feed.waitFor(await deleteKey(keyId), 5000)).toBe(true);
    expect(cache.peekKey(hash, systemClock.monotonicMs())).toBeUndefined();
    expect(await cache.loadKey(hash)).toBeNull();
  });

  test('absence is remembered without a further read, until the key is created', async () => {
    const holder = holderOf(name);
    const { cache, feed } = holder;
    const hash = hashKey(`made up for ${name}`);
    expect(await cache.loadKey(hash)).toBeNull();
    const before = holder.reads;
    expect(await cache.loadKey(hash)).toBeNull();
    expect(cache.peekKey(hash, systemClock.monotonicMs())).toBeNull();
    expect(holder.reads).toBe(before);
    expect(await feed.waitFor(await insertKey(hash), 5000)).toBe(true);
    expect(await cache.loadKey(hash)).not.toBeNull();
  });

  test('a creation while absence is being read: the key is found', async () => {
    const holder = holderOf(name);
    const { cache, feed } = holder;
    const hash = hashKey(`created meanwhile for ${name}`);
    const { arrived, release } = holder.holdNextRead();
    const load = cache.loadKey(hash);
    await arrived;
    expect(await feed.waitFor(await insertKey(hash), 5000)).toBe(true);
    release();
    expect(await load).not.toBeNull();
  });
});

test('under a storm of updates and refills no reader ever shows less than what it has applied', async () => {
  const keys = await Promise.all(Array.from({ length: 10 }, async () => await createKey()));
  const until = performance.now() + 3000;
  let updates = 0;
  const writers = keys.map(async ({ keyId, hash }) => {
    for (let version = 1; performance.now() < until; version += 1) {
      const { revision } = await side.manage.keys.updateKey(contextOf(side.principal), {
        keyId,
        name: String(version),
      });
      updates += 1;
      await Promise.all(
        [...holders.values()].map(async ({ cache, feed }) => {
          expect(await feed.waitFor(revision, 10_000)).toBe(true);
          expect(Number((await cache.loadKey(hash))?.row.name)).toBeGreaterThanOrEqual(version);
        }),
      );
    }
  });
  const readers = [...holders.values()].map(async ({ cache }) => {
    while (performance.now() < until) {
      await Promise.all(keys.map(async ({ hash }) => await cache.loadKey(hash)));
      // What is held is answered without I/O: the loop must be let on to the databases by hand.
      await setImmediate();
    }
  });
  await Promise.all([...writers, ...readers]);
  expect(updates).toBeGreaterThan(30);
  for (const { feed } of holders.values()) expect(feed.counters.distrusts).toBe(0);
});

test('a snapshot below what was applied is refused, whatever it would show', async () => {
  const { feed } = holderOf('standby 1');
  const { hash, revision } = await createKey();
  expect(await feed.waitFor(revision, 5000)).toBe(true);
  const { mark } = feed;
  if (mark === null) throw new Error('the feed runs');
  const records = new RecordReader(side.pool);
  const read = async (floor: SnapshotFloor): Promise<boolean> =>
    (await records.readRecords([hash], floor)).keys.has(hash);
  expect(await read({ mark, revision })).toBe(true);
  const refusal = { code: 'database_unavailable' };
  await expect(
    read({ mark: { ...mark, watermark: mark.watermark + 1_000_000n }, revision: null }),
  ).rejects.toMatchObject(refusal);
  await expect(read({ mark: { ...mark, met: mark.met + 1_000_000 }, revision: null })).rejects.toMatchObject(
    refusal,
  );
  await expect(
    read({ mark: { ...mark, epoch: { counter: 2, id: 'zzzzzzzz' } }, revision: null }),
  ).rejects.toMatchObject(refusal);
  const later = { ...revision, xid: revision.xid + 1_000_000n };
  await expect(read({ mark: null, revision: later })).rejects.toMatchObject({ code: 'revision_not_reached' });
  // A newer epoch than the mark's is ahead of it.
  expect(await read({ mark: { ...mark, epoch: { counter: 0, id: 'aaaaaaaa' } }, revision: null })).toBe(true);
});
