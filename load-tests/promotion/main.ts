import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { follow, promote } from '../../scripts/local/postgres/replication.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { startConstantLoad, type Window } from './constant-load.ts';
import { startZone, type BenchZone } from './zone.ts';

/**
 * `npm run bench:promotion`: what a replica's clients feel when home is lost and another region takes over, with all keys hot. A
 * zone of three regions (real Postgres, one service process each) is started for it and removed afterwards. Verifications go to
 * the third region at a constant rate, whatever the answers take, and are counted from the moment at which they were due.
 *
 *     npm run bench:promotion -- [--keys 100000] [--rate 500] [--json]
 */
interface Phase extends Window {
  readonly phase: string;
  readonly seconds: number;
}

const PHASE_MS = 5000;
const TIMEOUT_MS = 60_000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      keys: { type: 'string', default: '100000' },
      rate: { type: 'string', default: '500' },
      json: { type: 'boolean', default: false },
    },
  });
  const [keys, rate] = [
    wholeNumber('--keys', values.keys, 1_000_000),
    wholeNumber('--rate', values.rate, 5000),
  ];
  const say = (text: string): void => void (values.json || process.stderr.write(`${text}\n`));
  say(`Starting a zone of three regions with ${keys} keys …`);
  const zone = await startZone(keys);
  try {
    const phases = await measure(zone, rate, say);
    if (values.json) process.stdout.write(`${JSON.stringify({ keys, rate, phases })}\n`);
    else
      process.stdout.write(
        `${tableOf(phases)}\n${keys} hot keys, ${rate} verifications per second through one region.\n`,
      );
  } finally {
    await zone.stop();
  }
}

async function measure(zone: BenchZone, rate: number, say: (text: string) => void): Promise<Phase[]> {
  const { home, next, third } = zone.nodes;
  const load = startConstantLoad({ url: zone.thirdUrl, rootKey: zone.rootKey, bodies: zone.bodies, rate });
  const phases: Phase[] = [];
  const during = async (phase: string, work: () => Promise<void>): Promise<void> => {
    say(phase);
    load.cut();
    const beganAtMs = performance.now();
    await work();
    phases.push({ phase, seconds: Math.round(performance.now() - beganAtMs) / 1000, ...load.cut() });
  };
  const pause = async (): Promise<void> => await new Promise((resolve) => setTimeout(resolve, PHASE_MS));
  try {
    await during('warming up the connections', pause);
    await during('all well', pause);
    await during('home’s database killed', async () => {
      await home.kill();
      await pause();
    });
    await during('another region promoted, until every key was read again', async () => {
      await promote(next);
      follow(third, next);
      await waitFor(
        async () => (await zone.thirdMetric('keyhearth_reverified_records_total')) >= zone.bodies.length,
        {
          what: 'the third region to read its keys again',
          timeoutMs: TIMEOUT_MS,
        },
      );
    });
    await during('all well again', pause);
  } finally {
    await load.stop();
  }
  return phases.slice(1);
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`${name} must be a whole number from 1 to ${max}`);
}

function tableOf(phases: readonly Phase[]): string {
  const head = ['phase', 'seconds', 'answers', 'not VALID', 'p50 ms', 'p99 ms', 'max ms'];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const { phase, seconds, answers, failures, p50Ms, p99Ms, maxMs } of phases) {
    table.push([
      phase,
      seconds.toFixed(1),
      answers,
      failures,
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
      maxMs.toFixed(1),
    ]);
  }
  return table.toString();
}

try {
  await main();
} catch (error) {
  process.stderr.write(
    `The measurement failed: ${error instanceof Error ? error.message : String(error)}.\n`,
  );
  process.exitCode = 1;
}
