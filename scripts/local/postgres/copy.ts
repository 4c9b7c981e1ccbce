import { constants } from 'node:fs';
import { chown, copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../lib/user-error.ts';
import type { Account } from './account.ts';

/** Folders that a copy has empty: their content belongs to the running server or comes by streaming. */
const emptyInCopy = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);

const neverCopied = new Set([
  'postmaster.pid',
  'postmaster.opts',
  'standby.signal',
  'recovery.signal',
  'backup_label',
  'tablespace_map',
  'backup_manifest',
]);

/** Says where the last checkpoint is: copied last, as pg_basebackup does. */
const controlFile = join('global', 'pg_control');

/**
 * Copies the data directory of a server that is in backup mode, as pg_basebackup would. Files that vanish meanwhile are dropped
 * relations: the log that is replayed afterwards knows of them.
 */
export async function copyDataDirectory(
  from: string,
  to: string,
  account: Account | undefined,
): Promise<void> {
  const own = async (path: string): Promise<void> => {
    if (account !== undefined) await chown(path, account.uid, account.gid);
  };
  const copy = async (path: string): Promise<void> => {
    const target = join(to, path);
    try {
      await copyFile(join(from, path), target, constants.COPYFILE_FICLONE);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return;
      throw error;
    }
    await own(target);
  };
  const copyFolder = async (folder: string): Promise<void> => {
    const entries = await readdir(join(from, folder), { withFileTypes: true });
    await Promise.all(
      entries.map(async (entry) => {
        const path = join(folder, entry.name);
        if (neverCopied.has(path) || path === controlFile || entry.name.startsWith('pgsql_tmp')) return;
        if (entry.isFile()) await copy(path);
        if (!entry.isDirectory()) return;
        await mkdir(join(to, path), { mode: 0o700 });
        await own(join(to, path));
        if (!emptyInCopy.has(path)) await copyFolder(path);
      }),
    );
  };
  await copyFolder('');
  for (const folder of ['archive_status', 'summaries']) {
    await mkdir(join(to, 'pg_wal', folder), { mode: 0o700 });
    await own(join(to, 'pg_wal', folder));
  }
  await copy(controlFile);
}
