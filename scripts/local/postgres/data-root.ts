import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../../lib/user-error.ts';
import { canTraverse, postgresAccount } from './account.ts';

export interface DataRoot {
  readonly path: string;
  /** One sentence, where it isn't the place that was asked for. */
  readonly note: string | undefined;
}

/**
 * Makes the folder under which data directories may lie. As root that is a place which Postgres' own user can reach: `preferred`, or
 * where a folder above it is closed to others (a repository under /root), one under /var/tmp that belongs to this path alone.
 */
export function makeDataRoot(preferred: string): DataRoot {
  const account = postgresAccount();
  mkdirSync(preferred, { recursive: true, mode: 0o711 });
  if (account === undefined) return { path: preferred, note: undefined };
  // Whatever the umask says.
  chmodSync(preferred, 0o711);
  if (canTraverse(preferred, account)) return { path: preferred, note: undefined };
  const path = `/var/tmp/keyhearth-${createHash('sha256').update(resolve(preferred)).digest('hex').slice(0, 12)}`;
  mkdirSync(path, { recursive: true, mode: 0o711 });
  if (statSync(path).uid !== process.getuid?.()) {
    throw new UserError(
      `The folder ${path} belongs to somebody else, so data can't be kept there: remove it and start again.`,
    );
  }
  chmodSync(path, 0o711);
  return {
    path,
    note: `Postgres doesn't run as root and its user can't get into ${preferred}, so data is kept in ${path}.`,
  };
}
