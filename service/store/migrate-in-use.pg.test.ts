import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { databaseUrl, startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { migrate, MIGRATIONS_DIRECTORY } from './migrate.ts';
import { migrationFiles } from './migration-files.ts';
import { MIGRATIONS_TABLE } from './schema-version.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

/** Wide, for machines that do much else; what shuts others out while it looks at each of KEYS takes twice as long on a fast one. */
const MOMENT_MS = 300;
const KEYS = 400_000;
/** What is applied to a database of an earlier version. */
const SINCE = ['0102_key-api', '0103_credit-leases', '0104_identity-credits'];

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());

const onWarning = (message: string): void => expect.unreachable(message);

/** Its statements fail where they wait for others longer than a moment. */
async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, lock_timeout: MOMENT_MS });
  // A test that fails stops the server first.
  client.on('error', () => {});
  await client.connect();
  onTestFinished(async () => await client.end());
  return client;
}

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'keyhearth-migrations-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A database with the first schema. */
async function databaseBefore(): Promise<string> {
  const directory = folder();
  copyFileSync(join(MIGRATIONS_DIRECTORY, '0101_base.sql'), join(directory, '0101_base.sql'));
  const url = await postgres.createDatabase('empty');
  await migrate({ url, directory, onWarning });
  return url;
}

/** Does `work` again and again until the promise settles. */
async function repeatUntil(settled: Promise<unknown>, work: () => Promise<unknown>): Promise<void> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  void settled.then(end, end);
  while (!ended.signal.aborted) {
    await work();
    await delay(1);
  }
}

test('who reads and writes a large deployment waits for moments only while it is migrated', async () => {
  const url = await databaseBefore();
  const admin = await connect(databaseUrl(postgres.primary.adminUrl, new URL(url).pathname.slice(1)));
  // Without what would only make it slow to fill.
  await admin.query(`set session_replication_role = replica; set synchronous_commit = off;
    alter table keys drop constraint keys_hash_key; drop index keys_warm; drop index keys_identity; drop index keys_api;
    insert into epochs values (1, 'abcdefgh', 'us-east-1', default, '1');
    insert into workspaces (id, name) values ('ws', 'one');
    insert into apis (id, workspace_id, name) values ('api_1', 'ws', 'one');
    insert into identities (id, workspace_id, external_id) values ('id_1', 'ws', 'one');
    insert into credit_accounts (id, workspace_id, granted, free) select 'ca_' || n, 'ws', 9, 9 from generate_series(1, 50000) n;
    insert into keys (id, workspace_id, api_id, identity_id, hash, start)
      select 'key_' || n, 'ws', 'api_1', 'id_1', sha256(n::text::bytea), 'k' from generate_series(1, ${KEYS}) n`);
  const [reader, writer] = [await connect(url), await connect(url)];
  const migrating = migrate({ url, onWarning });
  const read = repeatUntil(
    migrating,
    async () => await reader.query(`select * from keys where id = 'key_1'`),
  );
  // What earlier versions write.
  const written = repeatUntil(
    migrating,
    async () =>
      await writer.query(`update keys set enabled = not enabled where id = 'key_2';
        insert into changes (epoch, kind, id, hash) values (1, 'key', 'key_2', '\\x00'), (1, 'api', 'api_1', null);
        update credit_accounts set free = free - 1, spent = spent + 1 where id = 'ca_1' and free > 0;
        update credit_accounts set generation = generation + 1, granted = 9, free = 9, leased = 0, spent = 0 where id = 'ca_1';
        insert into identities (id, workspace_id, external_id) values ('id_2', 'ws', 'one')
          on conflict (workspace_id, external_id) do nothing`),
  );
  expect(await Promise.allSettled([read, written, migrating])).toEqual([
    { status: 'fulfilled', value: undefined },
    { status: 'fulfilled', value: undefined },
    { status: 'fulfilled', value: { applied: SINCE, schema: 104 } },
  ]);
});

/** Indexes whose build was not finished. */
async function unfinished(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    'select indexrelid::regclass::text as name from pg_index where not indisvalid',
  );
  return rows.map(({ name }) => name);
}

test('an index whose build was stopped is built anew by the next run', async () => {
  const url = await databaseBefore();
  const [old, client] = [await connect(url), await connect(url)];
  // A build waits for each transaction that is older.
  await old.query('begin isolation level repeatable read; select');
  const ending = migrate({ url, onWarning: () => {} }).then(
    () => 'applied',
    () => 'stopped',
  );
  await vi.waitFor(async () => {
    const { rowCount } = await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and wait_event = 'virtualxid' and query like 'create index concurrently%'`,
    );
    expect(rowCount).toBe(1);
  }, 10_000);
  expect(await ending).toBe('stopped');
  expect(await unfinished(client)).toEqual(['identities_page']);
  await old.query('commit');
  expect((await migrate({ url, onWarning })).applied).toEqual(SINCE);
  expect(await unfinished(client)).toEqual([]);
  expect(await shape(client)).toContain(
    'CREATE INDEX identities_page ON public.identities USING btree (workspace_id, id) WHERE (deleted_at IS NULL)',
  );
});

test('a table that somebody else holds for long stays open to everybody while the migration waits for it', async () => {
  const url = await postgres.createDatabase('empty');
  const [holder, reader] = [await connect(url), await connect(url)];
  await holder.query('create table used (id integer)');
  await holder.query('begin; lock table used in access share mode');
  const directory = folder();
  writeFileSync(
    join(directory, '0101_change.sql'),
    '-- Up Migration\n-- One by one.\nalter table used add column if not exists name text;\n-- Down Migration\n',
  );
  const migrating = migrate({ url, directory, lockTimeoutMs: 10_000, onWarning });
  const held = delay(1000).then(async () => await holder.query('commit'));
  const read = repeatUntil(held, async () => await reader.query('select id from used'));
  expect(await Promise.allSettled([read, migrating])).toEqual([
    { status: 'fulfilled', value: undefined },
    { status: 'fulfilled', value: { applied: ['0101_change'], schema: 101 } },
  ]);
});

/** Columns, checks and indexes, in words. */
async function shape(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ line: string }>(
    `select concat_ws(' ', table_name, column_name, data_type, column_default, is_nullable) as line
       from information_schema.columns where table_schema = 'public'
     union all select indexdef from pg_indexes where schemaname = 'public'
     union all select concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
       where connamespace = 'public'::regnamespace
     order by line`,
  );
  return rows.map(({ line }) => line);
}

test('going down leaves the schema as it was, and it can be gone up again', async () => {
  const url = await databaseBefore();
  const client = await connect(url);
  const before = await shape(client);
  await migrate({ url, onWarning });
  const after = await shape(client);
  await runner({
    dbClient: client,
    dir: MIGRATIONS_DIRECTORY,
    migrationsTable: MIGRATIONS_TABLE,
    direction: 'down',
    count: SINCE.length,
    singleTransaction: false,
    migrationLoaderStrategies: migrationFiles(client, 1000),
    noLock: true,
    logger: { info: () => {}, warn: onWarning, error: onWarning },
  });
  expect(await shape(client)).toEqual(before);
  await migrate({ url, onWarning });
  expect(await shape(client)).toEqual(after);
});
