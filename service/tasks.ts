import { parseArgs } from 'node:util';
import { accessFrom } from './database-access.ts';
import { readSettings } from './env.ts';
import { forgetTask, listTasks } from './home/known-tasks.ts';
import { sentenceOf } from './sentence.ts';
import { SETTINGS } from './settings.ts';
import { createPool } from './store/pool.ts';
import { rowsOf } from './store/rows.ts';

/**
 * One-off entry: `list` prints the tasks that home knows, one JSON line each; `forget <taskId>` states that a task's process is
 * known to have stopped, and prints one JSON line. A failure is one sentence on stderr and exit code 1.
 */
const USAGE = 'use: tasks.ts list, or tasks.ts forget <taskId> [--force].';
const RECENT_MS = 10_000;

try {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`);
} catch (error) {
  process.stderr.write(`Nothing was done: ${sentenceOf(error)}\n`);
  process.exitCode = 1;
}

async function run(): Promise<readonly object[]> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { force: { type: 'boolean', default: false } },
  });
  const [command, taskId, ...more] = positionals;
  const listing = command === 'list' && taskId === undefined && !values.force;
  if (!listing && (command !== 'forget' || taskId === undefined || more.length > 0)) throw new Error(USAGE);
  const { url } = readSettings({ url: SETTINGS.writerUrl }, process.env);
  const pool = createPool({
    url,
    access: accessFrom(process.env),
    applicationName: 'keyhearth tasks',
    connections: 1,
    onIdleError: (error) => void process.stderr.write(`${error.message}\n`),
  });
  try {
    if (taskId === undefined) return await listTasks(rowsOf(pool));
    await forgetTask(rowsOf(pool), { taskId, recentMs: RECENT_MS, force: values.force });
    return [{ taskId, stopped: true }];
  } finally {
    await pool.end();
  }
}
