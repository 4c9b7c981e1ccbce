import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessTo } from '../../test/valkey-client.ts';
import { hasValkey, NEEDS_VALKEY, startTestValkey, type TestValkey } from '../../test/valkey.ts';
import { exceeds, SlidingWindow } from '../domain/sliding-window.ts';
import { ValkeyCluster } from './cluster.ts';
import { RELEASE, RESERVE } from './scripts.ts';

/** The script with a clock that is told to it. */
const RESERVE_AT = RESERVE.text.replace("redis.call('TIME')", '{ ARGV[5], ARGV[6] }');

interface Step {
  readonly kind: 'reserve' | 'release';
  readonly cost: number;
  readonly limit: number;
  /** Since the step before; a clock may step back. */
  readonly afterMs: number;
  /** Which of the reservations so far a release is of. */
  readonly which: number;
}

/** What changed something: looks and refusals leave no trace. */
interface Done extends Pick<Step, 'kind' | 'cost'> {
  readonly nowMs: number;
  readonly startMs: number;
}

/** Longer than the test: keys must not go by the server's own clock. */
const DURATION_MS = 600_000;

const step = (units: fc.Arbitrary<number>): fc.Arbitrary<Step> =>
  fc.record({
    kind: fc.constantFrom('reserve', 'reserve', 'reserve', 'release'),
    cost: fc.oneof(fc.constant(0), units),
    // Mostly room for several.
    limit: fc.oneof(
      fc.constant(0),
      units,
      units.map((most) => 10 * most),
    ),
    afterMs: fc.oneof(
      fc.nat({ max: DURATION_MS / 3 }),
      fc.nat({ max: DURATION_MS }),
      fc.nat({ max: 3 * DURATION_MS }),
      fc.integer({ min: -DURATION_MS, max: 0 }),
      fc.integer({ min: -4 * DURATION_MS, max: 0 }),
    ),
    which: fc.nat(),
  });

describe.skipIf(!hasValkey)(`the scripts of the shared counters ${NEEDS_VALKEY}`, () => {
  let valkey: TestValkey;
  let connection: ValkeyCluster;
  let counters = 0;

  beforeAll(async () => {
    valkey = await startTestValkey();
    connection = new ValkeyCluster(accessTo(valkey), () => {});
    await connection.connect();
  });
  afterAll(async () => {
    connection?.destroy();
    await valkey?.stop();
  });

  const run = async (text: string, key: string, args: readonly number[]): Promise<unknown> =>
    await connection.send(key, key, ['EVAL', text, '1', key, ...args.map(String)]);

  test.each([
    ['few units', fc.integer({ min: 1, max: 20 })],
    ['up to 1e12 units', fc.integer({ min: 1, max: 1e12 })],
  ])('the reservations of a counter are those of a sliding window: %s', async (_, units) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step(units), { minLength: 1, maxLength: 20 }), async (steps) => {
        counters += 1;
        const key = `kh:{${counters}}:x`;
        let nowMs = Date.UTC(2026, 0, 1, 0, 3);
        const done: Done[] = [];
        for (const { kind, cost, limit, afterMs, which } of steps) {
          nowMs += afterMs;
          if (kind === 'release') {
            const reserved = done.filter((each) => each.kind === 'reserve');
            const one = reserved[which % reserved.length];
            if (one === undefined) continue;
            await run(RELEASE.text, key, [one.cost, one.startMs, DURATION_MS]);
            done.push({ ...one, kind: 'release' });
            continue;
          }
          const window = windowAfter(done, nowMs);
          window.moveTo(nowMs);
          const used = window.usedAt(nowMs);
          const isTaken = !exceeds(used, cost, limit);
          const time = [Math.floor(nowMs / 1000), (nowMs % 1000) * 1000 + 999];
          const answer = await run(RESERVE_AT, key, [cost, limit, DURATION_MS, 2000, ...time]);
          const startMs = window.resetMs - DURATION_MS;
          expect(answer).toEqual(isTaken ? [1, used + cost, startMs] : [0, used, startMs]);
          if (isTaken && cost > 0) done.push({ kind, cost, nowMs, startMs });
        }
      }),
      { numRuns: 150 },
    );
  });

  test('a counter is kept for as long as its units can count', async () => {
    const key = 'kh:{kept}:x';
    const startMs = Date.UTC(2026, 0, 1);
    for (const intoMs of [0, 1, DURATION_MS - 1]) {
      await run(RESERVE_AT, key, [1, 100, DURATION_MS, 2000, (startMs + intoMs) / 1000, 0]);
      const aliveMs = Number(await valkey.nodes[0]?.command('PTTL', key));
      const wanted = 2 * DURATION_MS - intoMs + 2000;
      expect(aliveMs).toBeLessThanOrEqual(wanted + 1);
      expect(aliveMs).toBeGreaterThan(wanted - 1500);
    }
  });

  test('nothing is made by giving back what isn’t there', async () => {
    await run(RELEASE.text, 'kh:{nothing}:x', [5, Date.UTC(2026, 0, 1), DURATION_MS]);
    expect(await valkey.keys()).not.toContain('kh:{nothing}:x');
  });
});

function windowAfter(done: readonly Done[], nowMs: number): SlidingWindow {
  const window = new SlidingWindow(DURATION_MS, done[0]?.nowMs ?? nowMs);
  for (const each of done) {
    if (each.kind === 'release') {
      window.giveBackIn(each.startMs, each.cost);
    } else {
      window.moveTo(each.nowMs);
      window.take(each.cost);
    }
  }
  return window;
}
