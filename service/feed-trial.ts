import { parseArgs } from 'node:util';
import { systemClock } from './clock.ts';
import { PostgresFeedReader } from './store/feed-reader.ts';
import { runFeedTrial } from './store/feed-trial.ts';
import { createPool } from './store/pool.ts';

/**
 * One-off task: the feed's trial on a live zone. Environment: KEYHEARTH_WRITER_URL, and KEYHEARTH_READER_URLS as
 * `name=postgres://…` pairs, separated by commas. Prints one line of JSON; exit code 1 where rows were missed, doubled or made up.
 */
const MAX_SECONDS = 300;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } });
  const seconds = Number(values.seconds);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_SECONDS) {
    throw new Error(`--seconds must be a whole number from 1 to ${MAX_SECONDS}`);
  }
  const writerUrl = required('KEYHEARTH_WRITER_URL');
  const onIdleError = (): void => {};
  // The transaction that is held open must not meet the limits that protect the feed from such transactions.
  const writer = createPool({
    url: writerUrl,
    applicationName: 'keyhearth feed trial',
    connections: 9,
    transactionTimeoutMs: 60_000,
    idleInTransactionTimeoutMs: 60_000,
    onIdleError,
  });
  const pools = readerUrls().map(([name, url]) => {
    const pool = createPool({ url, applicationName: 'keyhearth feed trial', connections: 1, onIdleError });
    return { name, pool };
  });
  try {
    const result = await runFeedTrial({
      writer,
      readers: pools.map(({ name, pool }) => new PostgresFeedReader({ name, pool, recordsPool: pool })),
      clock: systemClock,
      writers: 8,
      durationMs: seconds * 1000,
      openTransactionMs: Math.min(5000, seconds * 1000),
      pollMs: 50,
    });
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return result.readers.every((one) => one.missed + one.doubled + one.phantom === 0) ? 0 : 1;
  } finally {
    await Promise.all([writer.end(), ...pools.map(async ({ pool }) => await pool.end())]);
  }
}

function readerUrls(): [name: string, url: string][] {
  return required('KEYHEARTH_READER_URLS')
    .split(',')
    .map((pair) => {
      const at = pair.indexOf('=postgres');
      if (at < 1)
        throw new Error('KEYHEARTH_READER_URLS must be name=postgres://… pairs, separated by commas');
      return [pair.slice(0, at), pair.slice(at + 1)];
    });
}

function required(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === '') throw new Error(`${variable} is missing`);
  return value;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`feed trial: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
