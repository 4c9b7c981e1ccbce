import { readdirSync } from 'node:fs';
import pg from 'pg';
import type { DatabaseAccess } from './access.ts';
import { APP_ROLE } from './app-role.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { errorCode, isConnectionFailure, isRefusedConnection } from './failures.ts';
import {
  ANSWER_TIMEOUT_MS,
  applyMigrations,
  lockMigrations,
  migrationClient,
  MIGRATIONS_DIRECTORY,
  queryInTime,
} from './migrate.ts';
import { asOwner, deniedRights, grantTables, makeRoles } from './roles.ts';
import { rowsOf } from './rows.ts';
import {
  isSupportedSchema,
  readAppliedMigrations,
  readSchemaVersion,
  SUPPORTED_SCHEMA,
} from './schema-version.ts';

export interface PrepareOptions {
  /** How services get in. */
  readonly access: DatabaseAccess;
  /** Of the region's own readers, as services have them: with the app's role. */
  readonly readerUrls: readonly string[];
  /** Where the writer may be, without password: the first that accepts writes is taken. */
  readonly masterUrls: readonly string[];
  readonly masterPassword: string;
  /** For servers that know no IAM tokens; null: the app's password is left as it is. */
  readonly appPassword: string | null;
  /** Folder of the SQL files. @default those of this service */
  readonly directory?: string;
  /** How long to wait for another migration. @default 60000 */
  readonly lockWaitMs?: number;
  readonly onWarning: (message: string) => void;
}

export interface Prepared {
  readonly schema: number;
  /** Names of the migrations that were applied now. */
  readonly applied: readonly string[];
  readonly reason: string;
  /** True: something is left to do, which can't be done now and doesn't keep services of this version from running. */
  readonly postponed: boolean;
}

/** What the app role sees on the region's own reader. */
interface Look {
  readonly schema: number;
  /** Names of what this version ships and the reader doesn't show. */
  readonly missing: readonly string[];
  /** The app may write where it must not. */
  readonly tooMighty: boolean;
}

const LOOK_TIMEOUT_MS = 3000;
const LOCK_WAIT_MS = 60_000;
const TABLE_LOCK_TIMEOUT_MS = 5000;
/** SQLSTATE of a lock that wasn't to be had in time. */
const LOCK_NOT_AVAILABLE = '55P03';
/** SQLSTATE of a log-in that was refused for its password. */
const WRONG_PASSWORD = '28P01';

/**
 * Makes a database fit for services of this version: roles, rights, schema. Asks the region's own reader first, as the app, and is
 * done where that shows everything that this version ships: so new tasks start while home is lost. What is missing is done at the
 * writer, as its master user. Where there is no writer now, or another migration runs for long, an older schema that this version
 * supports will do. Several may run at once. Throws an Error, one sentence with the fix and no secret.
 */
export async function prepareDatabase(options: PrepareOptions): Promise<Prepared> {
  checkUrls(options);
  const seen = await lookAtReaders(options);
  if (typeof seen !== 'string') {
    const { schema, missing, tooMighty } = seen;
    if (schema > SUPPORTED_SCHEMA.max) throw tooNew(schema);
    if (missing.length === 0 && !tooMighty && isSupportedSchema(schema)) {
      const reason = 'the reader shows everything that this version ships';
      return { schema, applied: [], reason, postponed: false };
    }
  }
  const writer = await findWriter(options);
  if (typeof writer === 'string') return withoutWriter(seen, writer);
  try {
    return await prepareWriter(writer.client, writer.url, options);
  } catch (error) {
    if (error instanceof NotNow) return withoutWriter(seen, error.message);
    throw error;
  } finally {
    // It ends the session, and the lock with it.
    leave(writer.client);
  }
}

/** What is missing can't be applied now. That is no reason not to start, where this version works with what is there. */
function withoutWriter(seen: Look | string, why: string): Prepared {
  if (typeof seen === 'string') {
    throw new Error(`${why}, and ${seen}: bring one of the databases back, then start this again`);
  }
  const { schema, missing } = seen;
  if (!isSupportedSchema(schema)) {
    throw new Error(
      `${why}, and schema ${schema} is too old for this version: bring the writer back, then start this again`,
    );
  }
  const rest = missing.length === 0 ? 'the rights of the app' : missing.join(', ');
  const reason = `${why}; schema ${schema} will do for this version, and ${rest} must be applied later`;
  return { schema, applied: [], reason, postponed: true };
}

/** Nothing was begun at the writer; its message says why. */
class NotNow extends Error {}

async function prepareWriter(client: pg.Client, url: string, options: PrepareOptions): Promise<Prepared> {
  const waitMs = options.lockWaitMs ?? LOCK_WAIT_MS;
  try {
    await lockMigrations(client, waitMs);
  } catch (error) {
    if (errorCode(error) === LOCK_NOT_AVAILABLE) {
      throw new NotNow(`another migration has been running for more than ${waitMs} ms`, { cause: error });
    }
    if (!isConnectionFailure(error)) throw error;
    throw new NotNow(`the writer was lost: ${placeOf(url)} (${messageOf(error)})`, { cause: error });
  }
  await client.query(`set lock_timeout = ${TABLE_LOCK_TIMEOUT_MS}`);
  try {
    const { passwordUnknown } = await makeRoles(client, options);
    if (passwordUnknown && options.appPassword !== null) {
      await tryAppPassword(url, options.access, options.appPassword);
    }
    const { applied, schema } = await asOwner(client, async () => {
      // The readers may have been silent, or behind.
      const before = await readSchemaVersion(rowsOf(client));
      if (before > SUPPORTED_SCHEMA.max) throw tooNew(before);
      const migrated = await applyMigrations(client, { ...options, lockTimeoutMs: TABLE_LOCK_TIMEOUT_MS });
      await grantTables(client);
      return migrated;
    });
    const reason = applied.length === 0 ? 'the writer had everything' : 'migrations were missing';
    return { schema, applied, reason, postponed: false };
  } catch (error) {
    if (errorCode(error) !== LOCK_NOT_AVAILABLE) throw error;
    throw new Error(
      'a table stayed in use by others for too long, so not everything was applied: start this again',
      { cause: error },
    );
  }
}

/**
 * Throws an Error naming the fix where the server knows the app by another password than the one that we have: only a superuser can
 * change it then. Whatever else keeps the app out is found by those who log in as it.
 */
async function tryAppPassword(url: string, access: DatabaseAccess, appPassword: string): Promise<void> {
  const asApp = new URL(url);
  asApp.username = APP_ROLE;
  const client = migrationClient(asApp.href, access, () => {}, appPassword);
  try {
    await client.connect();
  } catch (error) {
    if (errorCode(error) !== WRONG_PASSWORD) return;
    throw new Error(
      `KEYHEARTH_APP_PASSWORD is not the password of ${APP_ROLE} at ${placeOf(url)}, and the master user may not change it: give the present one, or alter role ${APP_ROLE} password '…' as a superuser`,
      { cause: error },
    );
  } finally {
    leave(client);
  }
}

function tooNew(schema: number): Error {
  return new Error(
    `the database has schema ${schema}, and this version works with ${SUPPORTED_SCHEMA.min} to ${SUPPORTED_SCHEMA.max}: deploy a newer version`,
  );
}

/** Throws an Error naming the setting. */
function checkUrls({ readerUrls, masterUrls }: PrepareOptions): void {
  for (const url of readerUrls) {
    const { user } = parseDatabaseUrl(url);
    if (user !== APP_ROLE) {
      throw new Error(
        `KEYHEARTH_READER_URLS names role "${user}", and services are to log in as ${APP_ROLE}, which this makes: name that one`,
      );
    }
  }
  for (const url of masterUrls) {
    if (parseDatabaseUrl(url).password !== undefined) {
      throw new Error(
        'KEYHEARTH_MASTER_URLS carries a password: take it out and give it as KEYHEARTH_MASTER_PASSWORD',
      );
    }
  }
}

/** What the first reader that answers shows, or, where none does, why. */
async function lookAtReaders(options: PrepareOptions): Promise<Look | string> {
  const shipped = readdirSync(options.directory ?? MIGRATIONS_DIRECTORY)
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .toSorted();
  const reasons: string[] = [];
  for (const url of options.readerUrls) {
    const client = new pg.Client({
      ...options.access.clientConfig(url, { connectionTimeoutMs: LOOK_TIMEOUT_MS }),
      application_name: 'keyhearth prepare',
      connectionTimeoutMillis: LOOK_TIMEOUT_MS,
      statement_timeout: LOOK_TIMEOUT_MS,
      query_timeout: LOOK_TIMEOUT_MS,
    });
    // Told by whatever query or end is under way.
    client.on('error', () => {});
    try {
      await client.connect();
      return await lookAt(client, shipped);
    } catch (error) {
      reasons.push(`${placeOf(url)} (${messageOf(error)})`);
    } finally {
      leave(client);
    }
  }
  return `no reader answers as ${APP_ROLE}: ${reasons.join(', ')}`;
}

async function lookAt(client: pg.Client, shipped: readonly string[]): Promise<Look> {
  const rows = rowsOf(client);
  const applied = new Set(await readAppliedMigrations(rows));
  const schema = await readSchemaVersion(rows);
  const denied = deniedRights();
  const [found] = await rows.query<{ mighty: boolean }>(
    `select coalesce(bool_or(has_table_privilege(to_regclass(one.name), one.may)), false) as mighty
     from unnest($1::text[], $2::text[]) as one (name, may) where to_regclass(one.name) is not null`,
    [denied.map(([table]) => table), denied.map(([, right]) => right)],
  );
  return {
    schema,
    missing: shipped.filter((name) => !applied.has(name)),
    tooMighty: found?.mighty === true,
  };
}

/**
 * A session of the master user where writes are accepted, or, where nobody accepts them, why. Throws an Error where a server lets
 * the master user not in: that doesn't pass by itself.
 */
async function findWriter(
  options: PrepareOptions,
): Promise<{ readonly client: pg.Client; readonly url: string } | string> {
  const reasons: string[] = [];
  const refusals: string[] = [];
  for (const url of options.masterUrls) {
    const client = migrationClient(url, options.access, options.onWarning, options.masterPassword);
    try {
      await client.connect();
      const { rows } = await queryInTime<{ reads: boolean }>(
        client,
        `select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as reads`,
        ANSWER_TIMEOUT_MS,
      );
      if (rows[0]?.reads === false) return { client, url };
      reasons.push(`${placeOf(url)} (it only reads)`);
    } catch (error) {
      if (!isConnectionFailure(error)) throw error;
      const refused = isRefusedConnection(error) ? refusals : reasons;
      refused.push(`${placeOf(url)} (${messageOf(error)})`);
    }
    leave(client);
  }
  if (refusals.length > 0) {
    throw new Error(
      `the master user is not let in at ${refusals.join(', ')}: check KEYHEARTH_MASTER_URLS, KEYHEARTH_MASTER_PASSWORD and KEYHEARTH_DATABASE_TLS`,
    );
  }
  return `no writer can be reached: ${reasons.join(', ')}`;
}

/** Ends a session without waiting for a server that may have stopped answering. */
function leave(client: pg.Client): void {
  void client.end().catch(() => {});
}

function placeOf(url: string): string {
  const { host, port } = parseDatabaseUrl(url);
  return `${host}:${port}`;
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
