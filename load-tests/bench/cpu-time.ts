import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Linux counts a process's time in these, whatever its own clock's frequency. */
const TICKS_PER_S = 100;

/** CPU time, user and system, that a process has used since it started, in seconds; to 10 ms on Linux, to 10 ms or 1 s elsewhere. */
export async function cpuTimeS(pid: number): Promise<number> {
  if (process.platform === 'linux') return parseProcStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
  const { stdout } = await promisify(execFile)('ps', ['-o', 'time=', '-p', String(pid)]);
  return parsePsTime(stdout);
}

/** Fields 14 and 15 of /proc/<pid>/stat; the second one, in brackets, may hold spaces and brackets itself. */
export function parseProcStat(text: string): number {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [userTicks, systemTicks] = [Number(fields[11]), Number(fields[12])];
  return (userTicks + systemTicks) / TICKS_PER_S;
}

/** `[hours:]minutes:seconds` as `ps` prints it. */
export function parsePsTime(text: string): number {
  return text
    .trim()
    .split(':')
    .reduce((total, part) => total * 60 + Number(part), 0);
}
