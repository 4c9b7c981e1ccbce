import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { ADVISORY_LOCKS } from '../domain/advisory-locks.ts';
import { type DatabaseAccess, PLAIN_ACCESS } from './access.ts';
import { migrationFiles } from './migration-files.ts';
import { rowsOf } from './rows.ts';
import { MIGRATIONS_TABLE, readSchemaVersion } from './schema-version.ts';

export interface ApplyOptions {
  /** Folder of the SQL files. @default those of this service */
  readonly directory?: string;
  /** How long a migration waits for a table that others use. @default 5000 */
  readonly lockTimeoutMs?: number;
  readonly onWarning: (message: string) => void;
}

export interface MigrateOptions extends ApplyOptions {
  /** `postgres://…` of the home's writer. */
  readonly url: string;
  /** @default the password in the URL, no TLS */
  readonly access?: DatabaseAccess;
}

export interface Migrated {
  /** Names of the migrations that were applied now; none where the schema fits. */
  readonly applied: readonly string[];
  /** Schema version after it. */
  readonly schema: number;
}

/**
 * The folder of the SQL files. It lies beside this file, and beside the one file that an entry is bundled into: both are found in
 * the same way.
 */
export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('./migrations', import.meta.url));

const CONNECTION_TIMEOUT_MS = 5000;
/** For what takes a server a moment: one that is silent for longer, once it has let us in, is as good as gone. */
export const ANSWER_TIMEOUT_MS = 3000;
/** Another migration may have much to do; one that takes longer than this is stuck. */
const OTHER_MIGRATION_TIMEOUT_MS = 15 * 60_000;
const OTHER_MIGRATION_POLL_MS = 100;
/** The migration library pauses for moments only: a client that is silent for so long is gone, and its locks must not stay. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

/**
 * Applies what is missing under a lock: several may run at once, one does the work and the others find it done. Does nothing where the
 * schema fits. Fails as the database does; what was applied before stays, and the next run goes on from there (see migrationFiles).
 */
export async function migrate(options: MigrateOptions): Promise<Migrated> {
  const client = migrationClient(options.url, options.access ?? PLAIN_ACCESS, options.onWarning);
  try {
    await client.connect();
    await lockMigrations(client, OTHER_MIGRATION_TIMEOUT_MS);
    return await applyMigrations(client, options);
  } finally {
    // It ends the session, and the lock with it.
    await client.end();
  }
}

/** A client, not yet connected, for a session in which migrations run. `password` replaces the URL's. */
export function migrationClient(
  url: string,
  access: DatabaseAccess,
  onWarning: (message: string) => void,
  password?: string,
): pg.Client {
  const timeout = { connectionTimeoutMs: CONNECTION_TIMEOUT_MS };
  const client = new pg.Client({
    ...access.clientConfig(url, password === undefined ? timeout : { ...timeout, password }),
    application_name: 'keyhearth migrate',
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
  });
  client.on('error', (error) => onWarning(error.message));
  // The library keeps the socket of a client whose password can't be had, which would hold this process for a minute.
  const { connection } = client;
  connection.on('error', () => void connection.stream.destroy());
  return client;
}

/** Another migration has been running for as long as we wait. Its code is SQLSTATE's for a lock that wasn't to be had in time. */
class OtherMigration extends Error {
  readonly code = '55P03';
}

/**
 * Takes the lock of migrations for the session, waiting so long at most; then fails with SQLSTATE 55P03, or, where the server is
 * silent, as a connection does. The session's statements have no limit from here on.
 */
export async function lockMigrations(client: pg.Client, waitMs: number): Promise<void> {
  // No limit on a statement or on the whole, whatever the role's own settings are: an index over all keys takes as long as it
  // takes, and one that is cancelled half-way begins again at nothing with the next try. But once nobody waits for it any more, it
  // is given up, or its locks would stay until it had finished for nobody.
  await queryInTime(
    client,
    `set statement_timeout = 0; set transaction_timeout = 0; set client_connection_check_interval = '5s'`,
    ANSWER_TIMEOUT_MS,
  );
  const beganMs = performance.now();
  // Asked for again and again: a session that waited in one statement would be an old transaction to whoever has the lock, who
  // waits for the end of those while it builds an index beside running writes.
  for (;;) {
    const { rows } = await queryInTime<{ locked: boolean }>(
      client,
      `select pg_try_advisory_lock(${ADVISORY_LOCKS.migration}) as locked`,
      ANSWER_TIMEOUT_MS,
    );
    if (rows[0]?.locked === true) return;
    if (performance.now() - beganMs >= waitMs) {
      throw new OtherMigration(`another migration has been running for more than ${waitMs} ms`);
    }
    await delay(OTHER_MIGRATION_POLL_MS);
  }
}

/** A query that isn't waited for longer than this: then it fails as a connection does, and the session is to be ended. */
export async function queryInTime<Row extends pg.QueryResultRow>(
  client: pg.Client,
  text: string,
  timeoutMs: number,
): Promise<pg.QueryResult<Row>> {
  // Known to the library, not to its types.
  const query = { text, query_timeout: timeoutMs };
  return await client.query<Row>(query);
}

/** Applies what is missing, in a session that has the lock of migrations. The session is to be ended where it fails. */
export async function applyMigrations(client: pg.Client, options: ApplyOptions): Promise<Migrated> {
  const lockTimeoutMs = options.lockTimeoutMs ?? 5000;
  // While we wait for a table's lock, every query on that table queues up behind us: better to fail, and to be run again.
  await client.query(`set lock_timeout = ${lockTimeoutMs}`);
  const done = await runner({
    dbClient: client,
    dir: options.directory ?? MIGRATIONS_DIRECTORY,
    migrationsTable: MIGRATIONS_TABLE,
    direction: 'up',
    // A file's tables aren't to stay locked for the files after it.
    singleTransaction: false,
    migrationLoaderStrategies: migrationFiles(client, lockTimeoutMs),
    checkOrder: true,
    noLock: true,
    logger: { info: () => {}, warn: options.onWarning, error: options.onWarning },
  });
  return {
    applied: done.map((migration) => migration.name),
    schema: await readSchemaVersion(rowsOf(client)),
  };
}
