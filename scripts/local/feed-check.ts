import { execFile } from 'node:child_process';
import { join } from 'node:path';
import Table from 'cli-table3';
import type { FeedTrialReader, FeedTrialResult } from '../../service/store/feed-trial.ts';
import { basicEnvironment } from '../lib/environment.ts';
import { UserError } from '../lib/user-error.ts';
import { control } from './control-client.ts';
import type { DatabaseAccess } from './control-protocol.ts';
import { placesOf, repository } from './places.ts';

export interface FeedCheckOptions {
  /** How long to write. */
  readonly seconds: number;
  readonly zone?: string | undefined;
  readonly json: boolean;
}

/**
 * `keyhearth doctor feed`: runs the feed's trial on each zone of the running platform and prints what every region missed, got twice, and how
 * fast. Sets exit code 1 where a feed wasn't right.
 */
export async function checkFeed({ seconds, zone, json }: FeedCheckOptions): Promise<void> {
  const { databases = [] } = await control(placesOf().control, { name: 'databases', zone });
  const results: Record<string, ZoneFeedCheck> = {};
  for (const name of new Set(databases.map((database) => database.zone))) {
    const { result, isRight } = await tryZone(
      name,
      databases.filter((database) => database.zone === name),
      seconds,
    );
    results[name] = ofZone(result);
    if (!isRight) process.exitCode = 1;
  }
  process.stdout.write(json ? `${JSON.stringify({ zones: results }, null, 2)}\n` : `${feedTable(results)}\n`);
}

/** One zone in the command's JSON. */
export interface ZoneFeedCheck extends Omit<FeedTrialResult, 'readers'> {
  readonly regions: Readonly<Record<string, RegionFeedCheck>>;
}

interface RegionFeedCheck extends Omit<FeedTrialReader, 'reader' | 'phantom'> {
  /** Changes that the feed delivered although they were rolled back. */
  readonly madeUp: number;
}

/** What a person reads: by region, in the words of the table. */
function ofZone({ readers, ...whole }: FeedTrialResult): ZoneFeedCheck {
  const regions = readers.map(
    ({ reader, phantom, ...one }) => [reader, { ...one, madeUp: phantom }] as const,
  );
  return { ...whole, regions: Object.fromEntries(regions) };
}

async function tryZone(
  zone: string,
  databases: readonly DatabaseAccess[],
  seconds: number,
): Promise<{ result: FeedTrialResult; isRight: boolean }> {
  const home = databases.find(({ role }) => role === 'home');
  if (home === undefined)
    throw new UserError(`Zone ${zone} has no home that runs, so nothing can be written.`);
  const readers = databases.map(({ region, url }) => `${region}=${url}`).join(',');
  const { code, stdout, stderr } = await runTrial(seconds, {
    KEYHEARTH_WRITER_URL: home.url,
    KEYHEARTH_READER_URLS: readers,
  });
  // One line of JSON, with exit code 1 where the feed wasn't right; without it, the trial itself failed.
  if (!stdout.startsWith('{')) throw new Error(`the trial in zone ${zone} failed: ${stderr.trim()}`);
  return { result: JSON.parse(stdout) as FeedTrialResult, isRight: code === 0 };
}

function runTrial(
  seconds: number,
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = [join(repository, 'service', 'feed-trial.ts'), '--seconds', String(seconds)];
  const options = { cwd: repository, env: { ...basicEnvironment(), ...env } };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, options, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? 1, stdout: stdout.trim(), stderr });
    });
  });
}

/** What the trial found, for a terminal. */
function feedTable(results: Readonly<Record<string, ZoneFeedCheck>>): string {
  const head = ['zone', 'region', 'rows', 'missed', 'doubled', 'made up', 'p50 ms', 'p99 ms', 'max ms'];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const [zone, { rows, regions }] of Object.entries(results)) {
    for (const [region, one] of Object.entries(regions)) {
      const latencies = [one.latencyMsP50, one.latencyMsP99, one.latencyMsMax].map((ms) => ms.toFixed(1));
      table.push([zone, region, rows, one.missed, one.doubled, one.madeUp, ...latencies]);
    }
  }
  return table.toString();
}
