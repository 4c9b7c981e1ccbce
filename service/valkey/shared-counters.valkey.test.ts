import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessTo } from '../../test/valkey-client.ts';
import { hasValkey, NEEDS_VALKEY, startTestValkey, type TestValkey } from '../../test/valkey.ts';
import type { WindowCount } from '../verify/ports.ts';
import { ValkeyCluster } from './cluster.ts';
import { EXCHANGE } from './scripts.ts';
import { type CommandSender, ValkeyCounters } from './shared-counters.ts';

const HOUR_MS = 3_600_000;
/** So long that no test sees its end. */
const LONG_MS = 2 ** 42;
const START_MS = 500_000 * HOUR_MS;

let made = 0;
/** A name as the limits make it, of a counter that no other test has. */
function newName(): string {
  made += 1;
  return Buffer.from(`counter ${String(made).padStart(8, '0')}`)
    .toString('base64url')
    .slice(0, 22);
}

function countOf(key: string, units: number, unitsBefore = 0): WindowCount {
  return { key, startMs: START_MS, durationMs: HOUR_MS, units, unitsBefore };
}

describe.skipIf(!hasValkey)(`the counters of a region ${NEEDS_VALKEY}`, () => {
  let valkey: TestValkey;
  let connection: ValkeyCluster;

  beforeAll(async () => {
    valkey = await startTestValkey({ nodes: 3, tls: true });
    connection = new ValkeyCluster(accessTo(valkey), () => {});
    await connection.connect();
  });
  afterAll(async () => {
    connection?.destroy();
    await valkey?.stop();
  });

  const newProcess = (sender: CommandSender = connection): ValkeyCounters =>
    new ValkeyCounters({ connection: sender, exchangeTimeoutMs: 10_000 });

  test('a process learns the sums of what the others took, in both windows, and not what it took itself', async () => {
    const [one, two, three] = [newProcess(), newProcess(), newProcess()];
    const key = newName();
    expect(await one.exchange([countOf(key, 5, 3)])).toEqual([{ units: 0, unitsBefore: 0 }]);
    expect(await two.exchange([countOf(key, 7)])).toEqual([{ units: 5, unitsBefore: 3 }]);
    expect(await three.exchange([countOf(key, 0, 11)])).toEqual([{ units: 12, unitsBefore: 3 }]);
    expect(await one.exchange([countOf(key, 6, 3)])).toEqual([{ units: 7, unitsBefore: 11 }]);
  });

  test('the window before is what was told while it was the present one', async () => {
    const [one, two] = [newProcess(), newProcess()];
    const key = newName();
    await one.exchange([countOf(key, 5)]);
    const next = { ...countOf(key, 1), startMs: START_MS + HOUR_MS };
    expect(await two.exchange([next])).toEqual([{ units: 0, unitsBefore: 5 }]);
  });

  test('a count may fall again, where units were given back', async () => {
    const [one, two] = [newProcess(), newProcess()];
    const key = newName();
    await one.exchange([countOf(key, 5)]);
    await one.exchange([countOf(key, 0)]);
    expect(await two.exchange([countOf(key, 0)])).toEqual([{ units: 0, unitsBefore: 0 }]);
  });

  test('whatever comes twice, late or in another order, what was told last is what counts', async () => {
    const tellings = fc
      .array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 8 })
      .chain((units) => fc.tuple(fc.constant(units), deliveriesOf(units.length)));
    await fc.assert(
      fc.asyncProperty(tellings, async ([units, deliveries]) => {
        const { sender, sent } = recorder();
        const teller = newProcess(sender);
        const key = newName();
        for (const each of units) void teller.exchange([countOf(key, each)]);
        for (const index of deliveries) await connection.send(...(sent[index] ?? failed()));
        const [learnt] = await newProcess().exchange([countOf(key, 0)]);
        expect(learnt?.units).toBe(units.at(-1));
      }),
      { numRuns: 60 },
    );
  });

  test('what a process took that is gone still counts, beside what its successor takes', async () => {
    const key = newName();
    await newProcess().exchange([countOf(key, 40)]);
    await newProcess().exchange([countOf(key, 2)]);
    expect(await newProcess().exchange([countOf(key, 0)])).toEqual([{ units: 42, unitsBefore: 0 }]);
  });

  test('what many processes told is summed up, and told again by any of them changes it by the difference', async () => {
    const key = newName();
    const processes = Array.from({ length: 50 }, () => newProcess());
    for (const [index, process] of processes.entries()) await process.exchange([countOf(key, index, 1)]);
    const sum = (50 * 49) / 2;
    expect(await newProcess().exchange([countOf(key, 0)])).toEqual([{ units: sum, unitsBefore: 50 }]);
    const learnt = await processes[10]?.exchange([countOf(key, 3)]);
    expect(learnt).toEqual([{ units: sum - 10, unitsBefore: 49 }]);
    expect(await newProcess().exchange([countOf(key, 0)])).toEqual([{ units: sum - 7, unitsBefore: 49 }]);
  });

  test('large counts stay exact', async () => {
    const key = newName();
    const [one, two, three] = [newProcess(), newProcess(), newProcess()];
    await one.exchange([countOf(key, 1e12, 999_999_999_999)]);
    await two.exchange([countOf(key, 999_999_999_999, 1e12)]);
    const sum = 1_999_999_999_999;
    expect(await three.exchange([countOf(key, 0)])).toEqual([{ units: sum, unitsBefore: sum }]);
  });

  test('a thousand counts are sent at once, over all nodes, and answered in their order', async () => {
    const { sender, sent } = recorder();
    void newProcess(sender).exchange(Array.from({ length: 1000 }, () => countOf(newName(), 1)));
    expect(sent).toHaveLength(1000);

    const counts = Array.from({ length: 1000 }, (_, index) => countOf(newName(), index, 2 * index));
    await newProcess().exchange(counts);
    const learnt = await newProcess().exchange(
      counts.map((count) => ({ ...count, units: 0, unitsBefore: 0 })),
    );
    expect(learnt).toEqual(counts.map(({ units, unitsBefore }) => ({ units, unitsBefore })));
    for (const node of valkey.nodes) expect(Number(await node.command('DBSIZE'))).toBeGreaterThan(300);
  });

  test('a count that fails leaves the others their answers', async () => {
    const broken = newName();
    const counts = [countOf(newName(), 1), countOf(broken, 1), countOf(newName(), 1)];
    const process = newProcess({
      send: (tag, key, args) =>
        tag === broken ? Promise.reject(new Error('broken')) : connection.send(tag, key, args),
    });
    const nothing = { units: 0, unitsBefore: 0 };
    expect(await process.exchange(counts)).toEqual([nothing, null, nothing]);
  });

  test('a server that forgot the scripts is told them again', async () => {
    const process = newProcess();
    const key = newName();
    for (const node of valkey.nodes) await node.command('SCRIPT', 'FLUSH');
    expect(await process.exchange([countOf(key, 1)])).toEqual([{ units: 0, unitsBefore: 0 }]);
    for (const node of valkey.nodes) await node.command('SCRIPT', 'FLUSH');
    const reservation = { key, cost: 1, limit: 1, durationMs: LONG_MS };
    const { startMs } = await process.reserve(reservation);
    for (const node of valkey.nodes) await node.command('SCRIPT', 'FLUSH');
    await process.release(reservation, startMs);
    expect(await process.reserve(reservation)).toMatchObject({ taken: true, used: 1 });
  });

  test('of units that many processes reserve at once as many are taken as there are, each reservation whole or not at all', async () => {
    const processes = Array.from({ length: 4 }, () => newProcess());
    const reservation = { key: newName(), limit: 100, durationMs: LONG_MS };
    const costs = Array.from({ length: 200 }, (_, index) => 1 + (index % 3));
    const reserved = await Promise.all(
      costs.map((cost, index) => (processes[index % 4] ?? failed()).reserve({ ...reservation, cost })),
    );
    const taken = costs.filter((_, index) => reserved[index]?.taken).reduce((sum, cost) => sum + cost, 0);
    expect(taken).toBe(100);
    expect(Math.max(...reserved.map(({ used }) => used))).toBe(100);
  });

  test('looking takes nothing, and a limit of 0 lets not even a look through', async () => {
    const process = newProcess();
    const look = { key: newName(), cost: 0, limit: 1, durationMs: LONG_MS };
    expect(await process.reserve(look)).toMatchObject({ taken: true, used: 0 });
    expect(await process.reserve({ ...look, cost: 1 })).toMatchObject({ taken: true, used: 1 });
    expect(await process.reserve(look)).toMatchObject({ taken: true, used: 1 });
    expect(await process.reserve({ ...look, limit: 0 })).toMatchObject({ taken: false, used: 1 });
  });

  test('everything there goes by itself, and says of whom it is by a name alone', async () => {
    const process = newProcess();
    const key = newName();
    await process.exchange([countOf(key, 5, 3)]);
    await process.reserve({ key, cost: 1, limit: 5, durationMs: HOUR_MS });
    const keys = (await valkey.keys()).filter((each) => each.includes(key));
    expect(keys.toSorted()).toEqual(
      [START_MS.toString(36), (START_MS - HOUR_MS).toString(36), 'x']
        .map((end) => `kh:{${key}}:${end}`)
        .toSorted(),
    );
    for (const each of keys) {
      const aliveMs = await ttl(each);
      expect(aliveMs).toBeGreaterThan(0);
      expect(aliveMs).toBeLessThanOrEqual(2 * HOUR_MS + 2000);
    }
  });

  async function ttl(key: string): Promise<number> {
    const asked = valkey.nodes.map((node) => node.command('PTTL', key).catch(() => -2));
    return Math.max(...(await Promise.all(asked)).map(Number));
  }
});

type Sent = readonly [tag: string, key: string, args: readonly string[]];

/** A sender that sends nothing and keeps what it was given. */
function recorder(): { readonly sender: CommandSender; readonly sent: readonly Sent[] } {
  const sent: Sent[] = [];
  const sender: CommandSender = {
    send: async (...command) => {
      sent.push([command[0], command[1], ['EVAL', EXCHANGE.text, ...command[2].slice(2)]]);
      return [0, 0];
    },
  };
  return { sender, sent };
}

/** All of so many, in any order, some of them more than once. */
function deliveriesOf(count: number): fc.Arbitrary<readonly number[]> {
  const all = Array.from({ length: count }, (_, index) => index);
  return fc
    .array(fc.nat({ max: count - 1 }), { maxLength: count })
    .chain((again) => fc.shuffledSubarray([...all, ...again], { minLength: count + again.length }));
}

function failed(): never {
  throw new Error('there is no such thing');
}
