import { createInterface } from 'node:readline';
import { descendantsOf, endProcesses, isRunning, type ProcessIdentity } from '../lib/processes.ts';

/**
 * Outlives the platform's parent process and ends what that one started. The parent holds the other end of stdin and writes one line per
 * process that it starts (`{"pid","startTime","signal"}`). When stdin ends, the parent is gone, however it went: everything that still runs is asked
 * to end, then killed. A process is known by pid and start time, so a pid that was given away meanwhile is left alone.
 */
interface Guarded extends ProcessIdentity {
  /** How it is asked to end. */
  readonly signal: 'SIGTERM' | 'SIGINT';
}

const graceMs = 5_000;
const guarded = new Map<number, Guarded>();

// Ctrl-C and the end of a terminal reach the parent, which then ends everything in order; the guard stays until it has.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  // Written by guard-link.ts, one object a line; a line cut short by the parent's death doesn't parse.
  try {
    const entry = JSON.parse(line) as Guarded;
    guarded.set(entry.pid, entry);
  } catch {
    return;
  }
});
lines.on('close', () => {
  void endAll();
});

async function endAll(): Promise<void> {
  const left = [...guarded.values()].filter(isRunning);
  const bySignal = (signal: Guarded['signal']): Guarded[] => left.filter((entry) => entry.signal === signal);
  // A database's own processes end with it, unless it has to be killed.
  const families = bySignal('SIGINT').flatMap((server) => descendantsOf(server.pid));
  await Promise.all([
    endProcesses(bySignal('SIGTERM'), 'SIGTERM', graceMs),
    endProcesses(bySignal('SIGINT'), 'SIGINT', graceMs),
  ]);
  await endProcesses(families.filter(isRunning), 'SIGQUIT', 1_000);
}
