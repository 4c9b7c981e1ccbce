import { AsyncLocalStorage } from 'node:async_hooks';
import { Socket } from 'node:net';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../scripts/lib/ports.ts';
import { createKey, startTestZone, type TestZone } from '../test/zone.ts';
import { parseRevision } from './domain/revision.ts';
import { readEnv } from './env.ts';
import { buildParts, type Parts } from './parts.ts';
import { readZoneFacts } from './zone-facts.ts';

/**
 * Counts what a request causes, however late: its asynchronous context goes along. Background work (the feed's polls, the
 * heartbeat) has another context and isn't counted.
 */
interface Caused {
  queries: number;
  sockets: number;
}
const cause = new AsyncLocalStorage<Caused>();
/** Between tasks of the zone: credits are drawn of home's ledger. */
const PEER_SECRET = 'x'.repeat(32);
const originals = { query: pg.Client.prototype.query, connect: Socket.prototype.connect };

let zone: TestZone;
let parts: Parts;
let key: string;
/** Of a key with plenty of credits. */
let keyWithCredits: string;

beforeAll(async () => {
  zone = await startTestZone({ KEYHEARTH_PEER_SECRET: PEER_SECRET }, ['us-east-1']);
  // With a limit that applies by itself: asking it is part of the hot path.
  const ratelimits = [{ name: 'calls', limit: 1_000_000, duration: 60_000, autoApply: true }];
  ({ key } = await createKey(zone, 'us-east-1', { ratelimits }));
  const credits = { remaining: 1_000_000 };
  ({ key: keyWithCredits } = await createKey(zone, 'us-east-1', { credits }));
  const url = zone.urlOf('eu-west-1');
  const env = readEnv({
    KEYHEARTH_ZONE: 'global',
    KEYHEARTH_REGION: 'eu-west-1',
    KEYHEARTH_PORT: String(await freePort()),
    KEYHEARTH_WRITER_URL: url,
    KEYHEARTH_READER_URLS: url,
    KEYHEARTH_PEERS: `us-east-1=${zone.task('us-east-1').url}`,
    KEYHEARTH_PEER_SECRET: PEER_SECRET,
  });
  const facts = { env, zone: await readZoneFacts(env), taskId: 'eu-west-1/test' };
  parts = buildParts(facts, pino({ level: 'silent' }), { readiness: () => null, closing: () => false });
  await parts.feed.start();
  await parts.home.start();
  await parts.app.ready();
  // The wrapper hands on what it was given, whatever the overload.
  pg.Client.prototype.query = function query(this: pg.Client, ...given: unknown[]): unknown {
    const caused = cause.getStore();
    if (caused !== undefined) caused.queries += 1;
    return Reflect.apply(originals.query, this, given);
  } as typeof originals.query;
  Socket.prototype.connect = function connect(this: Socket, ...given: unknown[]): Socket {
    const caused = cause.getStore();
    if (caused !== undefined) caused.sockets += 1;
    return Reflect.apply(originals.connect, this, given) as Socket;
  };
}, 60_000);

afterAll(async () => {
  pg.Client.prototype.query = originals.query;
  Socket.prototype.connect = originals.connect;
  await parts.app.close();
  await parts.sharing.leases.stop();
  await parts.home.stop();
  await parts.feed.stop();
  await parts.reverification.stop();
  await parts.peers.close();
  await Promise.all(parts.pools.map(async (pool) => await pool.end()));
  await zone.stop();
});

async function callAndCount(call: string, payload: object, expected: object): Promise<Caused> {
  const caused = { queries: 0, sockets: 0 };
  await cause.run(caused, async () => {
    const answer = await parts.app.inject({
      method: 'POST',
      url: `/v2/${call}`,
      headers: { authorization: `Bearer ${zone.rootKey}` },
      payload,
    });
    expect(answer.json()).toMatchObject({ data: expected });
  });
  return caused;
}

async function verifyAndCount(): Promise<Caused> {
  const ratelimits = [{ name: 'calls', exceeded: false }];
  return await callAndCount('keys.verifyKey', { key }, { valid: true, ratelimits });
}

test('a cold verification reads the database: the count counts', async () => {
  const caused = await verifyAndCount();
  expect(caused.queries).toBeGreaterThanOrEqual(1);
  expect(caused.sockets).toBeGreaterThanOrEqual(1);
});

test('a hot verification issues no query and opens no socket', async () => {
  await verifyAndCount();
  for (let turn = 0; turn < 200; turn += 1)
    expect(await verifyAndCount()).toEqual({ queries: 0, sockets: 0 });
});

test('with plenty of credits a hot verification issues no query and opens no socket: a lease pays for it', async () => {
  const { leases } = parts.sharing;
  const verify = async (): Promise<Caused> =>
    await callAndCount('keys.verifyKey', { key: keyWithCredits }, { valid: true, code: 'VALID' });
  await verify();
  // The lease that the first call drew; what follows it is fetched before it is used up.
  const before = leases.leasedCredits;
  expect(before).toBeGreaterThanOrEqual(40);
  for (let turn = 0; turn < 40; turn += 1) expect(await verify()).toEqual({ queries: 0, sockets: 0 });
  expect(leases.leasedCredits).toBe(before - 40);
  expect(leases.counters).toMatchObject({ draws: 1, spentAtHome: 1, spentLocally: 40 });
  for (let turn = 0; turn < 1000; turn += 1) await verify();
  expect(leases.counters.draws).toBeLessThan(10);
  expect(leases.counters.spentLocally).toBeGreaterThan(1030);
});

test('a rate limit of a namespace that is held issues no query and opens no socket', async () => {
  const namespace = 'hot path';
  const made = await zone.task('us-east-1').call('ratelimit.createNamespace', { namespace });
  const revision = parseRevision(made.headers.get('keyhearth-revision') ?? '');
  if (revision === undefined) throw new Error('the namespace was not made');
  expect(await parts.feed.waitFor(revision, 5000)).toBe(true);
  const body = { namespace, identifier: 'user_1', limit: 1_000_000, duration: 60_000 };
  expect((await callAndCount('ratelimit.limit', body, { success: true })).queries).toBeGreaterThanOrEqual(1);
  for (let turn = 0; turn < 20; turn += 1) {
    expect(await callAndCount('ratelimit.limit', body, { success: true })).toEqual({
      queries: 0,
      sockets: 0,
    });
  }
});
