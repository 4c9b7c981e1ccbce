import { expect, test } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import { joinZone, showsFloor, whatIsMissing } from './joining.ts';
import type { JoinFloor } from './types.ts';

const FLOOR: JoinFloor = { epoch: { counter: 1, id: 'aaaaaaaa' }, xid: 50n };
const LATER: JoinFloor = { epoch: { counter: 2, id: 'bbbbbbbb' }, xid: 60n };
const log = { info() {}, warn() {}, error() {} };

/** Each pause lasts 100 ms; the feed's watermark rises by 10 with each. Times are ms since the start. */
async function join(change: {
  /** The region is shown as counted from then on. @default never */
  readonly countedAt?: number;
  /** When home answers. @default always */
  readonly answers?: (ms: number) => boolean;
  /** When another home has taken over, whose epoch the feed shows at once. @default never */
  readonly takenOverAt?: number;
  /** It moves to another home's history until then. @default it doesn't */
  readonly movesUntil?: number;
  readonly watermark?: number;
  readonly abortedAt?: number;
}) {
  const { countedAt = Infinity, answers = () => true, takenOverAt = Infinity, abortedAt = Infinity } = change;
  const clock = new FakeClock();
  const startMs = clock.monotonicMs();
  const ms = () => clock.monotonicMs() - startMs;
  const present = () => (ms() >= takenOverAt ? LATER : FLOOR);
  let tries = 0;
  let watermark = change.watermark ?? 0;
  const outcome = await joinZone({
    register: () => {
      tries += 1;
      if (answers(ms())) return Promise.resolve(present());
      return tries % 2 === 0 ? Promise.resolve(null) : Promise.reject(new Error('no way there'));
    },
    isCounted: () => Promise.resolve(ms() >= countedAt),
    isMoving: () => ms() < (change.movesUntil ?? 0),
    hasReached: ({ epoch, xid }) => epoch.id === present().epoch.id && watermark >= Number(xid),
    monotonicMs: () => clock.monotonicMs(),
    pause: () => {
      clock.advance(100);
      watermark += 10;
      return Promise.resolve();
    },
    aborted: () => ms() >= abortedAt,
    log,
  });
  return { outcome, tries, tookMs: ms() };
}

const STUCK = -10_000_000;

test.each([0, Infinity])(
  'it serves once its feed shows what came before (counted at: %s)',
  async (countedAt) => {
    expect(await join({ countedAt })).toEqual({ outcome: 'floor', tries: 1, tookMs: 500 });
    expect(await join({ countedAt, watermark: 80 })).toEqual({ outcome: 'floor', tries: 1, tookMs: 0 });
  },
);

test('a region that home does not count waits for home as long as it takes, and then for its feed', async () => {
  expect(await join({ answers: (ms) => ms >= 1_000_000, watermark: -100_000 })).toMatchObject({
    outcome: 'floor',
    tookMs: 1_000_500,
  });
});

test('a report that was lost is sent again, also where home counts the region', async () => {
  const joined = await join({ countedAt: 0, answers: (ms) => ms >= 300 });
  expect(joined).toEqual({ outcome: 'floor', tries: 4, tookMs: 500 });
});

test('a task of a region that home counts serves without home after 5 s', async () => {
  const joined = await join({ countedAt: 0, answers: () => false });
  expect(joined).toMatchObject({ outcome: 'counted', tookMs: 5000 });
});

test('as long as home answers, also a task of a region that home counts waits for its feed', async () => {
  const joined = await join({ countedAt: 0, watermark: STUCK, abortedAt: 600_000 });
  expect(joined).toEqual({ outcome: 'aborted', tries: 300, tookMs: 600_000 });
});

test('a home that goes silent while the feed is waited for does not hold up a region that it counts by then', async () => {
  const silent = { answers: (ms: number) => ms < 3000, watermark: STUCK };
  // The last answer came at 2 s.
  expect(await join({ ...silent, countedAt: 0 })).toMatchObject({ outcome: 'counted', tookMs: 7000 });
  expect(await join({ ...silent, countedAt: 60_000 })).toMatchObject({ outcome: 'counted', tookMs: 60_000 });
});

test('what a former home said is not enough: the next one is told, too, and its floor is the one that counts', async () => {
  const joined = await join({ takenOverAt: 400 });
  expect(joined).toEqual({ outcome: 'floor', tries: 2, tookMs: 2000 });
});

test('while it has no position yet, home is not taken for gone, and what it shows is not taken for enough', async () => {
  const moving = { countedAt: 0, movesUntil: 30_000 };
  const joined = await join({ ...moving, answers: (ms) => ms > 30_000 });
  expect(joined).toMatchObject({ outcome: 'floor', tookMs: 30_100 });
  expect(await join(moving)).toMatchObject({ outcome: 'floor', tookMs: 30_000 });
});

test('what it waits for is said, with the reason why there is no home', () => {
  const home = {
    at: 'unknown',
    reason: 'the zone’s first epoch is started by its origin, eu-west-1',
  } as const;
  expect(whatIsMissing(false, home)).toContain(home.reason);
  const elsewhere = { at: 'elsewhere', region: 'eu-west-1', epoch: FLOOR.epoch } as const;
  expect(whatIsMissing(false, elsewhere)).toMatch(/^home does not know yet[^;]*$/);
  expect(whatIsMissing(true, home)).toMatch(/^home knows of this task/);
});

test('a stop ends it, whatever it waits for', async () => {
  expect(await join({ answers: () => false, abortedAt: 700 })).toMatchObject({
    outcome: 'aborted',
    tookMs: 700,
  });
  expect(await join({ watermark: STUCK, abortedAt: 700 })).toMatchObject({ outcome: 'aborted', tries: 1 });
});

test('the floor is reached by the watermark, or by a heartbeat that came later, and in its own epoch alone', () => {
  const shown = (change: { epoch?: JoinFloor['epoch']; watermark?: bigint; beatAtMs?: number }) => {
    const { epoch = FLOOR.epoch, watermark = 49n, beatAtMs = 1000 } = change;
    const heartbeat = {
      epoch,
      region: 'us-east-1',
      beatAtMs,
      watermark,
      changesBelowWatermark: 0n,
      prunedBelow: 0n,
    } as const;
    return { epoch, watermark, heartbeat } as unknown as Parameters<typeof showsFloor>[0];
  };
  const floor = { ...FLOOR, atMs: 1000 };
  expect(showsFloor(shown({}), floor)).toBe(false);
  expect(showsFloor(shown({ watermark: 50n }), floor)).toBe(true);
  expect(showsFloor(shown({ beatAtMs: 1000.5 }), floor)).toBe(true);
  expect(showsFloor(shown({ beatAtMs: 1000.5 }), FLOOR)).toBe(false);
  expect(showsFloor(shown({ epoch: LATER.epoch, watermark: 70n, beatAtMs: 9000 }), floor)).toBe(false);
  expect(showsFloor({ epoch: null, watermark: null, heartbeat: null }, floor)).toBe(false);
});
