import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { summarize, type Summary } from '../../scripts/lib/percentiles.ts';
import { errorText } from '../../scripts/lib/user-error.ts';
import type { LocalZone } from '../../scripts/local/local-file.ts';
import type { ClientLocation } from '../../topology/locations.ts';
import { CALLS, measure, noTimings, type Path, type TimedCall, type Timings } from './measure.ts';
import { startPlatform } from './platform.ts';

/**
 * `npm run bench:management`: management calls at home, at a replica, and from client locations, with their round trips to the nearest
 * region. It starts a platform of one zone for it. Each key is made, verified where it was made, changed, read and deleted; the paths
 * take turns, so that what else the machine does hits all alike. Between the regions of a local platform there is no distance: at a
 * real replica, the round trip to home comes on top of each management call, but not of a verification.
 *
 *     npm run bench:management -- [--zone global] [--rounds 4] [--count 30] [--at-once 4] [--json]
 */
interface Row {
  readonly path: string;
  readonly calls: Readonly<Record<TimedCall, Summary>>;
}

interface Report {
  readonly zone: string;
  readonly keysPerPath: number;
  readonly atOnce: number;
  readonly rows: readonly Row[];
  /** Load average of the last minute, before and after. */
  readonly load: readonly [before: number, after: number];
  readonly cpus: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      zone: { type: 'string', default: 'global' },
      rounds: { type: 'string', default: '4' },
      count: { type: 'string', default: '30' },
      'at-once': { type: 'string', default: '4' },
      json: { type: 'boolean', default: false },
    },
  });
  const [rounds, count] = [wholeNumber('--rounds', values.rounds), wholeNumber('--count', values.count)];
  const atOnce = wholeNumber('--at-once', values['at-once']);
  const say = (text: string): void => void (values.json || process.stderr.write(`${text}\n`));
  say(`Starting zone ${values.zone} …`);
  const platform = await startPlatform(values.zone);
  try {
    const before = loadOfLastMinute();
    const paths = pathsOf(platform.zone);
    const timings = new Map<Path, Timings>(paths.map((path) => [path, noTimings()]));
    // The first calls of a process compile it; they are left out.
    for (const path of paths) await measure(platform.zone, path, { count: atOnce, atOnce }, noTimings());
    for (let round = 0; round < rounds; round++) {
      say(`Round ${round + 1} of ${rounds}: ${count} keys on each of ${paths.length} paths …`);
      // Whoever goes first in one round goes last in the next.
      for (const path of round % 2 === 0 ? paths : paths.toReversed())
        await measure(platform.zone, path, { count, atOnce }, timings.get(path) ?? noTimings());
    }
    const report: Report = {
      zone: values.zone,
      keysPerPath: rounds * count,
      atOnce,
      rows: paths.map((path) => rowOf(path, timings.get(path) ?? noTimings())),
      load: [before, loadOfLastMinute()],
      cpus: cpus().length,
    };
    process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : tableOf(report));
  } finally {
    await platform.stop();
  }
}

/** One on each side of an ocean: with home on one, the other's nearest region is a replica. */
const LOCATIONS: readonly ClientLocation[] = ['new-york', 'london'];

/** Home and one replica by their direct ports, and clients that come through the accelerator. */
function pathsOf({ regions, clients }: LocalZone): readonly Path[] {
  const byRole = (role: 'home' | 'replica') => Object.entries(regions).find(([, one]) => one.role === role);
  const direct = (['home', 'replica'] as const).flatMap((role): readonly Path[] => {
    const [region, found] = byRole(role) ?? [];
    return found === undefined ? [] : [{ name: `${region} (${role})`, url: found.url }];
  });
  const locations = LOCATIONS.flatMap((location): readonly Path[] => {
    const url = clients[location];
    return url === undefined ? [] : [{ name: `client in ${location}`, url }];
  });
  return [...direct, ...locations];
}

function rowOf({ name }: Path, timings: Timings): Row {
  const entries = CALLS.map((call) => [call, summarize(timings[call])] as const);
  // Every call has its entry.
  return { path: name, calls: Object.fromEntries(entries) as Row['calls'] };
}

function tableOf({ rows, keysPerPath, atOnce, load, ...rest }: Report): string {
  const head = ['path', ...CALLS.map((call) => `${call}, ms`)];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const { path, calls } of rows) {
    const cells = CALLS.map((call) => `${calls[call].p50.toFixed(1)} / ${calls[call].p99.toFixed(1)}`);
    table.push([path, ...cells]);
  }
  return (
    `${table.toString()}\np50 / p99 of ${keysPerPath} keys on each path, ${atOnce} at once, in zone ${rest.zone}; ` +
    `${rest.cpus} CPUs with a load of ${load[0].toFixed(1)} before and ${load[1].toFixed(1)} after; Node ${process.versions.node}.\n`
  );
}

function loadOfLastMinute(): number {
  return loadavg()[0] ?? Number.NaN;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 10_000) return value;
  throw new Error(`${name} must be a whole number from 1 to 10000`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`The measurement failed: ${errorText(error)}.\n`);
  process.exitCode = 1;
}
