/* oxlint-disable no-restricted-imports -- What is measured is the service's own code, in this process: there is nothing to ask from outside. */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { percentile } from '../../scripts/lib/percentiles.ts';
import { errorText } from '../../scripts/lib/user-error.ts';
import { systemClock } from '../../service/clock.ts';
import { counterName } from '../../service/domain/counter-name.ts';
import { CountExchange } from '../../service/limits/count-exchange.ts';
import { MemoryRateLimiter } from '../../service/limits/memory-rate-limiter.ts';
import type { RateLimitAsk, SharedCounters } from '../../service/verify/ports.ts';

/**
 * `npm run bench:rate-limits`: what a live window takes of the heap, and what CPU time a decision takes, in this process alone. Each window
 * counts under an id and a name of 24 characters together. "Exchanged" is while an exchange of counts runs whose others have counted as
 * well; its answers come from memory, and only the asking is measured.
 *
 *     npm run bench:rate-limits -- [--windows 100000] [--rounds 5] [--json]
 */
interface Timing {
  readonly exchanged: boolean;
  readonly limits: number;
  readonly windows: 'held' | 'new';
  /** Of CPU time, collecting garbage included, which a busy machine changes less than elapsed time; median over the rounds. */
  readonly nsPerTake: number;
}

interface Report {
  readonly windows: number;
  readonly rounds: number;
  readonly bytesPerWindow: number;
  readonly bytesPerWindowExchanged: number;
  /** With the longest names: of 64 characters of a byte each, and of two bytes each. */
  readonly bytesPerWindowLongName: number;
  readonly bytesPerWindowLongestName: number;
  readonly timings: readonly Timing[];
  /** Load average of the last minute. */
  readonly load: number;
  readonly cpus: number;
  readonly node: string;
}

const DURATION_MS = 60_000;
const NOW_MS = Date.now();
/** Decisions timed together. */
const TAKES = 100_000;
const HELD_COUNTERS = 1000;

/** Answers at once that others have counted as much. */
const echo: Pick<SharedCounters, 'exchange'> = {
  exchange: async (counts) =>
    await Promise.resolve(counts.map(({ units }) => ({ units: units + 1, unitsBefore: 0 }))),
};

/** A call's limits, each on a counter of its own; the texts are made anew, as a request makes them. */
function asksOf(
  call: number,
  limits: number,
  name: (call: number) => string = nameOf,
): readonly RateLimitAsk[] {
  return Array.from({ length: limits }, (_, limit) => {
    const counter = counterName(`rl_${limit}`, name(call));
    return { counter, limit: 1_000_000, durationMs: DURATION_MS, cost: 1 };
  });
}

function nameOf(call: number): string {
  return `user ${String(call).padStart(15, '0')}`;
}

function limiterOf(isExchanged: boolean, maxCounters: number) {
  const limiter = new MemoryRateLimiter({ maxCounters });
  const log = { info: () => {}, warn: () => {} };
  const shared = isExchanged ? echo : null;
  const exchange = new CountExchange({ shared, limiters: [limiter], clock: systemClock, log });
  exchange.start();
  return { limiter, exchange };
}

async function bytesPerWindow(isExchanged: boolean, windows: number, name = nameOf): Promise<number> {
  const before = await heapBytes();
  const { limiter, exchange } = limiterOf(isExchanged, windows);
  for (let call = 0; call < windows; call += 1) limiter.take('ws_1', asksOf(call, 1, name), NOW_MS);
  if (isExchanged) await allLearned(exchange, windows);
  await exchange.stop();
  const bytes = (await heapBytes()) - before;
  if (limiter.size !== windows) throw new Error(`${limiter.size} windows are held, not ${windows}`);
  return bytes / windows;
}

async function allLearned({ counters }: CountExchange, windows: number): Promise<void> {
  while (counters.told < windows) await pause(50);
}

async function nsPerTake(timing: Omit<Timing, 'nsPerTake'>): Promise<number> {
  const { exchanged, limits, windows } = timing;
  const { limiter, exchange } = limiterOf(exchanged, TAKES * limits + 1);
  const different = windows === 'held' ? HELD_COUNTERS : TAKES;
  const calls = Array.from({ length: different }, (_, call) => asksOf(call, limits));
  if (windows === 'held') for (const asks of calls) limiter.take('ws_1', asks, NOW_MS);
  await heapBytes();
  let taken = 0;
  const began = process.cpuUsage();
  while (taken < TAKES) {
    for (const asks of calls) limiter.take('ws_1', asks, NOW_MS);
    taken += different;
  }
  const { user, system } = process.cpuUsage(began);
  await exchange.stop();
  return ((user + system) * 1000) / taken;
}

/** After everything that nobody holds is gone. */
async function heapBytes(): Promise<number> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('it needs --expose-gc, as `npm run bench:rate-limits` gives it');
  for (let round = 0; round < 3; round += 1) {
    gc();
    await pause(10);
  }
  return process.memoryUsage().heapUsed;
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      windows: { type: 'string', default: '100000' },
      rounds: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
    },
  });
  const windows = wholeNumber('--windows', values.windows, 1_000_000);
  const rounds = wholeNumber('--rounds', values.rounds, 100);
  const kinds = [false, true].flatMap((exchanged) =>
    [1, 3].flatMap((limits) =>
      (['held', 'new'] as const).map((held) => ({ exchanged, limits, windows: held })),
    ),
  );
  const measured = kinds.map((kind) => {
    const ns: number[] = [];
    return { ...kind, ns };
  });
  // The first round compiles, and is left out.
  for (let round = 0; round <= rounds; round += 1) {
    for (const { ns, ...kind } of measured) {
      const took = await nsPerTake(kind);
      if (round > 0) ns.push(took);
    }
  }
  const report: Report = {
    windows,
    rounds,
    bytesPerWindow: await bytesPerWindow(false, windows),
    bytesPerWindowExchanged: await bytesPerWindow(true, windows),
    bytesPerWindowLongName: await bytesPerWindow(true, windows, (call) => String(call).padStart(64, 'a')),
    bytesPerWindowLongestName: await bytesPerWindow(true, windows, (call) => String(call).padStart(64, 'д')),
    timings: measured.map(({ ns, ...kind }) => ({ ...kind, nsPerTake: percentile(ns, 50) })),
    load: loadavg()[0] ?? Number.NaN,
    cpus: cpus().length,
    node: process.versions.node,
  };
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : tableOf(report));
}

function tableOf({ windows, rounds, timings, ...report }: Report): string {
  const head = ['limits of a call', 'windows', 'CPU ns per take', 'CPU ns per take, exchanged'];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const { exchanged, limits, windows: held, nsPerTake: ns } of timings) {
    if (exchanged) continue;
    const other = timings.find((one) => one.exchanged && one.limits === limits && one.windows === held);
    table.push([limits, held, Math.round(ns), Math.round(other?.nsPerTake ?? Number.NaN)]);
  }
  return (
    `${table.toString()}\nA live window takes ${Math.round(report.bytesPerWindow)} bytes of the heap, ` +
    `${Math.round(report.bytesPerWindowExchanged)} while counts are exchanged, ` +
    `${Math.round(report.bytesPerWindowLongName)} and ${Math.round(report.bytesPerWindowLongestName)} with the longest names of one and of two ` +
    `bytes a character (${windows} windows). Medians of ${rounds} rounds of ${TAKES} ` +
    `calls; ${report.cpus} CPUs with a load of ${report.load.toFixed(1)}; Node ${report.node}.\n`
  );
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`${name} must be a whole number from 1 to ${max}`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`The measurement failed: ${errorText(error)}.\n`);
  process.exitCode = 1;
}
