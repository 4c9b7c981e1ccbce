import Table from 'cli-table3';

import { summarize } from './lib/percentiles.ts';
import type { Summary } from './lib/percentiles.ts';
import { runTrials } from './lib/revocation-trial.ts';
import { errorCode, UserError } from './lib/user-error.ts';
import type { LocalZone } from './local/local-file.ts';
import { runningZones } from './local/running-zones.ts';

export interface MeasureRevocationOptions {
  /** @default every zone, one after another */
  readonly zone?: string | undefined;
  /** Keys to delete in each zone. @default 200 */
  readonly count?: number | undefined;
  /** JSON on stdout instead of a table. */
  readonly json: boolean;
}

/** Times in ms. */
export interface ZoneRevocation {
  /** Keys that were measured; fewer than asked for after Ctrl-C. */
  readonly count: number;
  /** How long the delete's own answer took, in which it waits for another region. */
  readonly deleteAnswerMs: Summary;
  /** Deletes whose answer said that another region had applied them. */
  readonly confirmed: number;
  readonly regions: Readonly<Record<string, RegionRevocation>>;
}

export interface RegionRevocation {
  readonly role: 'home' | 'replica';
  /** From the delete's answer to the first refusal, of those that were refused. */
  readonly refusedAfterMs: Summary;
  /** Refused already when the first request after the delete's answer came: these count as 0. */
  readonly atOnce: number;
  /** Still valid after 10 s. */
  readonly neverRefused: number;
  /** Why it wasn't measured to the end, e.g. "not within 10 s" where a key or its end didn't show; null where it was. */
  readonly problem: string | null;
}

/**
 * `keyhearth measure revocation`: creates keys, warms them in every region, deletes them and polls each region directly until it
 * refuses. Prints the result. Sets exit code 1 where a region couldn't be measured to the end, because it doesn't answer or is too far
 * behind; the others are measured all the same. Ctrl-C ends it after the keys that are under way and shows what there is.
 */
export async function measureRevocation(options: MeasureRevocationOptions): Promise<void> {
  const zones = await runningZones(options.zone);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt);
  try {
    const results: Record<string, ZoneRevocation> = {};
    for (const [name, zone] of zones) {
      if (!interrupted.signal.aborted)
        results[name] = await measureZone(name, zone, options, interrupted.signal);
    }
    process.stdout.write(
      options.json ? `${JSON.stringify({ zones: results }, null, 2)}\n` : tableOf(results),
    );
    const regions = Object.values(results).flatMap((zone) => Object.values(zone.regions));
    if (regions.some(({ problem }) => problem !== null)) process.exitCode = 1;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

async function measureZone(
  name: string,
  zone: LocalZone,
  options: MeasureRevocationOptions,
  signal: AbortSignal,
): Promise<ZoneRevocation> {
  const count = options.count ?? 200;
  const isShown = !options.json && process.stderr.isTTY;
  const onProgress = (done: number): void => void process.stderr.write(`\r${name}: ${done}/${count}`);
  try {
    const { trials, behind } = await runTrials({ zone, count, signal, ...(isShown ? { onProgress } : {}) });
    return {
      count: trials.length,
      deleteAnswerMs: summarize(trials.map(({ deleteAnswerMs }) => deleteAnswerMs)),
      confirmed: trials.filter(({ isConfirmed }) => isConfirmed).length,
      regions: Object.fromEntries(
        Object.entries(zone.regions).map(([region, { role }]) => {
          const times = trials.flatMap(({ refusedAfterMs }) => refusedAfterMs[region] ?? []);
          const neverRefused = trials.filter(({ refusedAfterMs }) => refusedAfterMs[region] === null).length;
          return [region, regionOf(role, times, neverRefused, behind.get(region) ?? null)];
        }),
      ),
    };
  } catch (error) {
    if (errorCode(error) !== 'ECONNREFUSED') throw error;
    throw new UserError(
      `Zone ${name} doesn't answer at ${zone.url}: \`npx keyhearth local status\` shows what is down.`,
    );
  } finally {
    if (isShown) process.stderr.write('\r\u001B[K');
  }
}

function regionOf(
  role: 'home' | 'replica',
  refused: readonly number[],
  neverRefused: number,
  problem: string | null,
): RegionRevocation {
  return {
    role,
    refusedAfterMs: summarize(refused),
    atOnce: refused.filter((time) => time === 0).length,
    neverRefused,
    problem,
  };
}

function tableOf(zones: Readonly<Record<string, ZoneRevocation>>): string {
  const table = new Table({
    head: ['zone', 'region', 'role', 'p50 ms', 'p99 ms', 'max ms', 'at once', 'never'],
    style: { head: [], border: [], compact: true },
  });
  const lines: string[] = [];
  for (const [zone, { count, deleteAnswerMs, confirmed, regions }] of Object.entries(zones)) {
    for (const [region, { role, refusedAfterMs: times, atOnce, neverRefused, problem }] of Object.entries(
      regions,
    )) {
      table.push([
        zone,
        region,
        role,
        ms(times.p50),
        ms(times.p99),
        ms(times.max),
        `${atOnce}/${times.count + neverRefused}`,
        neverRefused,
      ]);
      if (problem !== null) lines.push(`${zone}: ${region} was not measured to the end: ${problem}`);
    }
    lines.push(
      `${zone}: ${count} keys; the delete itself was answered after p50 ${ms(deleteAnswerMs.p50)}, p99 ${ms(deleteAnswerMs.p99)}, ` +
        `max ${ms(deleteAnswerMs.max)} ms, ${confirmed} of them with another region having applied it`,
    );
  }
  return `From the delete's answer to the first refusal:\n${table.toString()}\n${lines.join('\n')}\n`;
}

function ms(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(1);
}
