import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Whom Postgres runs as where it must not run as us. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const nobodyOfMostSystems: Account = { uid: 65_534, gid: 65_534 };

/**
 * Postgres refuses to run as root, so that root hands it to `nobody`. A uid that no passwd entry knows fails in initdb, hence the
 * look into /etc/passwd. Undefined for everybody else: they run it themselves.
 */
export function postgresAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (!existsSync('/etc/passwd')) return nobodyOfMostSystems;
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((line) => line.startsWith('nobody:'));
  const [, , uid, gid] = entry?.split(':') ?? [];
  if (uid === undefined || gid === undefined) return nobodyOfMostSystems;
  // Some systems print nobody's ids as negative numbers.
  return { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
}

/** Can `account` get as far as `path`, through every folder above it? What doesn't exist yet is left out. */
export function canTraverse(path: string, account: Account): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) {
    const shift = stat.uid === account.uid ? 6 : stat.gid === account.gid ? 3 : 0;
    if (((stat.mode >> shift) & 0o1) === 0) return false;
  }
  const parent = dirname(path);
  return parent === path || canTraverse(parent, account);
}
