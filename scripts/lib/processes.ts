import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { waitFor, WaitTimeout } from './wait.ts';

/** A process as it can be found again: a pid alone may meanwhile belong to somebody else. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it was started, in the system's own terms: only ever compared, never read. */
  readonly startTime: string;
}

/** What /proc tells of a process; undefined where it is gone or only waits for its parent to collect it. */
function readStat(pid: number): { parent: number; startTime: string } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // Gone: there is nothing else that makes this file unreadable.
  }
  // The name stands in brackets and may contain anything, so fields are counted from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { parent: Number(fields[1]), startTime: fields[19] ?? '' };
}

function ps(args: readonly string[]): string {
  try {
    return execFileSync('ps', [...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return ''; // ps exits with 1 when no process matches.
  }
}

function startTimeOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    const stat = readStat(pid);
    // Ticks since boot begin anew with each boot, so the boot belongs to it.
    return stat === undefined ? undefined : `${bootId()}/${stat.startTime}`;
  }
  const line = ps(['-o', 'state=,lstart=', '-p', String(pid)]);
  if (line === '' || line.startsWith('Z')) return undefined;
  return line.replace(/^\S+\s+/, '');
}

/** The parent of a process; undefined where it is gone. */
export function parentOf(pid: number): number | undefined {
  if (process.platform === 'linux') return readStat(pid)?.parent;
  return Number(ps(['-o', 'ppid=', '-p', String(pid)])) || undefined;
}

let knownBootId: string | undefined;
function bootId(): string {
  knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return knownBootId;
}

/** The identity of a process that runs now, or undefined. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** Does this very process still run? */
export function isRunning(identity: ProcessIdentity): boolean {
  return startTimeOf(identity.pid) === identity.startTime;
}

/** All processes below `pid`, children first. */
export function descendantsOf(pid: number): ProcessIdentity[] {
  const children = new Map<number, number[]>();
  for (const [child, parent] of allParents()) {
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [child]);
    else siblings.push(child);
  }
  const found: ProcessIdentity[] = [];
  const queue = [pid];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const child of children.get(next) ?? []) {
      queue.push(child);
      const identity = identify(child);
      if (identity !== undefined) found.push(identity);
    }
  }
  return found;
}

function allParents(): [child: number, parent: number][] {
  if (process.platform === 'linux') {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name): [number, number] => [Number(name), readStat(Number(name))?.parent ?? 0]);
  }
  return ps(['-axo', 'pid=,ppid='])
    .split('\n')
    .map((line): [number, number] => {
      const [child, parent] = line.trim().split(/\s+/);
      return [Number(child), Number(parent)];
    });
}

/** Sends a signal; a process that is gone (or whose pid belongs to another one by now) is left alone. */
function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    // It ended between the look and the signal.
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return;
    throw error;
  }
}

/** Asks the processes to end with `signal`, and ends by SIGKILL those that still run after `graceMs`. Returns when all are gone. */
export async function endProcesses(
  identities: readonly ProcessIdentity[],
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  for (const identity of identities) signalProcess(identity, signal);
  const allGone = (): boolean => !identities.some(isRunning);
  try {
    await waitFor(allGone, { what: 'processes to end', timeoutMs: graceMs });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    for (const identity of identities) signalProcess(identity, 'SIGKILL');
    await waitFor(allGone, { what: 'killed processes to end', timeoutMs: 5_000 });
  }
}

/** The command line of a process, arguments joined by spaces; empty where it is gone. */
export function commandOf(pid: number): string {
  if (process.platform !== 'linux') return ps(['-o', 'command=', '-p', String(pid)]);
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return ''; // Gone meanwhile.
  }
}
