import { afterEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import { FakeSource, keyChange } from '../../test/records.ts';
import type { Change } from '../domain/change.ts';
import type { FeedPoll } from '../domain/feed.ts';
import type { Epoch } from '../domain/revision.ts';
import type { FeedListener } from '../verify/ports.ts';
import { ChangeFeed, type FeedReader } from './change-feed.ts';

const EPOCH: Epoch = { counter: 1, id: 'aaaaaaaa' };
const SILENT = { info() {}, warn() {}, error() {} };

class FakeReader implements FeedReader {
  readonly name: string;
  readonly records = new FakeSource();
  readonly history = new Set<bigint>();
  epoch = EPOCH;
  watermark = 100n;
  below = 0;
  beatAtMs = 1_000_000;
  readerClockMs = 1_000_000;
  changes: Change[] = [];
  failing = false;
  polls = 0;

  constructor(name: string) {
    this.name = name;
  }

  async poll(): Promise<FeedPoll> {
    this.polls += 1;
    if (this.failing) throw new Error(`${this.name} is gone`);
    const { epoch, watermark, below, beatAtMs, readerClockMs } = this;
    const heartbeat = {
      epoch,
      region: 'home',
      beatAtMs,
      watermark,
      changesBelowWatermark: below,
      prunedBelow: 0n,
    };
    return { heartbeat, readerClockMs, changes: [...this.changes] };
  }

  async contains(revision: { readonly xid: bigint }): Promise<boolean> {
    return this.history.has(revision.xid);
  }
}

class Recorder implements FeedListener {
  readonly seen: string[] = [];

  onChanges(changes: readonly Change[]): void {
    this.seen.push(...changes.map((change) => `change ${change.seq}`));
  }

  onEpoch(epoch: Epoch): void {
    this.seen.push(`epoch ${epoch.counter}`);
  }

  onDistrust(): void {
    this.seen.push('distrust');
  }
}

const feeds: ChangeFeed[] = [];

afterEach(async () => {
  await Promise.all(feeds.splice(0).map(async (feed) => await feed.stop()));
});

function setUp(names: readonly string[]): {
  feed: ChangeFeed;
  readers: FakeReader[];
  clock: FakeClock;
  seen: string[];
} {
  const clock = new FakeClock();
  const readers = names.map((name) => new FakeReader(name));
  const listener = new Recorder();
  const feed = new ChangeFeed({ readers, listener, clock, pollMs: 2, switchAfterMs: 500, log: SILENT });
  feeds.push(feed);
  return { feed, readers, clock, seen: listener.seen };
}

function only<T>(values: readonly T[], at = 0): T {
  const value = values[at];
  if (value === undefined) throw new Error(`there is no value ${at}`);
  return value;
}

test('rows are told once, and whoever waits for a revision is woken', async () => {
  const { feed, readers, seen } = setUp(['a']);
  await feed.start();
  const waiting = feed.waitFor({ epoch: EPOCH, xid: 105n }, 5000);
  only(readers).changes = [keyChange('aa', 105n)];
  expect(await waiting).toBe(true);
  const { polls } = only(readers);
  await expect.poll(() => only(readers).polls).toBeGreaterThan(polls + 3);
  expect(seen).toEqual(['epoch 1', 'change 105']);
});

test('a revision of an ended epoch is applied where the present history shows it, and else is not', async () => {
  const { feed, readers } = setUp(['a']);
  only(readers).epoch = { counter: 2, id: 'bbbbbbbb' };
  only(readers).history.add(7n);
  await feed.start();
  expect(await feed.waitFor({ epoch: EPOCH, xid: 7n }, 1000)).toBe(true);
  expect(await feed.waitFor({ epoch: EPOCH, xid: 8n }, 1000)).toBe(false);
});

test('staleness is the reader’s clock less the heartbeat’s time, goes on with the monotonic clock, and is never negative', async () => {
  const { feed, readers, clock } = setUp(['a']);
  expect(feed.stalenessMs()).toBe(Number.POSITIVE_INFINITY);
  only(readers).readerClockMs = 1_000_400;
  await feed.start();
  expect(feed.stalenessMs()).toBe(400);
  only(readers).failing = true;
  clock.advance(300);
  await expect.poll(() => feed.counters.failedPolls).toBeGreaterThan(0);
  expect(feed.stalenessMs()).toBe(700);
  only(readers).failing = false;
  only(readers).readerClockMs = 999_000;
  await expect.poll(() => feed.stalenessMs()).toBe(0);
});

test('when the reader is lost, feed and refills move together to another one that shows all that was applied', async () => {
  const { feed, readers, clock, seen } = setUp(['a', 'behind', 'b']);
  const [a, behind, b] = [only(readers), only(readers, 1), only(readers, 2)];
  a.changes = [];
  await feed.start();
  const row = keyChange('aa', 105n);
  a.changes = [row];
  await expect.poll(() => seen).toContain('change 105');
  b.changes = [row, keyChange('bb', 106n)];
  a.failing = true;
  clock.advance(600);
  await expect.poll(() => feed.reader).toBe(b);
  expect(seen).toEqual(['epoch 1', 'change 105', 'change 106']);
  expect(behind.polls).toBeGreaterThan(0);
  expect(feed.counters.readerSwitches).toBe(1);
});

test('it stays where it is while no other reader is far enough', async () => {
  const { feed, readers, clock, seen } = setUp(['a', 'behind']);
  const a = only(readers);
  await feed.start();
  a.changes = [keyChange('aa', 105n)];
  await expect.poll(() => seen).toContain('change 105');
  a.failing = true;
  clock.advance(600);
  await expect.poll(() => only(readers, 1).polls).toBeGreaterThan(0);
  expect(feed.reader).toBe(a);
  only(readers, 1).changes = [...a.changes];
  await expect.poll(() => feed.reader, { timeout: 5000 }).toBe(only(readers, 1));
});

test('the present reader is left alone while it shows less than was applied, and for good where another one shows all', async () => {
  const { feed, readers, clock, seen } = setUp(['a', 'b']);
  const [a, b] = [only(readers), only(readers, 1)];
  await feed.start();
  const row = keyChange('aa', 105n);
  a.changes = [row];
  await expect.poll(() => seen).toContain('change 105');
  expect(feed.mark).toEqual({ epoch: EPOCH, watermark: 100n, met: 1 });
  // It crashed and began again before that row: what it answers is older than what was applied.
  a.changes = [];
  await expect.poll(() => feed.answering).toBe(false);
  a.changes = [row];
  await expect.poll(() => feed.answering, { timeout: 5000 }).toBe(true);
  expect(seen).toEqual(['epoch 1', 'change 105']);
  a.changes = [];
  b.changes = [row];
  clock.advance(600);
  await expect.poll(() => feed.reader, { timeout: 5000 }).toBe(b);
});

test('another epoch is told, an older one is not followed', async () => {
  const { feed, readers, seen } = setUp(['a']);
  const a = only(readers);
  await feed.start();
  a.epoch = { counter: 2, id: 'bbbbbbbb' };
  await expect.poll(() => seen).toEqual(['epoch 1', 'epoch 2']);
  a.epoch = EPOCH;
  const { polls } = a;
  await expect.poll(() => a.polls).toBeGreaterThan(polls + 1);
  expect(feed.epoch).toEqual({ counter: 2, id: 'bbbbbbbb' });
  expect(seen).toEqual(['epoch 1', 'epoch 2']);
});

test('a count that doesn’t fit is told as distrust and counted', async () => {
  const { feed, readers, seen } = setUp(['a']);
  await feed.start();
  only(readers).watermark = 110n;
  only(readers).below = 1;
  await expect.poll(() => seen).toEqual(['epoch 1', 'distrust']);
  expect(feed.counters.distrusts).toBe(1);
});

test('stopping ends the loop and whoever waits', async () => {
  const { feed } = setUp(['a']);
  await feed.start();
  const waiting = feed.waitFor({ epoch: EPOCH, xid: 999n }, 60_000);
  await feed.stop();
  expect(await waiting).toBe(false);
});
