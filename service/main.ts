import { pino } from 'pino';
import { EnvError, readEnv } from './env.ts';
import { Task } from './task.ts';

/**
 * A verify-service task as a process. SIGTERM, SIGINT and the end of the process that started it (over an IPC channel) stop it in
 * order and exit 0. The same signal once more ends it at once with exit 1; another of these doesn't, for one stop may well arrive in
 * several ways: Ctrl-C at a terminal reaches the whole group, and then the process that started us sends SIGTERM or is gone.
 */
async function main(): Promise<void> {
  const env = readEnv(process.env);
  const log = pino({
    level: env.logLevel,
    base: { zone: env.zone, region: env.region },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
  const task = new Task(env, log);
  let stoppedBy: string | null = null;

  async function stop(reason: string): Promise<void> {
    if (stoppedBy !== null) {
      if (reason === stoppedBy) process.exit(1);
      log.info({ reason, stoppedBy }, 'stopping already');
      return;
    }
    stoppedBy = reason;
    log.info({ reason }, 'stopping');
    try {
      await task.stop();
    } catch (error) {
      log.error({ err: error }, 'the task did not stop in order');
      process.exit(1);
    }
    log.info('stopped');
    process.exit(0);
  }

  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  if (process.connected) process.on('disconnect', () => void stop('the parent process is gone'));
  try {
    if ((await task.start()) === 'ready') tellParent({ kind: 'ready' });
  } catch (error) {
    // A start that is cut short by a stop fails somewhere; the stop goes on, and ends the process.
    if (stoppedBy === null) throw error;
    log.info({ err: error }, 'the start was cut short');
  }
}

/** A parent that is gone by now is told nothing; that it is gone stops us anyway. */
function tellParent(message: object): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

try {
  await main();
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  const lines = error instanceof EnvError ? reason.split('\n') : [reason];
  for (const line of lines) process.stderr.write(`keyhearth: ${line}\n`);
  process.exit(1);
}
