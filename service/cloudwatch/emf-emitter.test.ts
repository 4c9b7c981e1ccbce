import { pino } from 'pino';
import { expect, test } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import { EmfEmitter } from './emf-emitter.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { EMF_METRIC_NAMES, EMF_METRICS, type EmfCounter, type EmfGauge } from './metric-table.ts';

const INTERVAL_MS = 60_000;
/** The format's own list; ours are among them. */
const UNITS =
  /^(Seconds|Microseconds|Milliseconds|(Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|Megabits|Gigabits|Terabits)(\/Second)?|Percent|Count(\/Second)?|None)$/;

type Line = Record<string, unknown>;

/** An emitter on a clock and a timer that the test moves, with sources that it changes. */
function make() {
  const clock = new FakeClock();
  const counted = new Map<EmfCounter, number>();
  const gauges = new Map<EmfGauge, number>();
  const state = { stalenessMs: Infinity, broken: false };
  const lines: Line[] = [];
  // The lines go through the same library as in a task, and are parsed as CloudWatch would do it.
  const log = pino({ level: 'silent' }, { write: (text: string) => void lines.push(JSON.parse(text)) });
  const out = log.child({}, { level: 'info' });
  const histogram = new LatencyHistogram(() => clock.monotonicMs());
  const timers = new Set<{ readonly ms: number; readonly step: () => void; dueMs: number }>();
  const emitter = new EmfEmitter({
    intervalMs: INTERVAL_MS,
    sources: {
      counters: record(['counter', 'verdict'], (name: EmfCounter) => counted.get(name) ?? 0),
      gauges: record(['gauge'], (name: EmfGauge) => gauges.get(name) ?? 0),
      verifyMs: histogram,
      stalenessMs: () => state.stalenessMs,
    },
    dimensions: { Environment: 'production', Zone: 'global', Region: 'eu-west-1' },
    taskId: 'eu-west-1/1',
    nowMs: () => clock.nowMs() + 0.4,
    every: (ms, step) => {
      const timer = { ms, step, dueMs: clock.monotonicMs() + ms };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    write: (document) => {
      if (state.broken) throw new Error('EPIPE');
      out.info(document);
    },
  });
  function pass(ms: number): void {
    const endMs = clock.monotonicMs() + ms;
    for (const timer of timers) {
      for (; timers.has(timer) && timer.dueMs <= endMs; timer.dueMs += timer.ms) {
        clock.advance(timer.dueMs - clock.monotonicMs());
        timer.step();
      }
    }
    clock.advance(endMs - clock.monotonicMs());
  }
  return { emitter, clock, counted, gauges, state, lines, histogram, pass, isRunning: () => timers.size > 0 };
}

/** A reader for each metric of these kinds. */
function record<K extends string>(kinds: string[], read: (name: K) => number): Record<K, () => number> {
  const names = EMF_METRIC_NAMES.filter((name) => kinds.includes(EMF_METRICS[name].kind)) as unknown as K[];
  return Object.fromEntries(names.map((name) => [name, () => read(name)])) as Record<K, () => number>;
}

/** What the format demands of a line; returns the metrics by name. */
function checkLine(line: Line | undefined, nowMs: number): Record<string, unknown> {
  const { _aws: aws } = line as { _aws: { Timestamp: number; CloudWatchMetrics: unknown[] } };
  expect(Number.isInteger(aws.Timestamp)).toBe(true);
  expect(aws.Timestamp).toBe(nowMs);
  expect(aws.CloudWatchMetrics).toHaveLength(1);
  const [directive] = aws.CloudWatchMetrics as [
    { Namespace: string; Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] },
  ];
  expect(directive.Namespace).toMatch(/^[\w./#:-]{1,255}$/);
  expect(directive.Dimensions.length).toBeGreaterThan(0);
  for (const set of directive.Dimensions) {
    expect(set.length).toBeLessThanOrEqual(30);
    for (const name of set) expect(line?.[name]).toMatch(/^[^\s:].{0,1023}$/);
  }
  const names = directive.Metrics.map(({ Name }) => Name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeLessThanOrEqual(100);
  for (const { Name, Unit } of directive.Metrics) {
    expect(Unit).toMatch(UNITS);
    checkValue(line?.[Name]);
  }
  return Object.fromEntries(names.map((name) => [name, line?.[name]]));
}

function checkValue(value: unknown): void {
  if (typeof value === 'number') return;
  const { Values, Counts, Min, Max, Count, Sum } = value as Record<string, number> & {
    Values: number[];
    Counts: number[];
  };
  expect(Values.length).toBeGreaterThan(0);
  expect(Values.length).toBeLessThanOrEqual(100);
  expect(Counts).toHaveLength(Values.length);
  expect(Count).toBe(Counts.reduce((total, one) => total + one, 0));
  expect([Min, Max]).toEqual([Math.min(...Values), Math.max(...Values)]);
  expect(Sum).toBeCloseTo(Values.reduce((total, one, at) => total + one * (Counts[at] ?? 0), 0));
}

test('one line per interval, in the format, with every metric that has a value', () => {
  const { emitter, clock, lines, pass, state, counted, histogram } = make();
  state.stalenessMs = 120;
  for (const name of EMF_METRIC_NAMES) counted.set(name as EmfCounter, 1);
  histogram.stop(histogram.start());
  emitter.start();
  pass(INTERVAL_MS - 1);
  expect(lines).toHaveLength(0);
  pass(1);
  expect(lines).toHaveLength(1);
  const metrics = checkLine(lines[0], clock.nowMs());
  expect(Object.keys(metrics)).toEqual([...EMF_METRIC_NAMES]);
  expect(lines[0]).toMatchObject({
    Environment: 'production',
    Zone: 'global',
    Region: 'eu-west-1',
    TaskId: 'eu-west-1/1',
    LastStalenessMs: 120,
  });
  pass(2 * INTERVAL_MS);
  expect(lines).toHaveLength(3);
});

test('counters tell what was counted since the line before; verdicts that nobody got are left out', () => {
  const { emitter, clock, lines, pass, counted } = make();
  counted.set('Verifications', 5).set('VerdictValid', 5);
  emitter.start();
  pass(INTERVAL_MS);
  expect(checkLine(lines[0], clock.nowMs())).toMatchObject({ Verifications: 5, VerdictValid: 5, HotHits: 0 });
  expect(lines[0]).not.toHaveProperty('VerdictExpired');
  counted.set('Verifications', 12).set('VerdictExpired', 7);
  pass(INTERVAL_MS);
  expect(checkLine(lines[1], clock.nowMs())).toMatchObject({ Verifications: 7, VerdictExpired: 7 });
  expect(lines[1]).not.toHaveProperty('VerdictValid');
  pass(INTERVAL_MS);
  expect(lines[2]).toMatchObject({ Verifications: 0 });
});

test('staleness keeps its maximum between two lines, and is left out while there is none', () => {
  const { emitter, clock, lines, pass, state } = make();
  emitter.start();
  pass(INTERVAL_MS);
  expect(lines[0]).not.toHaveProperty('StalenessMs');
  expect(lines[0]).not.toHaveProperty('LastStalenessMs');
  state.stalenessMs = 100;
  pass(INTERVAL_MS / 2);
  state.stalenessMs = 2500;
  pass(INTERVAL_MS / 60);
  state.stalenessMs = 100;
  pass(INTERVAL_MS);
  const { StalenessMs } = checkLine(lines[1], clock.nowMs() - INTERVAL_MS / 2 - INTERVAL_MS / 60);
  expect(StalenessMs).toMatchObject({ Max: 2500, Min: 100, Count: 60, Values: [100, 2500], Counts: [59, 1] });
  expect(lines[1]).toMatchObject({ LastStalenessMs: 100 });
});

test('durations of verifications are told once each, as a distribution', () => {
  const { emitter, clock, lines, pass, histogram } = make();
  emitter.start();
  for (const tookMs of [1, 1, 1, 50]) {
    const startedMs = histogram.start();
    clock.advance(tookMs);
    histogram.stop(startedMs);
  }
  pass(INTERVAL_MS);
  expect(lines[0]).toMatchObject({ VerifyMs: { Counts: [3, 1], Count: 4 } });
  pass(INTERVAL_MS);
  expect(lines[1]).not.toHaveProperty('VerifyMs');
});

test('a value that is no number is left out, and the line stays valid', () => {
  const { emitter, clock, lines, pass, gauges } = make();
  gauges.set('EventLoopDelayMsP99', Number.NaN).set('HotKeys', 3);
  emitter.start();
  pass(INTERVAL_MS);
  const metrics = checkLine(lines[0], clock.nowMs());
  expect(metrics).toMatchObject({ HotKeys: 3 });
  expect(metrics).not.toHaveProperty('EventLoopDelayMsP99');
});

test('a line that can’t be written harms nobody, and what it would have said is in the next one', () => {
  const { emitter, lines, pass, counted, state, histogram } = make();
  state.stalenessMs = 10;
  state.broken = true;
  emitter.start();
  counted.set('Verifications', 3);
  histogram.stop(histogram.start());
  pass(INTERVAL_MS);
  expect(lines).toHaveLength(0);
  expect(emitter.counters).toEqual({ lines: 0, failures: 1 });
  state.broken = false;
  counted.set('Verifications', 4);
  pass(INTERVAL_MS);
  expect(lines[0]).toMatchObject({ Verifications: 4, VerifyMs: { Count: 1 }, StalenessMs: { Count: 60 } });
});

test('stopped, it says the rest in one last line and nothing after', () => {
  const { emitter, clock, lines, pass, counted, state, isRunning } = make();
  emitter.start();
  pass(1500);
  counted.set('Verifications', 2);
  state.stalenessMs = 40;
  emitter.stop();
  expect(checkLine(lines[0], clock.nowMs())).toMatchObject({ Verifications: 2, StalenessMs: { Count: 1 } });
  expect(isRunning()).toBe(false);
  emitter.stop();
  pass(2 * INTERVAL_MS);
  expect(lines).toHaveLength(1);
});
