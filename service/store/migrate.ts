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
  readonly onWarning: (message: string) => void;
}

export interface Migrated {
  /** Names of the migrations that were applied now; none where the schema fits. */
  readonly applied: readonly string[];
  /** Schema version after it. */
  readonly schema: number;
}

/**
 * Applies what is missing, all in one transaction, under a lock: several may run at once, one does the work and the others
 * find it done. Does nothing where the schema fits. Fails as the database does, with nothing applied.
 */
export async function migrate(options: MigrateOptions): Promise<Migrated> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: 'keyhearth migrate',
    connectionTimeoutMillis: 5000,
    // Waiting for another migration may take long. Waiting for a table's lock may not, for every query would queue up behind us.
    statement_timeout: 300_000,
    lock_timeout: 60_000,
  });
  client.on('error', (error) => options.onWarning(error.message));
  await client.connect();
  try {
    const done = await runner({
      dbClient: client,
      dir: options.directory ?? fileURLToPath(new URL('./migrations', import.meta.url)),
      migrationsTable: MIGRATIONS_TABLE,
      direction: 'up',
      singleTransaction: true,
      checkOrder: true,
      lockValue: ADVISORY_LOCKS.migration,
      advisoryLockMode: 'wait',
      logger: { info: () => {}, warn: options.onWarning, error: options.onWarning },
    });
    return {
      applied: done.map((migration) => migration.name),
      schema: await readSchemaVersion(rowsOf(client)),
    };
  } finally {
    await client.end();
  }
}
