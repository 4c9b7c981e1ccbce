import { expect, test } from 'vitest';
import { OutstandingView } from './credit-ledger-outstanding.ts';

const NOTHING = { leases: 0, leased: 0, lost: 0 };

/** A view whose reads end when the test says so. */
class Side {
  isHome = true;
  nowMs = 0;
  readonly reads: PromiseWithResolvers<number>[] = [];
  readonly view = new OutstandingView({
    read: async () => {
      const read = Promise.withResolvers<number>();
      this.reads.push(read);
      return { leases: await read.promise, leased: 0, lost: 0 };
    },
    isHome: () => this.isHome,
    monotonicMs: () => this.nowMs,
  });

  get leases(): number {
    return this.view.current.leases;
  }
}

test('what is out is read in the background, rarely, and one read at a time', async () => {
  const side = new Side();
  expect(side.view.current).toEqual(NOTHING);
  expect(side.leases).toBe(0);
  side.nowMs = 60_000;
  expect(side.leases).toBe(0);
  expect(side.reads).toHaveLength(1);
  side.reads[0]?.resolve(3);
  await expect.poll(() => side.leases).toBe(3);
  expect(side.reads).toHaveLength(2);
  side.reads[1]?.resolve(4);
  await expect.poll(() => side.leases).toBe(4);
  side.nowMs += 14_999;
  expect(side.leases).toBe(4);
  expect(side.reads).toHaveLength(2);
});

test('a read that fails keeps what is known, and is made again later', async () => {
  const side = new Side();
  expect(side.leases).toBe(0);
  side.reads[0]?.resolve(3);
  await expect.poll(() => side.leases).toBe(3);
  side.nowMs = 15_000;
  expect(side.leases).toBe(3);
  side.reads[1]?.reject(new Error('away'));
  await expect
    .poll(() => {
      side.nowMs += 15_000;
      return [side.leases, side.reads.length];
    })
    .toEqual([3, 3]);
});

test('away from home nothing is out, and nothing is read', () => {
  const side = new Side();
  side.isHome = false;
  expect(side.view.current).toEqual(NOTHING);
  expect(side.reads).toEqual([]);
});
