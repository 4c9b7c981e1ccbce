import { pino } from 'pino';
import { EnvError, readEnv } from './env.ts';
import { Task } from './task.ts';

/**
 * A verify-service task as a process. SIGTERM, SIGINT and the end of the process that started it (over an IPC channel) stop it in
 * order and exit 0; a second signal ends it at once.
 */
async function main(): Promise<void> {
  const env = readEnv(process.env);
  const log = pino({
    level: env.logLevel,
    base: { zone: env.zone, region: env.region },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
  const task = new Task(env, log);
  let stopping = false;

  async function stop(reason: string): Promise<void> {
    if (stopping) process.exit(1);
    stopping = true;
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
  if ((await task.start()) === 'ready') process.send?.({ kind: 'ready' });
}

try {
  await main();
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  const lines = error instanceof EnvError ? reason.split('\n') : [reason];
  for (const line of lines) process.stderr.write(`keyhearth: ${line}\n`);
  process.exit(1);
}
