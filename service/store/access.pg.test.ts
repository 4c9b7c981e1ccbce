import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { runEntry } from '../../test/prepared-database.ts';
import { databaseAccess } from './access.ts';
import { isConnectionFailure, isRefusedConnection } from './failures.ts';
import { createPool } from './pool.ts';
import { TokenFailure } from './iam-tokens.ts';

/** A server as RDS is one: TLS for everybody but the administrator, its certificate for one name, tokens sent in the clear inside. */
let postgres: TestPostgres;
let directory: string;
let authority: string;
let stranger: string;
const TOKEN_ROLE = 'token_user';
const REGION = 'eu-west-1';

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'keyhearth-tls-'));
  const certificate = await certificateFor('localhost');
  authority = pemFile('authority.pem', certificate.cert);
  stranger = pemFile('stranger.pem', (await certificateFor('localhost')).cert);
  postgres = await startTestPostgres();
  const { primary } = postgres;
  primary.writeOwned(join(primary.dataDir, 'server.crt'), certificate.cert);
  primary.writeOwned(join(primary.dataDir, 'server.key'), certificate.private);
  primary.writeOwned(
    join(primary.dataDir, 'pg_hba.conf'),
    [
      'host all postgres 127.0.0.1/32 scram-sha-256',
      `hostssl all ${TOKEN_ROLE} 127.0.0.1/32 password`,
      'hostssl all keyhearth 127.0.0.1/32 scram-sha-256',
      '',
    ].join('\n'),
  );
  await primary.asAdmin(async (client) => {
    await client.query('alter system set ssl = on');
    await client.query(`create role ${TOKEN_ROLE} login`);
  });
  await primary.stop('fast');
  await primary.start();
});
afterAll(async () => {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function certificateFor(name: string) {
  return await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: name }] },
    ],
  });
}

function pemFile(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

/** The service's URL with another host, and with another user and no password where `user` is given. */
function urlAt(host: string, user?: string): string {
  const url = new URL(postgres.primary.url);
  url.hostname = host;
  if (user !== undefined) {
    url.username = user;
    url.password = '';
  }
  return url.href;
}

function poolOf(access: ReturnType<typeof databaseAccess>, url: string, connectionTimeoutMs = 2000) {
  const idleErrors: Error[] = [];
  const onIdleError = (error: Error): void => void idleErrors.push(error);
  const pool = createPool({
    url,
    access,
    applicationName: 'test',
    connections: 3,
    connectionTimeoutMs,
    onIdleError,
  });
  onTestFinished(async () => await pool.end());
  return { pool, idleErrors };
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  return await work.then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
}

const password = { databaseAuth: 'password', region: '' } as const;

test('with the right authority and name, the connection is encrypted', async () => {
  const { pool } = poolOf(databaseAccess({ ...password, databaseTls: authority }), urlAt('localhost'));
  const { rows } = await pool.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
  expect(rows).toEqual([{ ssl: true }]);
});

test.each([
  ['another authority', () => stranger, 'localhost', /self-signed certificate/],
  ['the authorities of RDS', () => 'rds', 'localhost', /self-signed certificate/],
  ['another host name', () => authority, '127.0.0.1', /IP: 127\.0\.0\.1 is not in the cert/],
  ['no TLS', () => 'off', 'localhost', /no pg_hba\.conf entry .* no encryption/],
])('%s: refused, as a connection that can not be made', async (_what, tls, host, message) => {
  // What administrators may have set to be rid of such errors.
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  onTestFinished(() => void delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
  const { pool } = poolOf(databaseAccess({ ...password, databaseTls: tls() }), urlAt(host));
  const error = await failureOf(pool.query('select 1'));
  expect(error.message).toMatch(message);
  expect([isConnectionFailure(error), isRefusedConnection(error)]).toEqual([true, true]);
});

test('a server without TLS is refused where TLS is asked for', async () => {
  const plain = await startTestPostgres();
  onTestFinished(() => plain.stop());
  const { pool } = poolOf(databaseAccess({ ...password, databaseTls: authority }), plain.primary.url);
  const error = await failureOf(pool.query('select 1'));
  expect(error.message).toBe('The server does not support SSL connections');
  expect(isRefusedConnection(error)).toBe(true);
});

/**
 * Tokens of which only the newest lets anybody in. `renew` makes the next one, before a connection is begun: the server reads what it
 * knows of a role before it asks for the password.
 */
function newestTokenOnly() {
  const handedOut: string[] = [];
  let newest = '';
  return {
    handedOut,
    async renew(): Promise<string> {
      newest = randomBytes(400).toString('hex');
      await postgres.primary.asAdmin(async (client) => {
        await client.query(`alter role ${TOKEN_ROLE} password '${newest}'`);
      });
      return newest;
    },
    signToken: async (): Promise<string> => {
      handedOut.push(newest);
      return await Promise.resolve(newest);
    },
  };
}

test('each new connection has a token of its own; one that is open needs no other', async () => {
  const { handedOut, renew, signToken } = newestTokenOnly();
  const access = databaseAccess({ databaseAuth: 'iam', databaseTls: authority, region: REGION, signToken });
  const { pool, idleErrors } = poolOf(access, urlAt('localhost', TOKEN_ROLE));
  await renew();
  const first = await pool.connect();
  await first.query('select 1');
  await renew();
  const second = await pool.connect();
  await second.query('select 1');
  expect(new Set(handedOut).size).toBe(2);
  await first.query('select 1');
  first.release();
  await pool.query('select 1');
  expect(handedOut).toHaveLength(2);
  second.release(true);
  // The server ends an idle connection: what is reported of it tells nothing of how it was opened.
  await postgres.primary.asAdmin(async (client) => {
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${TOKEN_ROLE}'`,
    );
  });
  await expect.poll(() => idleErrors.length).toBe(1);
  let logged = '';
  pino({}, { write: (line: string) => void (logged += line) }).error({ err: idleErrors[0] }, 'broke');
  expect(logged).toContain('57P01');
  expect(logged.length).toBeLessThan(3000);
  await renew();
  await pool.query('select 1');
  expect(handedOut).toHaveLength(3);
  for (const token of handedOut) expect(logged).not.toContain(token);
});

test('a token that the server refuses is a refused connection, and shows nowhere', async () => {
  const signToken = async (): Promise<string> => await Promise.resolve('not-the-token');
  const access = databaseAccess({ databaseAuth: 'iam', databaseTls: authority, region: REGION, signToken });
  const error = await failureOf(poolOf(access, urlAt('localhost', TOKEN_ROLE)).pool.query('select 1'));
  expect(isRefusedConnection(error)).toBe(true);
  expect(JSON.stringify(error) + String(error.stack)).not.toContain('not-the-token');
});

test('credentials that do not come, or can not be had, end the connection in time and are not told on', async () => {
  const secret = 'AKIDSECRET';
  for (const signToken of [
    async () => await new Promise<string>(() => {}),
    async () =>
      await Promise.reject<string>(new Error(`Unexpected token in {"SecretAccessKey":"${secret}"}`)),
  ]) {
    const access = databaseAccess({ databaseAuth: 'iam', databaseTls: authority, region: REGION, signToken });
    const { pool } = poolOf(access, urlAt('localhost', TOKEN_ROLE), 400);
    const beganMs = performance.now();
    const error = await failureOf(pool.query('select 1'));
    expect(performance.now() - beganMs).toBeLessThan(2000);
    expect(error).toBeInstanceOf(TokenFailure);
    expect(error.message).toContain(`no IAM token for ${TOKEN_ROLE} at localhost:`);
    let logged = '';
    pino({}, { write: (line: string) => void (logged += line) }).error({ err: error }, 'broke');
    expect(logged).not.toContain(secret);
    expect([isConnectionFailure(error), isRefusedConnection(error)]).toEqual([true, true]);
  }
});

test('a server that is silent after the connection costs no token', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const address = silent.address();
  const { handedOut, signToken } = newestTokenOnly();
  const access = databaseAccess({ databaseAuth: 'iam', databaseTls: authority, region: REGION, signToken });
  const port = typeof address === 'object' ? address?.port : 0;
  const { pool } = poolOf(access, `postgres://${TOKEN_ROLE}@127.0.0.1:${port}/x`, 200);
  expect(isConnectionFailure(await failureOf(pool.query('select 1')))).toBe(true);
  expect(handedOut).toEqual([]);
});

test('the tokens of these tests are good for nothing once there is a newer one', async () => {
  const { renew } = newestTokenOnly();
  const [older, newer] = [await renew(), await renew()];
  const poolWith = (token: string) =>
    poolOf(
      databaseAccess({
        databaseAuth: 'iam',
        databaseTls: authority,
        region: REGION,
        signToken: async () => await Promise.resolve(token),
      }),
      urlAt('localhost', TOKEN_ROLE),
    ).pool;
  await expect(poolWith(older).query('select 1')).rejects.toMatchObject({ code: '28P01' });
  await poolWith(newer).query('select 1');
});

test('one-off entries get in by the same settings, and say in one sentence why they can not', async () => {
  const settings = { KEYHEARTH_WRITER_URL: urlAt('localhost'), KEYHEARTH_DATABASE_TLS: authority };
  expect(await runEntry('migrate', settings)).toMatchObject({ status: 0, stderr: '' });
  const made = await runEntry(
    'bootstrap',
    { ...settings, KEYHEARTH_ZONE: 'global', KEYHEARTH_REGION: 'us-east-1' },
    '--workspace',
    'x',
  );
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(await runEntry('tasks', settings, 'list')).toMatchObject({ status: 0, stderr: '' });
  const byToken = {
    ...settings,
    KEYHEARTH_DATABASE_AUTH: 'iam',
    KEYHEARTH_WRITER_URL: urlAt('localhost', TOKEN_ROLE),
    AWS_EC2_METADATA_DISABLED: 'true',
    HOME: directory,
  };
  const noRegion = await runEntry('tasks', byToken, 'list');
  expect(noRegion.stderr).toBe(
    'Nothing was done: KEYHEARTH_REGION is missing: The region that this task runs in.\n',
  );
  const noCredentials = await runEntry('tasks', { ...byToken, KEYHEARTH_REGION: REGION }, 'list');
  expect(noCredentials).toMatchObject({ status: 1, stdout: '' });
  expect(noCredentials.stderr).toMatch(
    /^Nothing was done: .*no IAM token for token_user at localhost:\d+ within 1500 ms \(\w+\).*\n$/,
  );
});
