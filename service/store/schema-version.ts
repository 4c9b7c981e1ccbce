import type { Rows } from '../manage/ports.ts';

/** Where the migration library notes what it has applied. */
export const MIGRATIONS_TABLE = 'schema_migrations';

/**
 * The schema versions that this service can work with. A version is the number of the last migration. Migrations of one hundred
 * (0101, 0102, …) only add, so a service of that hundred works with all of them; what takes something away opens the next
 * hundred and may only be applied once every running service names that hundred in its range: expand first, contract later.
 */
export const SUPPORTED_SCHEMA = { min: 104, max: 199 } as const;

/** Number of the last applied migration; 0 for an empty database. Fails as the database does. */
export async function readSchemaVersion(db: Rows): Promise<number> {
  const [found] = await db.query<{ present: boolean }>(
    `select to_regclass('${MIGRATIONS_TABLE}') is not null as present`,
  );
  if (found?.present !== true) return 0;
  const [row] = await db.query<{ version: number | null }>(
    `select max(substring(name from '^[0-9]+')::integer) as version from ${MIGRATIONS_TABLE}`,
  );
  return row?.version ?? 0;
}

/** Names of the applied migrations, e.g. `0101_base`; none for an empty database. Fails as the database does. */
export async function readAppliedMigrations(db: Rows): Promise<readonly string[]> {
  if ((await readSchemaVersion(db)) === 0) return [];
  const rows = await db.query<{ name: string }>(`select name from ${MIGRATIONS_TABLE} order by name`);
  return rows.map((row) => row.name);
}

export function isSupportedSchema(version: number): boolean {
  return version >= SUPPORTED_SCHEMA.min && version <= SUPPORTED_SCHEMA.max;
}
