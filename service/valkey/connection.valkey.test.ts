import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startCuttableLink } from '../../test/cuttable-link.ts';
import { FakeClock } from '../../test/fake-clock.ts';
import { accessTo, startConnection } from '../../test/valkey-client.ts';
import { hasValkey, NEEDS_VALKEY, startTestValkey, type TestValkey } from '../../test/valkey.ts';
import { CounterUnreachable, type OthersCount, type WindowCount } from '../verify/ports.ts';
import type { ValkeyConnection } from './connection.ts';
import { slotOf } from './key-slot.ts';
import { ValkeyCounters } from './shared-counters.ts';

const HOUR_MS = 3_600_000;
const WHOLE = { nodes: 3, nodesUp: 3 };
const NOTHING = { units: 0, unitsBefore: 0 };
/** Renewal comes after 6 hours at the latest. */
const RENEWED_MS = 6 * HOUR_MS;

let made = 0;
/** Names of which each node has a third. */
function newNames(): readonly (readonly [string, string, string])[] {
  made += 1;
  const names: [string[], string[], string[]] = [[], [], []];
  for (let index = 0; names.some((each) => each.length < 10); index += 1) {
    const name = `${made}.${index}`;
    names[Math.floor((slotOf(name) * 3) / 16_384)]?.push(name);
  }
  return Array.from({ length: 10 }, (_, index) => [
    names[0][index] ?? '',
    names[1][index] ?? '',
    names[2][index] ?? '',
  ]);
}

function countsOf(names: readonly (readonly string[])[], units: number): readonly WindowCount[] {
  return names.flat().map((key) => ({
    key,
    startMs: 500_000 * HOUR_MS,
    durationMs: HOUR_MS,
    units,
    unitsBefore: 0,
  }));
}

/** How many of each node's counts were answered. */
function answeredByNode(answers: readonly (OthersCount | null)[]): readonly number[] {
  return [0, 1, 2].map(
    (node) => answers.filter((answer, index) => answer !== null && index % 3 === node).length,
  );
}

async function timed<T>(work: Promise<T>): Promise<{ readonly result: T; readonly tookMs: number }> {
  const startedMs = performance.now();
  const result = await work;
  return { result, tookMs: performance.now() - startedMs };
}

describe.skipIf(!hasValkey)(`a connection to Valkey ${NEEDS_VALKEY}`, () => {
  let valkey: TestValkey;
  beforeAll(async () => {
    valkey = await startTestValkey({ nodes: 3, tls: true });
  });
  afterAll(async () => await valkey?.stop());
  afterEach(async () => await valkey.waitUntilWhole());

  const connected = async (): Promise<ValkeyConnection> => {
    const { connection } = startConnection(accessTo(valkey));
    await expect.poll(() => connection.state).toEqual(WHOLE);
    return connection;
  };

  test('before it is connected every command fails at once, and none is kept for later', async () => {
    const { connection } = startConnection(accessTo(valkey));
    const early = new ValkeyCounters({ connection, exchangeTimeoutMs: 60_000 });
    const names = newNames();
    const answers = await early.exchange(countsOf(names, 1));
    expect(answers.every((answer) => answer === null)).toBe(true);
    expect(connection.state).toEqual({ nodes: 0, nodesUp: 0 });
    await expect.poll(() => connection.state).toEqual(WHOLE);
    expect(await new ValkeyCounters({ connection }).exchange(countsOf(names, 0))).toEqual(
      countsOf(names, 0).map(() => NOTHING),
    );
  });

  test('while one node hangs what it has fails within its time, and the others answer; then all do, on the same connections', async () => {
    const connection = await connected();
    const counters = new ValkeyCounters({ connection, exchangeTimeoutMs: 300 });
    const names = newNames();
    const [, hanging] = valkey.nodes;
    hanging?.pause();
    try {
      const { result, tookMs } = await timed(counters.exchange(countsOf(names, 1)));
      expect(answeredByNode(result)).toEqual([10, 0, 10]);
      expect(tookMs).toBeLessThan(600);
      const reservation = { key: names[0]?.[1] ?? '', cost: 1, limit: 10, durationMs: HOUR_MS };
      const reserved = counters.reserve(reservation);
      hanging?.resume();
      // What was done late is heard of.
      expect(await reserved).toMatchObject({ taken: true, used: 1 });
    } finally {
      hanging?.resume();
    }
    await expect.poll(() => counters.exchange(countsOf(names, 1))).not.toContain(null);
  });

  test('a node that hangs for long is given up: then its counts fail at once, until it is back', async () => {
    const connection = await connected();
    const counters = new ValkeyCounters({ connection });
    const names = newNames();
    const [, hanging] = valkey.nodes;
    hanging?.pause();
    try {
      await expect.poll(() => connection.state).toEqual({ nodes: 3, nodesUp: 2 });
      const { result, tookMs } = await timed(counters.exchange(countsOf(names, 1)));
      expect(answeredByNode(result)).toEqual([10, 0, 10]);
      expect(tookMs).toBeLessThan(500);
      const [there, gone] = [names[0]?.[0] ?? '', names[0]?.[1] ?? ''].map((key) => ({
        key,
        cost: 1,
        limit: 10,
        durationMs: HOUR_MS,
      }));
      if (there === undefined || gone === undefined) throw new Error('there are two');
      await expect(counters.reserve(gone)).rejects.toThrow(CounterUnreachable);
      expect(await counters.reserve(there)).toMatchObject({ taken: true });
      expect(counters.partOf(there.key)).not.toBe(counters.partOf(gone.key));
    } finally {
      hanging?.resume();
    }
    await expect.poll(() => connection.state).toEqual(WHOLE);
    expect(await counters.exchange(countsOf(names, 1))).not.toContain(null);
  });

  test('a node that comes back empty is filled again by what is told', async () => {
    const connection = await connected();
    const [one, two] = [new ValkeyCounters({ connection }), new ValkeyCounters({ connection })];
    const names = newNames();
    await one.exchange(countsOf(names, 5));
    const lost = valkey.nodes[2];
    await lost?.kill();
    expect(answeredByNode(await one.exchange(countsOf(names, 6)))).toEqual([10, 10, 0]);
    await lost?.restart();
    await valkey.waitUntilWhole();
    await expect.poll(() => connection.state).toEqual(WHOLE);
    await one.exchange(countsOf(names, 7));
    expect(await two.exchange(countsOf(names, 0))).toEqual(
      countsOf(names, 0).map(() => ({ units: 7, unitsBefore: 0 })),
    );
  });

  test('where the address that was given is gone, the cluster is found again by the nodes that are left', async () => {
    const link = await startCuttableLink(() => `http://127.0.0.1:${valkey.nodes[0]?.port}`);
    onTestFinished(async () => await link.stop());
    const url = new URL(valkey.url);
    url.port = new URL(link.url).port;
    const { connection } = startConnection(accessTo(valkey, { valkey: url.href }));
    await expect.poll(() => connection.state).toEqual(WHOLE);
    link.cut();
    const lost = valkey.nodes[1];
    await lost?.kill();
    await expect.poll(() => connection.state).toEqual({ nodes: 3, nodesUp: 2 });
    await lost?.restart();
    await valkey.waitUntilWhole();
    await expect.poll(() => connection.state).toEqual(WHOLE);
    expect(await new ValkeyCounters({ connection }).exchange(countsOf(newNames(), 1))).not.toContain(null);
  });

  test('Valkey may be gone when the task starts, and come at any time', async () => {
    await Promise.all(valkey.nodes.map((node) => node.kill()));
    const { connection, logged } = startConnection(accessTo(valkey));
    await expect.poll(() => logged).toHaveLength(1);
    expect(logged[0]).toMatch(/^warn .*ECONNREFUSED.* counts rate limits by itself/);
    await Promise.all(valkey.nodes.map((node) => node.restart()));
    await expect.poll(() => connection.state).toEqual(WHOLE);
    expect(logged.at(-1)).toBe('info {"nodes":3} connected to Valkey');
    expect(logged).toHaveLength(2);
  });

  test('a slot that moves to another node is followed', async () => {
    const connection = await connected();
    const [one, two] = [new ValkeyCounters({ connection }), new ValkeyCounters({ connection })];
    const names = newNames();
    const moved = names[0]?.[0] ?? '';
    const [from, to] = valkey.nodes;
    if (from === undefined || to === undefined) throw new Error('a cluster of three has two');
    await one.exchange(countsOf(names, 5));
    await valkey.moveSlot(slotOf(moved), from, to);
    try {
      const answers = await two.exchange(countsOf(names, 0));
      expect(answers).toEqual(answers.map(() => ({ units: 5, unitsBefore: 0 })));
    } finally {
      await valkey.moveSlot(slotOf(moved), to, from);
    }
    expect(await two.exchange(countsOf(names, 0))).not.toContain(null);
  });

  test('a wrong password is logged as such, once, without itself', async () => {
    const url = new URL(valkey.url);
    url.password = 'hidden';
    const { connection, logged } = startConnection(accessTo(valkey, { valkey: url.href }));
    await expect.poll(() => logged).toHaveLength(1);
    expect(logged[0]).toMatch(/WRONGPASS/);
    // Long enough for some more tries.
    await expect.poll(() => connection.tries).toBeGreaterThan(3);
    expect(logged).toHaveLength(1);
    expect(logged.join()).not.toContain('hidden');
    expect(logged.join()).not.toContain(valkey.password);
    expect(connection.state.nodesUp).toBe(0);
  });

  test('a server whose certificate is of another authority is refused', async () => {
    const { cert } = await generate([{ name: 'commonName', value: 'localhost' }]);
    const other = join(valkey.caFile, '..', 'other.pem');
    writeFileSync(other, cert);
    for (const valkeyTlsCa of [other, '']) {
      const { connection, logged } = startConnection(accessTo(valkey, { valkeyTlsCa }));
      await expect.poll(() => logged).toHaveLength(1);
      expect(logged[0]).toMatch(/self-signed certificate|unable to verify/);
      expect(connection.state.nodesUp).toBe(0);
    }
  });

  test('tokens are signed anew for each connection, and connections are replaced long before theirs ends, without a gap', async () => {
    const clock = new FakeClock();
    const url = new URL(valkey.url);
    const settings = { valkey: `rediss://${url.host}`, valkeyAuth: 'iam' as const, valkeyCache: 'cache' };
    const signed: number[] = [];
    const sign = async (): Promise<string> => {
      signed.push(clock.monotonicMs());
      return valkey.password;
    };
    const access = accessTo(valkey, { ...settings, valkeyUser: url.username }, sign);
    const { connection } = startConnection(access, { clock });
    await expect.poll(() => connection.state).toEqual(WHOLE);
    const counters = new ValkeyCounters({ connection });
    const names = newNames();

    for (let round = 0; round < 3; round += 1) {
      const before = signed.length;
      clock.advance(RENEWED_MS);
      while (signed.filter((atMs) => atMs === clock.monotonicMs()).length < 3) {
        expect(await counters.exchange(countsOf(names, 1))).not.toContain(null);
      }
      // One to find the nodes, one for each of them.
      await expect.poll(() => signed.length).toBe(before + 4);
      expect(await counters.exchange(countsOf(names, 1))).not.toContain(null);
    }
    expect(connection.state).toEqual(WHOLE);
  });

  test('closing takes no longer where a node hangs, and what is under way fails', async () => {
    const connection = await connected();
    const names = newNames();
    valkey.nodes[0]?.pause();
    try {
      const asked = new ValkeyCounters({ connection }).exchange(countsOf(names, 1));
      const { tookMs } = await timed(connection.close());
      expect(tookMs).toBeLessThan(1500);
      expect(answeredByNode(await asked)[0]).toBe(0);
      expect(connection.state).toEqual({ nodes: 0, nodesUp: 0 });
    } finally {
      valkey.nodes[0]?.resume();
    }
  });
});

test('the slot of a key is what a server calls it', () => {
  expect(slotOf('123456789')).toBe(0x31_c3 % 16_384);
});
