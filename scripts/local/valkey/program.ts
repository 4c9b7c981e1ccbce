import { execFileSync } from 'node:child_process';

/** A server of shared counters on this machine. */
export interface ValkeyProgram {
  /** `valkey-server` or `redis-server`, as it is found on the PATH. */
  readonly name: string;
}

/** The oldest version with a port of its own for the cluster's bus. Every Valkey is newer. */
const majorMin = 7;

/**
 * The first of `valkey-server` and `redis-server` on the PATH that is new enough, or undefined. A region doesn't need one: its tasks
 * then count each for itself.
 */
export function findValkey(
  versionOf: (name: string) => string | undefined = askVersion,
): ValkeyProgram | undefined {
  const name = ['valkey-server', 'redis-server'].find((program) => {
    const major = /\bv=(\d+)\./.exec(versionOf(program) ?? '')?.[1];
    return major !== undefined && Number(major) >= majorMin;
  });
  return name === undefined ? undefined : { name };
}

/** E.g. "Redis server v=7.0.15 sha=00000000:0 …"; undefined where there is no such program or it doesn't run. */
function askVersion(name: string): string | undefined {
  try {
    return execFileSync(name, ['--version'], {
      encoding: 'utf8',
      timeout: 5_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return undefined;
  }
}

/** For a person whose regions have several tasks and nothing to count together with. */
export const withoutValkey =
  `rate limits count in each task alone: no valkey-server or redis-server (${majorMin} or newer) on the PATH ` +
  '(Debian: apt-get install valkey-server or redis-server; macOS: brew install valkey).';
