import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isFree } from '../lib/ports.ts';
import { commandOf } from '../lib/processes.ts';
import { UserError } from '../lib/user-error.ts';

/** Fails with `UserError` that names the first taken port, what it is for and, where the system tells, who has it. */
export async function checkPorts(uses: ReadonlyMap<number, string>): Promise<void> {
  const free = await Promise.all([...uses.keys()].map(async (port) => ({ port, free: await isFree(port) })));
  const taken = free.find((candidate) => !candidate.free);
  if (taken === undefined) return;
  throw new UserError(
    takenSentence(taken.port, uses.get(taken.port) ?? 'the platform', whoListensOn(taken.port)),
  );
}

/** One sentence on a taken port. */
export function takenSentence(
  port: number,
  use: string,
  owner: { pid: number; command: string } | undefined,
): string {
  const what = `Port ${port}, needed for ${use}, is`;
  const choose = 'or choose other ports with --port.';
  if (owner === undefined) return `${what} in use (by what could not be found out): free it, ${choose}`;
  return `${what} taken by process ${owner.pid} (${shorten(owner.command)}): end that process, ${choose}`;
}

function shorten(command: string): string {
  return command.length > 80 ? `${command.slice(0, 77)}...` : command;
}

/** Who listens on this port; undefined where the system doesn't tell (another user's process). */
function whoListensOn(port: number): { pid: number; command: string } | undefined {
  const pid = process.platform === 'linux' ? pidByProc(port) : pidByLsof(port);
  return pid === undefined ? undefined : { pid, command: commandOf(pid) };
}

function pidByLsof(port: number): number | undefined {
  try {
    const found = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-t'], { encoding: 'utf8' });
    return Number(found.trim().split('\n')[0]) || undefined;
  } catch {
    return undefined; // No lsof, or nothing that it may show us.
  }
}

function pidByProc(port: number): number | undefined {
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(file, port));
  if (inodes.length === 0) return undefined;
  const sockets = new Set(inodes.map((inode) => `socket:[${inode}]`));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => descriptorsOf(pid).some((target) => sockets.has(target)));
}

function listeningInodes(file: string, port: number): string[] {
  let table: string;
  try {
    table = readFileSync(file, 'utf8');
  } catch {
    return []; // No IPv6 on this machine.
  }
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) === true && fields[3] === '0A')
    .flatMap((fields) => fields[9] ?? []);
}

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return []; // Closed meanwhile.
      }
    });
  } catch {
    return []; // Another user's, or gone.
  }
}
