import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import {
  type Ended,
  type MasteredDatabase,
  MasteredServer,
  runEntry,
  withClient,
} from '../test/prepared-database.ts';
import { startTestPostgres, type TestPostgres } from '../test/postgres.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

/** Roles belong to the server, so each test has a server of its own. */
let postgres: TestPostgres;
let server: MasteredServer;
let database: MasteredDatabase;
beforeEach(async () => {
  postgres = await startTestPostgres();
  const { stop } = postgres;
  onTestFinished(stop);
  server = await MasteredServer.on(postgres);
  database = await server.createDatabase();
});

async function admin<Row extends pg.QueryResultRow>(sql: string): Promise<readonly Row[]> {
  return await server.asAdmin(database, async (client) => (await client.query<Row>(sql)).rows);
}

async function asMaster(sql: string): Promise<void> {
  await withClient(
    database.masterUrl.replace('@', `:${database.masterPassword}@`),
    async (client) => await client.query(sql),
  );
}

/** At the writer, whatever the reader shows. */
async function prepare(of = database, changed: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return await runEntry('prepare', {
    ...of.settings,
    KEYHEARTH_READER_URLS: 'postgres://keyhearth_app:x@127.0.0.1:1/none',
    ...changed,
  });
}

function failed(sentence: string): Ended {
  return { status: 1, stdout: '', stderr: `The database was not prepared: ${sentence}.\n` };
}

const FINE = { status: 0, stderr: '' };

/** Whether a line of pg_hba.conf for `+rds_iam` would be the master's, and what is left of roles that should be gone. */
async function harm(): Promise<unknown> {
  const [found] = await admin(
    `select pg_has_role('${database.master}', 'keyhearth_app', 'member') as master_in_app,
       pg_has_role('keyhearth_ddl', 'keyhearth_app', 'member') as owner_in_app,
       (select count(*)::integer from pg_roles where rolname like 'keyhearth%'
          and rolname not in ('keyhearth', 'keyhearth_app', 'keyhearth_ddl', 'keyhearth_app_former')) as left_over`,
  );
  return found;
}
const NO_HARM = { master_in_app: false, owner_in_app: false, left_over: 0 };

/** From now on members of rds_iam are let in by nothing that we have. */
async function rejectTokenRoles(): Promise<void> {
  const { primary } = postgres;
  const rules = join(primary.dataDir, 'pg_hba.conf');
  primary.writeOwned(rules, `host all +rds_iam 127.0.0.1/32 reject\n${readFileSync(rules, 'utf8')}`);
  primary.reload();
  await admin(`create role probe login password 'probe'; grant rds_iam to probe`);
  const probe = `postgres://probe:probe@127.0.0.1:${primary.port}/${database.name}`;
  await expect
    .poll(async () => await withClient(probe, async () => 'let in').catch((error: unknown) => String(error)))
    .toContain('pg_hba.conf rejects connection');
}

test('where members of rds_iam are refused by password, the master is let in run after run', async () => {
  await admin('create role rds_iam');
  await rejectTokenRoles();
  // Here the master can't have what RDS gives it, the right to grant rds_iam without being a member: somebody else has to.
  expect(await prepare()).toEqual(
    failed(
      `role "${database.master}" may not grant rds_iam: grant rds_iam to "keyhearth_app" as somebody who may`,
    ),
  );
  await admin('grant rds_iam to keyhearth_app');
  await expect(withClient(database.appUrl, async () => {})).rejects.toThrow('rejects connection');
  const others = [await server.createDatabase(), await server.createDatabase()];
  for (const one of [database, database, ...others, database]) expect(await prepare(one)).toMatchObject(FINE);
  const [found] = await admin(`select pg_has_role('${database.master}', 'rds_iam', 'member') as member`);
  expect(found).toEqual({ member: false });
  expect(await harm()).toEqual(NO_HARM);
});

test('where the server knows rds_iam, the app is let in by token and the master is not made to be', async () => {
  // On RDS the master has this from RDS itself.
  await admin(`create role rds_iam; grant rds_iam to ${database.master} with admin true`);
  expect(await prepare()).toMatchObject(FINE);
  const [found] = await admin(
    `select pg_has_role('keyhearth_app', 'rds_iam', 'usage') as app,
       (select rolpassword is null from pg_authid where rolname = 'keyhearth_app') as no_password`,
  );
  expect(found).toEqual({ app: true, no_password: true });
  expect(await harm()).toEqual(NO_HARM);
  await admin(`revoke rds_iam from ${database.master} cascade; grant rds_iam to keyhearth_app`);
  const [own] = await admin(`select pg_has_role('${database.master}', 'rds_iam', 'member') as member`);
  expect(own).toEqual({ member: false });
});

test('databases of one server that are prepared at the same moment leave one app role and nothing else', async () => {
  await admin(`create role rds_iam; grant rds_iam to ${database.master} with admin true`);
  const all = [database, await server.createDatabase(), await server.createDatabase(), database];
  const ended = await Promise.all(all.map(async (one) => await prepare(one)));
  expect(ended).toEqual(all.map(() => expect.objectContaining(FINE)));
  expect(await harm()).toEqual(NO_HARM);
});

test('a session that ends while it makes roles leaves none, and the next run makes them', async () => {
  const ended = await server.asAdmin(database, async (client) => {
    // What the migrator needs next is held, with the roles made and nothing committed.
    await client.query(`begin; grant connect on database ${database.name} to keyhearth`);
    const running = prepare();
    await expect
      .poll(
        async () =>
          await admin(
            `select pg_terminate_backend(pid) as ended from pg_stat_activity
             where application_name = 'keyhearth migrate' and wait_event_type = 'Lock'`,
          ),
        { timeout: 10_000 },
      )
      .toEqual([{ ended: true }]);
    await client.query('commit');
    return await running;
  });
  expect(ended.status).toBe(1);
  expect(await admin(`select from pg_roles where rolname like 'keyhearth\\__%'`)).toEqual([]);
  expect(await prepare()).toMatchObject(FINE);
  expect(await harm()).toEqual(NO_HARM);
});

test('an app role that the master made itself is not let into rds_iam, and the advice makes it anew', async () => {
  await asMaster('create role keyhearth_app login');
  expect(await prepare()).toMatchObject(FINE);
  await withClient(database.appUrl, async (client) => await client.query('select from keys'));
  await admin(`create role rds_iam; grant rds_iam to ${database.master} with admin true`);
  const advice = `role "${database.master}" is a member of role "keyhearth_app", and whoever is a member of a member of rds_iam may be let in by token only: alter role "keyhearth_app" rename to "keyhearth_app_former", revoke rds_iam from "keyhearth_app_former", then start this again, which makes "keyhearth_app" anew`;
  expect(await prepare()).toEqual(failed(advice));
  // Once it is in, it is too late to stop.
  await asMaster('grant rds_iam to keyhearth_app');
  expect(await prepare()).toMatchObject({ status: 0, stderr: `Warning: ${advice}.\n` });
  await asMaster(
    'alter role "keyhearth_app" rename to "keyhearth_app_former"; revoke rds_iam from "keyhearth_app_former"',
  );
  expect(await prepare()).toMatchObject(FINE);
  expect(await harm()).toEqual(NO_HARM);
});

test('an owner role that is let in by token is refused', async () => {
  await admin(`create role rds_iam; grant rds_iam to ${database.master} with admin true`);
  expect(await prepare()).toMatchObject(FINE);
  await asMaster('grant rds_iam to keyhearth_ddl');
  expect(await prepare()).toEqual(
    failed(
      `role "keyhearth_ddl" is a member of rds_iam, and so role "${database.master}", which acts as it, may be let in by token only: revoke rds_iam from "keyhearth_ddl"`,
    ),
  );
  await asMaster('revoke rds_iam from "keyhearth_ddl"');
  expect(await prepare()).toMatchObject(FINE);
});

test('another password for the app than it has is refused with the fix, and taken once a superuser has set it', async () => {
  expect(await prepare()).toMatchObject(FINE);
  expect(await prepare()).toMatchObject(FINE);
  const other = { KEYHEARTH_APP_PASSWORD: 'another-secret-password' };
  expect(await prepare(database, other)).toEqual(
    failed(
      `KEYHEARTH_APP_PASSWORD is not the password of keyhearth_app at 127.0.0.1:${postgres.primary.port}, and the master user may not change it: give the present one, or alter role keyhearth_app password '…' as a superuser`,
    ),
  );
  await admin(`alter role keyhearth_app password 'another-secret-password'`);
  expect(await prepare(database, other)).toMatchObject(FINE);
  await admin(`grant keyhearth_app to ${database.master} with admin true`);
  expect(await prepare()).toMatchObject(FINE);
  await withClient(database.appUrl, async (client) => await client.query('select from keys'));
});

test('tables of a role that is let in by token are handed over by that role, and the master stays out of it', async () => {
  await admin(`create role rds_iam; create role svc login password 'svc'; grant rds_iam to svc;
    grant rds_iam to ${database.master} with admin true, inherit false, set false;
    grant create on schema public to svc`);
  const former = `postgres://svc:svc@127.0.0.1:${postgres.primary.port}/${database.name}`;
  expect(await runEntry('migrate', { KEYHEARTH_WRITER_URL: former })).toMatchObject(FINE);
  expect(await prepare()).toEqual(
    failed(
      `the tables belong to role "svc", which migrated them before and is let in by token: grant "keyhearth_ddl" to "svc", then, as "svc", reassign owned by "svc" to "keyhearth_ddl", then start this again; never grant "svc" to "${database.master}", which might then be let in by token only`,
    ),
  );
  await asMaster('grant "keyhearth_ddl" to "svc"');
  await withClient(
    former,
    async (client) => await client.query('reassign owned by "svc" to "keyhearth_ddl"'),
  );
  expect(await prepare()).toMatchObject(FINE);
  const [found] = await admin(
    `select pg_has_role('${database.master}', 'svc', 'member') as member,
       (select array_agg(distinct pg_get_userbyid(relowner)::text) from pg_class
        where relnamespace = 'public'::regnamespace) as owners`,
  );
  expect(found).toEqual({ member: false, owners: ['keyhearth_ddl'] });
  expect(await harm()).toEqual(NO_HARM);
  // Services that still run as it go on.
  await withClient(former, async (client) => {
    await client.query(`insert into workspaces (id, name) values ('ws_1', 'one')`);
  });
});
