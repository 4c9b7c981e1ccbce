import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Outside the repository, kept between runs. */
export const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'keyhearth-image-test');

/** Files that a process may open here at most: a container can't be given more, however many it asks for. */
const NOFILE_MAX = Number(
  /Max open files\s+\d+\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1],
);
/** What a task gets on Fargate, or as much of it as this machine gives. */
export const NOFILE = Math.min(65_535, NOFILE_MAX);

/** Settings that work without systemd and with any runtime that can start containers on a plain kernel. */
export function environment(): NodeJS.ProcessEnv {
  mkdirSync(CACHE, { recursive: true });
  const file = join(CACHE, 'containers.conf');
  const settings = [
    '[containers]',
    `default_ulimits = ["nofile=${NOFILE}:${NOFILE}", "nproc=4096:4096"]`,
    '[engine]',
    ...(existsSync('/usr/sbin/runc') || existsSync('/usr/bin/runc') ? ['runtime = "runc"'] : []),
    'cgroup_manager = "cgroupfs"',
    'events_logger = "file"',
    '',
  ];
  writeFileSync(file, settings.join('\n'));
  return { ...process.env, CONTAINERS_CONF: file, BUILDAH_ISOLATION: 'chroot' };
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever its exit code, with the settings above. Fails where it can't be started. */
export function tryRun(program: string, args: readonly string[]): Ran {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    env: environment(),
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined)
    throw new Error(`${program} can't be run here: ${error.message}`, { cause: error });
  return { status: status ?? -1, stdout, stderr };
}

/** Like `tryRun`; fails with all that it said unless it ended with 0. Returns its stdout. */
export function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = tryRun(program, args);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: exit code ${status}\n${stdout}${stderr}`);
  return stdout.trim();
}
