import fc from 'fast-check';
import { expect, test } from 'vitest';

import { DelayLine } from './delay-line.ts';
import type { LineClock } from './delay-line.ts';

/** Time that only moves when told to, and then calls back in order. */
class FakeClock implements LineClock {
  #nowMs = 0;
  readonly #timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get pending(): number {
    return this.#timers.size;
  }

  advanceTo(ms: number): void {
    for (;;) {
      const [next] = [...this.#timers].filter(({ atMs }) => atMs <= ms).toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = next.atMs;
      next.callback();
    }
    this.#nowMs = ms;
  }
}

function lineWith({
  delayMs = 50,
  openAtMs = 0,
  takes = () => true,
}: {
  delayMs?: number;
  openAtMs?: number;
  takes?: () => boolean;
}): {
  clock: FakeClock;
  line: DelayLine;
  out: string[];
  counts: { space: number };
} {
  const clock = new FakeClock();
  const out: string[] = [];
  const counts = { space: 0 };
  const line = new DelayLine({
    delayMs,
    openAtMs,
    clock,
    sink: {
      write: (chunk) => {
        out.push(`${clock.nowMs()}:${Buffer.from(chunk).toString()}`);
        return takes();
      },
      end: () => void out.push(`${clock.nowMs()}:end`),
    },
    onSpace: () => void counts.space++,
  });
  return { clock, line, out, counts };
}

test('each chunk comes out its delay after it was pushed, the end behind them', () => {
  const { clock, line, out } = lineWith({});
  line.push(Buffer.from('a'));
  clock.advanceTo(10);
  line.push(Buffer.from('b'));
  line.end();
  clock.advanceTo(49);
  expect(out).toEqual([]);
  clock.advanceTo(100);
  expect(out).toEqual(['50:a', '60:b', '60:end']);
});

test('what is pushed before the connection is open counts from when it opens', () => {
  const { clock, line, out } = lineWith({ delayMs: 50, openAtMs: 100 });
  line.push(Buffer.from('a'));
  clock.advanceTo(120);
  line.push(Buffer.from('b'));
  clock.advanceTo(300);
  expect(out).toEqual(['150:a', '170:b']);
});

test('without delay a chunk goes straight on', () => {
  const { clock, line, out } = lineWith({ delayMs: 0 });
  expect(line.push(Buffer.from('a'))).toBe(true);
  line.end();
  expect(out).toEqual(['0:a', '0:end']);
  expect(clock.pending).toBe(0);
});

test('a full sink stops delivery and the sender until it has drained', () => {
  let isFull = true;
  const { clock, line, out, counts } = lineWith({ delayMs: 0, takes: () => !isFull });
  expect(line.push(Buffer.from('a'))).toBe(false);
  expect(line.push(Buffer.from('b'))).toBe(false);
  line.end();
  clock.advanceTo(1000);
  expect([out, counts.space]).toEqual([['0:a'], 0]);
  isFull = false;
  line.drained();
  expect([out, counts.space]).toEqual([['0:a', '1000:b', '1000:end'], 1]);
});

test('the sender is paused at a mebibyte on the way and goes on once there is room', () => {
  const { clock, line, counts } = lineWith({});
  expect(line.push(new Uint8Array(1024 * 1024 - 1))).toBe(true);
  expect(line.push(new Uint8Array(1))).toBe(false);
  expect(counts.space).toBe(0);
  clock.advanceTo(50);
  expect(counts.space).toBe(1);
  expect(line.push(new Uint8Array(1))).toBe(true);
});

test('a timer that fires early delivers nothing early', () => {
  const { clock, out } = lineWith({});
  const early: LineClock = {
    nowMs: () => clock.nowMs(),
    after: (ms, callback) => clock.after(ms - 0.5, callback),
  };
  const line = new DelayLine({
    delayMs: 50,
    openAtMs: 0,
    clock: early,
    sink: { write: () => out.push(`${clock.nowMs()}`) > 0, end: () => undefined },
    onSpace: () => undefined,
  });
  line.push(Buffer.from('a'));
  clock.advanceTo(49.9);
  expect(out).toEqual([]);
  clock.advanceTo(50);
  expect(out).toEqual(['50']);
});

test('a cleared line delivers nothing and leaves no timer', () => {
  const { clock, line, out } = lineWith({});
  line.push(Buffer.from('a'));
  line.clear();
  expect(clock.pending).toBe(0);
  clock.advanceTo(1000);
  expect(out).toEqual([]);
});

test('whatever the pushes, pauses and times: nothing is lost, doubled, out of order or early', () => {
  const step = fc.record({
    advanceMs: fc.nat(80),
    text: fc.stringMatching(/^[a-z]{1,5}$/),
    isSinkFull: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(60), fc.nat(60), (steps, delayMs, openAtMs) => {
      let isFull = false;
      const { clock, line, out } = lineWith({ delayMs, openAtMs, takes: () => !isFull });
      const dueMs: number[] = [];
      for (const { advanceMs, text, isSinkFull } of steps) {
        clock.advanceTo(clock.nowMs() + advanceMs);
        if (isFull && !isSinkFull) {
          isFull = false;
          line.drained();
        }
        isFull = isSinkFull;
        line.push(Buffer.from(text));
        dueMs.push(Math.max(clock.nowMs(), openAtMs) + delayMs);
      }
      isFull = false;
      line.drained();
      clock.advanceTo(clock.nowMs() + 1000);
      expect(out.map((entry) => entry.split(':')[1])).toEqual(steps.map(({ text }) => text));
      expect(out.every((entry, index) => Number(entry.split(':')[0]) >= (dueMs[index] ?? 0))).toBe(true);
    }),
  );
});
