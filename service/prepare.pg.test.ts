import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import type pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { MasteredServer, runEntry, withClient } from '../test/prepared-database.ts';
import { startTestPostgres, type TestPostgres } from '../test/postgres.ts';
import { ADVISORY_LOCKS } from './domain/advisory-locks.ts';

let postgres: TestPostgres;
let server: MasteredServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await MasteredServer.on(postgres);
});
afterAll(() => postgres.stop());

const NOTHING_THERE = 'postgres://keyhearth_app:x@127.0.0.1:1/keyhearth';
const READER_FITS = {
  schema: 104,
  applied: [],
  reason: 'the reader shows everything that this version ships',
};

function parsed(stdout: string): unknown {
  return JSON.parse(stdout);
}

test('a master user who is no superuser makes roles and schema; the second time the reader suffices', async () => {
  const { settings, master, appUrl } = await server.createDatabase();
  const first = await runEntry('prepare', settings);
  expect(first).toMatchObject({ status: 0, stderr: '' });
  expect(parsed(first.stdout)).toEqual({
    schema: 104,
    applied: ['0101_base', '0102_key-api', '0103_credit-leases', '0104_identity-credits'],
    reason: 'migrations were missing',
  });
  // No writer is needed: the master's URL leads nowhere.
  const second = await runEntry('prepare', {
    ...settings,
    KEYHEARTH_MASTER_URLS: 'postgres://m@127.0.0.1:1/none',
  });
  expect(second).toMatchObject({ status: 0, stderr: '' });
  expect(parsed(second.stdout)).toEqual(READER_FITS);
  const { rows } = await withClient(
    appUrl,
    async (client) =>
      await client.query(
        `select (select array_agg(distinct pg_get_userbyid(relowner)::text) from pg_class where relnamespace = 'public'::regnamespace) as owners,
         (select rolsuper from pg_roles where rolname = $1) as super,
         (select rolcanlogin from pg_roles where rolname = 'keyhearth_ddl') as ddl_login,
         (select count(*)::integer from pg_auth_members where member = 'keyhearth_app'::regrole) as memberships`,
        [master],
      ),
  );
  expect(rows).toEqual([{ owners: ['keyhearth_ddl'], super: false, ddl_login: false, memberships: 0 }]);
});

test('of several migrators at the same moment, one migrates and all succeed', async () => {
  const { settings } = await server.createDatabase();
  const all = await Promise.all([1, 2, 3, 4].map(async () => await runEntry('prepare', settings)));
  expect(all.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
    all.map(() => ({ status: 0, stderr: '' })),
  );
  // The entry's own output.
  const applied = all.flatMap(({ stdout }) => (parsed(stdout) as { applied: string[] }).applied);
  expect(applied).toEqual(['0101_base', '0102_key-api', '0103_credit-leases', '0104_identity-credits']);
});

test('databases of one server may be prepared at the same moment, though they share the roles', async () => {
  const other = await startTestPostgres();
  onTestFinished(() => other.stop());
  const fresh = await MasteredServer.on(other);
  const both = [await fresh.createDatabase(), await fresh.createDatabase(), await fresh.createDatabase()];
  const all = await Promise.all(both.map(async ({ settings }) => await runEntry('prepare', settings)));
  expect(all.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
    all.map(() => ({ status: 0, stderr: '' })),
  );
});

test('the app reads and writes rows, now and in tables to come, and changes no schema', async () => {
  const database = await server.createDatabase();
  await runEntry('prepare', database.settings);
  await server.asAdmin(database, async (client) => {
    await client.query('set role keyhearth_ddl; create table later (id integer primary key)');
  });
  await withClient(database.appUrl, async (client) => {
    await client.query(`insert into later values (1); update later set id = 2; delete from later`);
    await client.query(`insert into workspaces (id, name) values ('ws_1', 'one')`);
    await client.query(
      `insert into audit_log (id, workspace_id, epoch, actor_kind, actor_id, request_id, client_address, action, target_kind, target_id, detail)
       values ('a', 'ws_1', 1, 'system', 'x', '', '', 'x', 'x', 'x', '{}')`,
    );
    const denied = [
      'create table mine (id integer)',
      'create temporary table mine (id integer)',
      'create schema mine',
      'alter table keys add column mine text',
      'drop table keys',
      'truncate changes',
      'create index on keys (name)',
      'set role keyhearth_ddl',
      'delete from schema_migrations',
      `insert into schema_migrations (name, run_on) values ('0103_x', now())`,
      'update audit_log set actor_id = $$somebody$$',
      'delete from audit_log',
      'create role mine',
    ];
    const refusals: unknown[] = [];
    for (const statement of denied) {
      await client.query(statement).catch((error: unknown) => refusals.push([statement, error]));
    }
    expect(refusals).toEqual(denied.map((one) => [one, expect.objectContaining({ code: '42501' })]));
    await client.query('select name from schema_migrations');
  });
});

test('an app that may do too much is put right at the writer', async () => {
  const database = await server.createDatabase();
  await runEntry('prepare', database.settings);
  await server.asAdmin(database, async (client) => {
    await client.query('grant delete on audit_log to keyhearth_app');
  });
  expect(parsed((await runEntry('prepare', database.settings)).stdout)).toMatchObject({
    reason: 'the writer had everything',
  });
  await withClient(database.appUrl, async (client) => {
    await expect(client.query('delete from audit_log')).rejects.toMatchObject({ code: '42501' });
  });
});

test('what another role migrated before is taken over where the master may, and that role keeps its rights on rows', async () => {
  const database = await server.createDatabase();
  await server.asAdmin(database, async (client) => {
    await client.query('grant create on schema public to keyhearth');
  });
  const former = `postgres://keyhearth:${postgres.primary.passwords.service}@127.0.0.1:${postgres.primary.port}/${database.name}`;
  expect(await runEntry('migrate', { KEYHEARTH_WRITER_URL: former })).toMatchObject({
    status: 0,
    stderr: '',
  });
  const refused = await runEntry('prepare', database.settings);
  expect(refused).toEqual({
    status: 1,
    stdout: '',
    stderr: `The database was not prepared: the tables belong to role "keyhearth", which migrated them before, and role "${database.master}" may not hand them over: grant "keyhearth" to "${database.master}" with inherit true.\n`,
  });
  await server.asAdmin(database, async (client) => {
    await client.query(`grant keyhearth to ${database.master} with inherit true`);
  });
  expect(await runEntry('prepare', database.settings)).toMatchObject({ status: 0, stderr: '' });
  for (const url of [former, database.appUrl]) {
    await withClient(url, async (client) => {
      await client.query(`insert into workspaces (id, name) values ($1, 'one')`, [new URL(url).username]);
      await expect(client.query('alter table keys add column mine text')).rejects.toMatchObject({
        code: '42501',
      });
    });
  }
  expect(parsed((await runEntry('prepare', database.settings)).stdout)).toEqual(READER_FITS);
});

test('home lost: an older schema that this version supports is enough, with a warning; none is not', async () => {
  const database = await server.createDatabase();
  const lost = { ...database.settings, KEYHEARTH_MASTER_URLS: 'postgres://m@127.0.0.1:1/none' };
  const nothing = await runEntry('prepare', lost);
  expect(nothing).toMatchObject({ status: 1, stdout: '' });
  expect(nothing.stderr).toMatch(
    /^The database was not prepared: no writer can be reached: 127\.0\.0\.1:1 \(.*ECONNREFUSED.*\), and .* start this again\.\n$/,
  );
  await runEntry('prepare', database.settings);
  await server.asAdmin(database, async (client) => {
    // As a version sees it that ships 0105 and meets 0104: here, one that ships 0104 and meets it by another name.
    await client.query(`update schema_migrations set name = '0104_older' where name like '0104%'`);
  });
  const older = await runEntry('prepare', lost);
  expect(older.status).toBe(0);
  expect(older.stderr).toMatch(
    /^Warning: no writer can be reached: .*; schema 104 will do for this version, and 0104_identity-credits must be applied later\.\n$/,
  );
  expect(parsed(older.stdout)).toMatchObject({ schema: 104, applied: [] });
  await server.asAdmin(database, async (client) => {
    await client.query(`update schema_migrations set name = '0201_newer'`);
  });
  expect((await runEntry('prepare', database.settings)).stderr).toBe(
    'The database was not prepared: the database has schema 201, and this version works with 104 to 199: deploy a newer version.\n',
  );
});

test('the first place that accepts writes is taken: not a standby, not one that is gone', async () => {
  const database = await server.createDatabase();
  const standby = await postgres.addStandby('prepare-standby');
  const at = (port: number): string => database.masterUrl.replace(/:\d+\//, `:${port}/`);
  const reader = database.appUrl.replace(/:\d+\//, `:${standby.port}/`);
  const settings = { ...database.settings, KEYHEARTH_READER_URLS: reader };
  const standbys = { ...settings, KEYHEARTH_MASTER_URLS: `${at(1)},${at(standby.port)}` };
  expect((await runEntry('prepare', standbys)).stderr).toContain('(it only reads)');
  const all = {
    ...standbys,
    KEYHEARTH_MASTER_URLS: `${standbys.KEYHEARTH_MASTER_URLS},${database.masterUrl}`,
  };
  expect(parsed((await runEntry('prepare', all)).stdout)).toMatchObject({
    applied: ['0101_base', '0102_key-api', '0103_credit-leases', '0104_identity-credits'],
  });
});

test('another migration that runs for long is waited for, then left alone', async () => {
  const database = await server.createDatabase();
  await withClient(database.masterUrl.replace('@', `:${database.masterPassword}@`), async (client) => {
    await client.query('select pg_advisory_lock($1)', [ADVISORY_LOCKS.migration]);
    const { status, stderr } = await runEntry('prepare', {
      ...database.settings,
      KEYHEARTH_PREPARE_MS: '2000',
    });
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('another migration has been running for more than 1200 ms'),
    });
  });
});

test('a server that says nothing ends it in time', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const { settings } = await server.createDatabase();
  const url = `postgres://keyhearth_app@127.0.0.1:${port}/x`;
  const { status, stderr } = await runEntry('prepare', {
    ...settings,
    KEYHEARTH_READER_URLS: url,
    KEYHEARTH_MASTER_URLS: url,
    KEYHEARTH_PREPARE_MS: '1000',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('it took longer than 1000 ms');
});

/** The port of a relay to the server that is cut after the log-in, or later: it takes everything and answers nothing. */
async function silentAfterLogIn(answers = 0): Promise<number> {
  const relay = createServer((socket) => {
    let left = answers;
    const onward = connect(postgres.primary.port, '127.0.0.1');
    socket.on('error', () => {}).pipe(onward.on('error', () => {}));
    onward.on('data', (chunk: Buffer) => {
      socket.write(chunk);
      // The server is ready for queries: it has let us in.
      if (chunk.includes('Z\0\0\0\u0005I') && left-- === 0) onward.removeAllListeners('data');
    });
    onTestFinished(() => {
      socket.destroy();
      onward.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  onTestFinished(() => void relay.close());
  const address = relay.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

test('a server that goes silent in the middle is given up like one that is not there', async () => {
  const database = await server.createDatabase();
  await runEntry('prepare', database.settings);
  const port = await silentAfterLogIn();
  const silent = (url: string): string => url.replace(/:\d+\//, `:${port}/`);
  const beganMs = performance.now();
  // Both in turn: the reader, then the first of two writers.
  const { status, stdout, stderr } = await runEntry('prepare', {
    ...database.settings,
    KEYHEARTH_READER_URLS: silent(database.appUrl),
    KEYHEARTH_MASTER_URLS: `${silent(database.masterUrl)},${database.masterUrl}`,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(parsed(stdout)).toMatchObject({ reason: 'the writer had everything' });
  expect(performance.now() - beganMs).toBeLessThan(15_000);
});

test.each([
  ['before it has said whether it accepts writes', 0, 'no writer can be reached'],
  ['before it has given the lock', 1, 'the writer was lost'],
])(
  'a writer that goes silent %s keeps nothing from starting that works with the schema',
  async (_when, answers, why) => {
    const database = await server.createDatabase();
    await runEntry('prepare', database.settings);
    await server.asAdmin(database, async (client) => {
      await client.query(`update schema_migrations set name = '0104_older' where name like '0104%'`);
    });
    const { status, stderr } = await runEntry('prepare', {
      ...database.settings,
      KEYHEARTH_MASTER_URLS: database.masterUrl.replace(/:\d+\//, `:${await silentAfterLogIn(answers)}/`),
    });
    expect(status).toBe(0);
    expect(stderr).toMatch(/^Warning: .*Query read timeout.*must be applied later\.\n$/);
    expect(stderr).toContain(why);
  },
);

test('whatever is wrong is one sentence with the fix, and no secret', async () => {
  const database = await server.createDatabase();
  const { settings } = database;
  const secrets = [database.masterPassword, database.appPassword];
  const weak = 'weak_master';
  await server.asAdmin(database, async (client) => {
    await client.query(`create role ${weak} login password '${database.masterPassword}'`);
    await client.query(`create role strong_master login createrole password '${database.masterPassword}'`);
  });
  const as = (role: string): string => database.masterUrl.replace(database.master, role);
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{ KEYHEARTH_MASTER_PASSWORD: 'wrong-secret' }, 'the master user is not let in at 127.0.0.1:'],
    [{ KEYHEARTH_MASTER_PASSWORD: '' }, 'KEYHEARTH_MASTER_PASSWORD is missing'],
    [{ KEYHEARTH_MASTER_URLS: as('m:wrong-secret') }, 'KEYHEARTH_MASTER_URLS carries a password'],
    [{ KEYHEARTH_MASTER_URLS: `${as('m:wrong-secret')}?sslmode=require` }, 'without parameters'],
    [{ KEYHEARTH_MASTER_URLS: as('m:wrong-secret%') }, 'a plain % is written %25'],
    [
      { KEYHEARTH_MASTER_URLS: as('m:wrong-secret').replace('postgres:', 'http:') },
      'must be a postgres:// URL',
    ],
    [{ KEYHEARTH_MASTER_URLS: as(weak) }, `role "${weak}" may not create roles`],
    [{ KEYHEARTH_MASTER_URLS: as('strong_master') }, `role "strong_master" does not own the database`],
    [
      { KEYHEARTH_READER_URLS: NOTHING_THERE.replace('keyhearth_app', 'root') },
      'KEYHEARTH_READER_URLS names role "root"',
    ],
    [{ KEYHEARTH_APP_PASSWORD: 'short-secret' }, 'KEYHEARTH_APP_PASSWORD must be 16 to 128'],
    [{ KEYHEARTH_DATABASE_AUTH: 'iam', KEYHEARTH_REGION: 'eu-west-1' }, 'set KEYHEARTH_DATABASE_TLS to rds'],
  ];
  for (const [changed, sentence] of cases) {
    const { status, stdout, stderr } = await runEntry('prepare', { ...settings, ...changed });
    expect({ sentence, status, stdout }).toEqual({ sentence, status: 1, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    for (const secret of [...secrets, 'wrong-secret', 'short-secret']) expect(stderr).not.toContain(secret);
  }
});

test('the app’s password is set as a verifier, which no log of statements gives away', async () => {
  const database = await server.createDatabase();
  await server.asAdmin(database, async (client) => {
    await client.query(`alter database ${database.name} set log_statement = 'all'`);
  });
  await runEntry('prepare', database.settings);
  const { rows } = await server.asAdmin(
    database,
    async (client: pg.Client) =>
      await client.query(`select rolpassword from pg_authid where rolname = 'keyhearth_app'`),
  );
  expect(rows).toEqual([{ rolpassword: expect.stringMatching(/^SCRAM-SHA-256\$4096:/) }]);
  await withClient(database.appUrl, async (client) => await client.query('select 1'));
});
