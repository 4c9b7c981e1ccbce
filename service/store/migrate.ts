import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { ADVISORY_LOCKS } from '../domain/advisory-locks.ts';
import { rowsOf } from './rows.ts';
import { MIGRATIONS_TABLE, readSchemaVersion } from './schema-version.ts';

export interface MigrateOptions {
  /** `postgres://…` of the home's writer. */
  readonly url: string;
  /** Folder of the SQL files. @default those of this service */
  readonly directory?: string;
  /** How long a migration waits for a table that others use. @default 5000 */
  readonly lockTimeoutMs?: number;
  readonly onWarning: (message: string) => void;
}

export interface Migrated {
  /** Names of the migrations that were applied now; none where the schema fits. */
  readonly applied: readonly string[];
  /** Schema version after it. */
  readonly schema: number;
}

/** Another migration may have much to do; one that takes longer than this is stuck. */
const OTHER_MIGRATION_TIMEOUT_MS = 15 * 60_000;
/** The migration library pauses for moments only: a client that is silent for so long is gone, and its locks must not stay. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

/**
 * Applies what is missing, all in one transaction, under a lock: several may run at once, one does the work and the others
 * find it done. Does nothing where the schema fits. Fails as the database does, with nothing applied.
 */
export async function migrate(options: MigrateOptions): Promise<Migrated> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: 'keyhearth migrate',
    connectionTimeoutMillis: 5000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
  });
  client.on('error', (error) => options.onWarning(error.message));
  await client.connect();
  try {
    // No limit on a statement or on the whole, whatever the role's own settings are: an index over all keys takes as long as it
    // takes, and one that is cancelled half-way begins again at nothing with the next try.
    await client.query('set statement_timeout = 0; set transaction_timeout = 0');
    // The library would wait for its turn under the same limit as for a table's lock, so we take the lock ourselves.
    await client.query(`set lock_timeout = ${OTHER_MIGRATION_TIMEOUT_MS}`);
    await client.query(`select pg_advisory_lock(${ADVISORY_LOCKS.migration})`);
    // While we wait for a table's lock, every query on that table queues up behind us: better to fail, and to be run again.
    await client.query(`set lock_timeout = ${options.lockTimeoutMs ?? 5000}`);
    const done = await runner({
      dbClient: client,
      dir: options.directory ?? fileURLToPath(new URL('./migrations', import.meta.url)),
      migrationsTable: MIGRATIONS_TABLE,
      direction: 'up',
      singleTransaction: true,
      checkOrder: true,
      noLock: true,
      logger: { info: () => {}, warn: options.onWarning, error: options.onWarning },
    });
    return {
      applied: done.map((migration) => migration.name),
      schema: await readSchemaVersion(rowsOf(client)),
    };
  } finally {
    // It ends the session, and the lock with it.
    await client.end();
  }
}
