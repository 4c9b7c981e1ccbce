import Table from 'cli-table3';
import { type CreditTrial, runCreditTrial } from './lib/credit-trial.ts';
import { UserError } from './lib/user-error.ts';
import { control } from './local/control-client.ts';
import { placesOf } from './local/places.ts';
import { runningZone } from './local/running-zones.ts';

export interface MeasureCreditsOptions {
  /** @default the first that runs */
  readonly zone?: string | undefined;
  readonly keys: number;
  /** Of each key. */
  readonly credits: number;
  /** Over all tasks of all regions. */
  readonly connections: number;
  /** Verifications a second, at most. */
  readonly rate: number;
  /** How long spending may take. */
  readonly seconds: number;
  /** Kill tasks at random meanwhile. */
  readonly kill: boolean;
  /** Pause the replication of regions at random meanwhile. */
  readonly pause: boolean;
  /** JSON on stdout instead of a table. */
  readonly json: boolean;
}

/**
 * `keyhearth measure credits`: makes keys with credits, verifies them at every task of every region at once until all refuse them, and
 * compares what was answered with the ledger. Prints it. Sets exit code 1 where more was admitted than granted, more was lost than tasks
 * that were killed may have held, or credits were left in the end. Ctrl-C ends the spending and shows what there is.
 */
export async function measureCredits(options: MeasureCreditsOptions): Promise<void> {
  const { keys, credits, connections, rate, seconds, kill, pause, json } = options;
  const [name, zone] = await runningZone(options.zone);
  const controlFile = placesOf().control;
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  const isShown = !json && process.stderr.isTTY;
  const onProgress = (admitted: number): void =>
    void process.stderr.write(`\r${name}: ${admitted}/${keys * credits}`);
  process.once('SIGINT', interrupt);
  try {
    const trial = await runCreditTrial({
      zone,
      homeUrl: () => homeUrlOf(controlFile, name),
      keys,
      credits,
      connections,
      rate,
      seconds,
      trouble: { controlFile, zone: name, kill, pause },
      signal: interrupted.signal,
      ...(isShown ? { onProgress } : {}),
    });
    if (isShown) process.stderr.write('\r\u001B[K');
    const isCutShort = !trial.isExhausted && !interrupted.signal.aborted;
    process.stdout.write(
      json ? `${JSON.stringify({ zone: name, ...trial }, null, 2)}\n` : tableOf(name, trial, seconds),
    );
    if (!trial.held || isCutShort) process.exitCode = 1;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

async function homeUrlOf(controlFile: string, zone: string): Promise<string> {
  const { databases = [] } = await control(controlFile, { name: 'databases', zone });
  const home = databases.find(({ role }) => role === 'home');
  if (home === undefined)
    throw new UserError(
      `Zone ${zone} has no home whose database runs: \`npx keyhearth local status\` shows it.`,
    );
  return home.url;
}

function tableOf(zone: string, trial: CreditTrial, secondsMax: number): string {
  const { books, granted, admitted, overspent, lost, out, lossBound, held } = trial;
  const table = new Table({
    head: ['zone', 'keys', 'granted', 'admitted', 'overspent', 'free', 'lost', 'out', 'bound', 'held'],
    style: { head: [], border: [], compact: true },
  });
  table.push([
    zone,
    trial.keys,
    granted,
    admitted,
    overspent,
    books.free,
    lost,
    out,
    lossBound,
    held ? 'yes' : 'NO',
  ]);
  const { verifications: asked, kills, pauses, seconds, localShare } = trial;
  const local = localShare === null ? 'unknown' : `${(localShare * 100).toFixed(1)} %`;
  const lines = [
    `ledger: ${books.spent} spent, ${books.leased} leased, of which ${books.lostInLeases} in ${books.lostLeases} lost leases; ${books.openLeases} leases open`,
    `verifications: ${asked.admitted} valid, ${asked.exceeded} refused, ${asked.notTaken} answered without taking any, ` +
      `${asked.unknown} without an answer (each may have taken one), ${asked.unreached} not connected`,
    `out: in leases by the ledger, and verifications without an answer; bound: two leases of each account for each task that was killed, instead of the leases by the ledger`,
    `spends that asked nobody: ${local}; ${kills} tasks killed, ${pauses} pauses of replication, ${seconds.toFixed(1)} s`,
  ];
  if (!trial.isExhausted)
    lines.push(`It was ended before every task refused every key (at most ${secondsMax} s).`);
  return `${table.toString()}\n${lines.join('\n')}\n`;
}
