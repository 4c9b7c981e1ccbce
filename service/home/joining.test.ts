import { expect, test } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import type { Revision } from '../domain/revision.ts';
import { joinZone } from './joining.ts';

const FLOOR: Revision = { epoch: { counter: 1, id: 'aaaaaaaa' }, xid: 50n };
const log = { info() {}, warn() {}, error() {} };

/** Each pause lasts 100 ms; the feed's watermark rises by 10 with each. */
async function join(change: {
  readonly counted: boolean;
  /** Home answers from this try on. */
  readonly answersAt?: number;
  readonly watermark?: number;
  readonly abortedAfterMs?: number;
}) {
  const clock = new FakeClock();
  const startMs = clock.monotonicMs();
  let tries = 0;
  let watermark = change.watermark ?? 0;
  await joinZone({
    register: () => {
      tries += 1;
      if (tries >= (change.answersAt ?? 1)) return Promise.resolve(FLOOR);
      return tries % 2 === 0 ? Promise.resolve(null) : Promise.reject(new Error('no way there'));
    },
    counted: change.counted,
    hasReached: (floor) => watermark >= Number(floor.xid),
    monotonicMs: () => clock.monotonicMs(),
    pause: () => {
      clock.advance(100);
      watermark += 10;
      return Promise.resolve();
    },
    aborted: () => clock.monotonicMs() - startMs >= (change.abortedAfterMs ?? Number.POSITIVE_INFINITY),
    log,
  });
  return { tries, watermark, tookMs: clock.monotonicMs() - startMs };
}

test.each([true, false])('it serves once its feed shows what came before (counted: %s)', async (counted) => {
  expect(await join({ counted })).toEqual({ tries: 1, watermark: 50, tookMs: 500 });
  expect(await join({ counted, watermark: 80 })).toEqual({ tries: 1, watermark: 80, tookMs: 0 });
});

test('a region that home does not count waits for home as long as it takes, and then for its feed', async () => {
  expect(await join({ counted: false, answersAt: 1000, watermark: -100_000 })).toEqual({
    tries: 1000,
    watermark: 50,
    tookMs: 1_000_500,
  });
});

test('a task of a region that home counts tries once, and serves without home', async () => {
  expect(await join({ counted: true, answersAt: 2 })).toMatchObject({ tries: 1, tookMs: 0 });
});

test('a task of a region that home counts is not held up for long by a feed that stands still', async () => {
  expect(await join({ counted: true, watermark: -100_000 })).toMatchObject({ tries: 1, tookMs: 5000 });
});

test('a stop ends it, whatever it waits for', async () => {
  const stopped = { counted: false, abortedAfterMs: 700 };
  expect(await join({ ...stopped, answersAt: 1000 })).toMatchObject({ tookMs: 700 });
  expect(await join({ ...stopped, watermark: -100_000 })).toMatchObject({ tries: 1, tookMs: 700 });
});
