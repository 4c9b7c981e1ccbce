import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunnerOption } from 'node-pg-migrate';
import type pg from 'pg';
import { errorCode } from './failures.ts';

type LoaderStrategies = NonNullable<RunnerOption['migrationLoaderStrategies']>;

/** A line of a migration's head that says that its statements run one by one, see migrationFiles. */
const ONE_BY_ONE = /^-- One by one\b/m;
const DOWN = /^-- Down Migration$/m;
const COMMENT_LINE = /^\s*--.*$/gm;
const END_OF_STATEMENT = /;[ \t]*$/m;

/** These let others read and write a table all the time. What they wait for can't wait for them, so they may wait for long. */
const HARMLESS = /\b(concurrently|validate constraint)\b/;
const CONCURRENT_INDEX = /^create index concurrently if not exists (\w+)/;
/** Tables that a statement locks, of those that are there already. */
const LOCKED_TABLE = /\b(?:alter table|references) (?:if exists )?(\w+)/g;

/** While we wait for a table, whoever wants to read it waits behind us: no longer than this, then they go first. */
const MOMENT_MS = 50;
const PAUSE_MS = 200;
/** An index that is built beside running writes waits for each transaction that is older; those of services end within seconds. */
const OLD_TRANSACTIONS_MS = 60_000;
/** SQLSTATE of a lock that wasn't to be had in time. */
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * How the migration library reads the SQL files, `-- Up Migration` and `-- Down Migration` in one. A file runs in one transaction. With a
 * line in its head that begins with `-- One by one` each statement is one of its own instead, for tables that are large and in use: no index
 * can be built beside running writes in any other way, and no table stays locked for longer than one change of it takes. Such a
 * file may be stopped anywhere and is run again from its beginning, so each of its statements must do nothing the second time
 * (`if not exists`), and an index that was left unfinished is dropped first. A statement ends with a semicolon at the end of a line; functions have no place there. `patienceMs` is how long it
 * tries to get a table.
 */
export function migrationFiles(client: pg.Client, patienceMs: number): LoaderStrategies {
  return [
    {
      extensions: ['.sql'],
      loader: async (paths) =>
        await Promise.all(
          paths.map(async (path) => {
            const text = await readFile(path, 'utf8');
            const [up = '', down = ''] = text.split(DOWN);
            if (!ONE_BY_ONE.test(up)) {
              const actions = { up: (pgm: Sql) => void pgm.sql(up), down: (pgm: Sql) => void pgm.sql(down) };
              return { id: path, filePaths: [path], actions };
            }
            // The library is in no transaction while it calls these; it then notes in one of its own that the file was applied.
            const oneByOne = (sql: string) => async (): Promise<void> => {
              for (const statement of statementsOf(sql)) await runAlone(client, statement, patienceMs);
            };
            return { id: path, filePaths: [path], actions: { up: oneByOne(up), down: oneByOne(down) } };
          }),
        ),
    },
  ];
}

interface Sql {
  sql(text: string): unknown;
}

function statementsOf(sql: string): readonly string[] {
  return sql
    .replaceAll(COMMENT_LINE, '')
    .split(END_OF_STATEMENT)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

async function runAlone(client: pg.Client, statement: string, patienceMs: number): Promise<void> {
  if (!HARMLESS.test(statement)) {
    await runInMoments(client, statement, patienceMs);
    return;
  }
  await client.query(`set lock_timeout = ${Math.max(patienceMs, OLD_TRANSACTIONS_MS)}`);
  const [, index] = CONCURRENT_INDEX.exec(statement) ?? [];
  if (index !== undefined) await dropUnfinished(client, index);
  await client.query(statement);
  await client.query(`set lock_timeout = ${patienceMs}`);
}

/** A build that was stopped leaves an index that no query uses and each write keeps up: it is there, so it wouldn't be built again. */
async function dropUnfinished(client: pg.Client, index: string): Promise<void> {
  const { rowCount } = await client.query(
    'select from pg_index where indexrelid = to_regclass($1) and not indisvalid',
    [index],
  );
  if (rowCount !== 0) await client.query(`drop index concurrently if exists ${index}`);
}

/** In one transaction. Fails as the database does, with that transaction left for the end of the session. */
async function runInMoments(client: pg.Client, statement: string, patienceMs: number): Promise<void> {
  const beganMs = performance.now();
  const tables = [...new Set([...statement.matchAll(LOCKED_TABLE)].map(([, table]) => table))];
  await client.query('begin');
  if (tables.length > 0) {
    // No read or write waits for this lock. Autovacuum may be in its way for long; the server ends that for us, but not within a moment.
    await client.query(`set local lock_timeout = ${patienceMs}`);
    await client.query(`lock table ${tables.join(', ')} in share update exclusive mode`);
  }
  await client.query(`set local lock_timeout = ${Math.min(patienceMs, MOMENT_MS)}; savepoint before`);
  for (;;) {
    try {
      await client.query(statement);
      break;
    } catch (error) {
      const again = errorCode(error) === LOCK_NOT_AVAILABLE && performance.now() - beganMs < patienceMs;
      if (!again) throw error;
      await client.query('rollback to savepoint before');
      await delay(PAUSE_MS);
    }
  }
  await client.query('commit');
}
