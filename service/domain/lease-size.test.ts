import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLow, leaseSize, lowThreshold, nearOf } from './lease-size.ts';

const credits = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: 1_000_000 }),
  fc.maxSafeNat(),
);

test.each([
  [0, 10],
  [109, 10],
  [110, 11],
  [999, 99],
  [1_000_000, 100],
])('an account that was granted %i is near its end at %i', (granted, near) => {
  expect(nearOf(granted)).toBe(near);
});

test('a lease is at most a sixteenth of what is free, at most what was wanted, and 2 or none', () => {
  fc.assert(
    fc.property(
      credits,
      credits,
      credits,
      fc.integer({ min: 0, max: 1_000_000 }),
      (free, live, spent, wanted) => {
        const granted = free + live + spent;
        const size = leaseSize({ free, live, granted, wanted });
        expect(Number.isInteger(size)).toBe(true);
        expect(size * 16).toBeLessThanOrEqual(free);
        expect(size).toBeLessThanOrEqual(wanted);
        expect(size).not.toBe(1);
        expect(size).toBeGreaterThanOrEqual(0);
        if (free + live <= nearOf(granted)) expect(size).toBe(0);
        else if (wanted >= 2 && free >= 32) expect(size).toBeGreaterThanOrEqual(2);
      },
    ),
  );
});

test('with more that is free a lease never is smaller', () => {
  fc.assert(
    fc.property(
      credits.filter((free) => free < 1e15),
      fc.integer({ min: 0, max: 1000 }),
      credits,
      fc.integer({ min: 0, max: 1_000_000 }),
      (free, more, granted, wanted) => {
        const ask = { live: 0, granted, wanted };
        expect(leaseSize({ ...ask, free: free + more })).toBeGreaterThanOrEqual(leaseSize({ ...ask, free }));
      },
    ),
  );
});

test('leases granted one after the other leave at least what is near the end to be had one by one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5000 }), (granted) => {
      let free = granted;
      let live = 0;
      for (;;) {
        const size = leaseSize({ free, live, granted, wanted: 1_000_000 });
        if (size === 0) break;
        free -= size;
        live += size;
      }
      expect(free).toBeGreaterThanOrEqual(Math.min(granted, nearOf(granted), 10));
    }),
  );
});

test.each([
  [9, 100, true],
  [10, 100, false],
  [10, 101, true],
  [11, 101, false],
  [0, 1, true],
  [0, 0, false],
])('%i credits left of %i are few: %s', (unspent, granted, expected) => {
  expect(isLow({ unspent, granted })).toBe(expected);
  expect(unspent < lowThreshold(granted)).toBe(expected);
});
