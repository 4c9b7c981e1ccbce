import Table from 'cli-table3';
import { type RateLimitTrial, rateOf, runRateLimitTrial } from './lib/ratelimit-trial.ts';
import { UserError } from './lib/user-error.ts';
import type { LocalRegion, LocalZone } from './local/local-file.ts';
import { runningZone } from './local/running-zones.ts';
import { withoutValkey } from './local/valkey/program.ts';

export interface MeasureRateLimitOptions {
  /** @default the first that runs */
  readonly zone?: string | undefined;
  /** @default the zone's home */
  readonly region?: string | undefined;
  readonly limit: number;
  /** Of a window, ms. */
  readonly duration: number;
  /** How many units are asked for each that is allowed. */
  readonly times: number;
  /** Of each run. @default three windows, at least 5 s and at most 60 */
  readonly seconds?: number | undefined;
  /** JSON on stdout instead of a table. */
  readonly json: boolean;
}

/**
 * `keyhearth measure ratelimit`: asks the tasks of one region, all alike, for several times as much as a limit allows, once where they tell
 * each other of their counts and once where the shared counter decides. Prints how much came through, and how much may. Sets exit code 1
 * where it was more. Ctrl-C ends the asking and shows what there is.
 */
export async function measureRateLimit(options: MeasureRateLimitOptions): Promise<void> {
  const { limit, duration: durationMs, times, json } = options;
  rateOf({ limit, durationMs, times });
  const [zoneName, zone] = await runningZone(options.zone);
  const [regionName, region] = regionOf(zoneName, zone, options.region);
  const seconds = options.seconds ?? Math.min(60, Math.max(5, Math.ceil((3 * durationMs) / 1_000)));
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  const isShown = !json && process.stderr.isTTY;
  process.once('SIGINT', interrupt);
  try {
    const runs: RateLimitTrial[] = [];
    for (const kind of ['shared', 'exact'] as const) {
      if (interrupted.signal.aborted) break;
      const onProgress = (passed: number): void =>
        void process.stderr.write(`\r${regionName}, ${kind}: ${passed}/${seconds} s`);
      const common = { zone, region, kind, limit, durationMs, times, seconds, signal: interrupted.signal };
      runs.push(await runRateLimitTrial({ ...common, ...(isShown ? { onProgress } : {}) }));
    }
    if (isShown) process.stderr.write('\r\u001B[K');
    process.stdout.write(
      json
        ? `${JSON.stringify({ zone: zoneName, region: regionName, runs }, null, 2)}\n`
        : tableOf(zoneName, regionName, runs),
    );
    if (runs.some(({ held }) => !held)) process.exitCode = 1;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function regionOf(
  zoneName: string,
  zone: LocalZone,
  wanted: string | undefined,
): readonly [name: string, region: LocalRegion] {
  const regions = Object.entries(zone.regions);
  const found = regions.find(([name, { role }]) =>
    wanted === undefined ? role === 'home' : name === wanted,
  );
  if (found === undefined) {
    const known = regions.map(([name]) => name).join(', ');
    throw new UserError(`Zone ${zoneName} has no region ${wanted ?? 'that is home'}; there are ${known}.`);
  }
  const [name, { tasks }] = found;
  const down = tasks.some(({ pid }) => pid === null);
  if (down || tasks.length === 0)
    throw new UserError(
      `Not every task of ${name} runs: \`npx keyhearth local start ${name}\` starts what is down.`,
    );
  return found;
}

function tableOf(zone: string, region: string, runs: readonly RateLimitTrial[]): string {
  const head = [
    'limit',
    'tasks',
    'asked',
    'allowed',
    'admitted',
    'overshoot',
    'bound',
    'held',
    'p50 ms',
    'p99 ms',
  ];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  const lines: string[] = [];
  for (const run of runs) {
    const { kind, tasks, asked, allowed, admitted, overshoot, bound, held, answerMs } = run;
    const times = [answerMs.p50, answerMs.p99].map((ms) => (Number.isNaN(ms) ? '–' : ms.toFixed(1)));
    table.push([kind, tasks, asked, allowed, admitted, overshoot, bound, held ? 'yes' : 'NO', ...times]);
    lines.push(...remarksOn(run));
  }
  const [first] = runs;
  const what =
    first === undefined
      ? ''
      : ` A limit of ${first.limit} in ${first.durationMs} ms; "overshoot" is of the window that had most.`;
  return `${region} of zone ${zone}.${what}\n${table.toString()}\n${lines.join('\n')}\n`;
}

function remarksOn({
  kind,
  windows,
  exchangeMs,
  failedExchanges,
  isExchangeAssumed,
  tasks,
  unanswered,
  heldBack,
}: RateLimitTrial): string[] {
  const remarks = [`${kind}: admitted by window ${windows.map(({ admitted }) => admitted).join(', ')}`];
  if (exchangeMs === null && tasks > 1) remarks.push(`${kind}: ${withoutValkey}`);
  else if (exchangeMs !== null && tasks > 1 && kind === 'shared') {
    const source = isExchangeAssumed ? 'assumed, for the tasks do not tell' : 'the longest that a task saw';
    remarks.push(`${kind}: an exchange takes ${exchangeMs.toFixed(1)} ms (${source})`);
    if (failedExchanges > 0)
      remarks.push(
        `${kind}: ${failedExchanges} exchanges had no answer, so each task counted alone for a while`,
      );
  }
  if (unanswered > 0) remarks.push(`${kind}: ${unanswered} verifications got no verdict`);
  if (heldBack > 0) remarks.push(`${kind}: ${heldBack} weren't sent, because too many were under way`);
  return remarks;
}
