import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type AccessSettings, databaseAccess } from './access.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { rdsTokens } from './iam-tokens.ts';

const HOST = 'my-cluster.cluster-abc.eu-west-1.rds.amazonaws.com';
const URL_IN_AWS = `postgres://keyhearth_app@${HOST}:5432/keyhearth`;
const IN_AWS: AccessSettings = { databaseAuth: 'iam', databaseTls: 'rds', region: 'eu-west-1' };
const TIME = { connectionTimeoutMs: 1000 };

test('a token needs TLS', () => {
  expect(() => databaseAccess({ ...IN_AWS, databaseTls: 'off' })).toThrow(
    'KEYHEARTH_DATABASE_AUTH is iam, which needs TLS, since a token is sent as it is: set KEYHEARTH_DATABASE_TLS to rds',
  );
});

test('a URL with a password is refused where tokens are used, and the password isn’t shown', () => {
  const url = URL_IN_AWS.replace('@', ':hidden@');
  const access = databaseAccess(IN_AWS);
  expect(() => access.clientConfig(url, TIME)).toThrow(
    /carries a password although KEYHEARTH_DATABASE_AUTH is iam/,
  );
  expect(() => access.clientConfig(url, TIME)).not.toThrow('hidden');
});

test.each([
  'sslmode=disable',
  'ssl=false',
  'sslmode=no-verify',
  'host=elsewhere',
  'password=hidden',
  'options=-c',
])('a URL with ?%s is refused: it would override the settings', (parameter) => {
  const access = databaseAccess({ ...IN_AWS, databaseAuth: 'password' });
  const config = () => access.clientConfig(`${URL_IN_AWS}?${parameter}`, TIME);
  expect(config).toThrow('a database URL must be a postgres:// URL without parameters');
  expect(config).not.toThrow('hidden');
});

test('TLS always checks chain and name, and without it the environment has no say', () => {
  vi.stubEnv('PGSSLMODE', 'no-verify');
  onTestFinished(() => void vi.unstubAllEnvs());
  const ssl = (databaseTls: string) =>
    databaseAccess({ databaseAuth: 'password', databaseTls, region: '' }).clientConfig(URL_IN_AWS, TIME).ssl;
  expect(ssl('rds')).toMatchObject({ rejectUnauthorized: true });
  expect(ssl('rds')).not.toHaveProperty('checkServerIdentity');
  expect(ssl('off')).toBe(false);
});

test('a PEM file that is missing, or holds no certificate, is named', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keyhearth-pem-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'ca.pem');
  const access = () => databaseAccess({ ...IN_AWS, databaseTls: path });
  expect(access).toThrow(`KEYHEARTH_DATABASE_TLS: ${path} can't be used (ENOENT`);
  writeFileSync(path, 'not a certificate');
  expect(access).toThrow(/can't be used \(.*\): name a readable PEM file/);
});

test.each([
  [
    'postgres://u:p%40ss@db.example:6000/x',
    { host: 'db.example', port: 6000, user: 'u', password: 'p@ss', database: 'x' },
  ],
  ['postgresql://u@[::1]', { host: '::1', port: 5432, user: 'u', password: undefined, database: 'u' }],
])('%s is read', (text, expected) => {
  expect(parseDatabaseUrl(text)).toEqual(expected);
});

test.each(['mysql://u@h/x', 'postgres:///x', 'postgres://h/x', 'nonsense', 'postgres://u:hidden%@h/x'])(
  '%s is refused without being shown',
  (text) => {
    expect(() => parseDatabaseUrl(text)).toThrow('must be a postgres:// URL');
    expect(() => parseDatabaseUrl(text)).not.toThrow('hidden');
  },
);

function credentials(values: Readonly<Record<string, string>>): void {
  for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'])
    vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(values)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

test('a token is a presigned connect for host, port, user and region, good for 15 minutes', async () => {
  credentials({
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI',
    AWS_SESSION_TOKEN: 'session',
  });
  const token = await rdsTokens('eu-west-1')({ host: HOST, port: 5432, user: 'keyhearth_app' });
  const url = new URL(`https://${token}`);
  expect([url.host, url.pathname]).toEqual([`${HOST}:5432`, '/']);
  expect(Object.fromEntries(url.searchParams)).toEqual({
    Action: 'connect',
    DBUser: 'keyhearth_app',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': expect.stringMatching(/^AKIDEXAMPLE\/\d{8}\/eu-west-1\/rds-db\/aws4_request$/),
    'X-Amz-Date': expect.stringMatching(/^\d{8}T\d{6}Z$/),
    'X-Amz-Expires': '900',
    'X-Amz-Security-Token': 'session',
    'X-Amz-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
    'X-Amz-SignedHeaders': 'host',
  });
  expect(token).not.toContain('wJalrXUtnFEMI');
});

test('credentials are looked for once for each place, however many tokens are made', async () => {
  credentials({ AWS_ACCESS_KEY_ID: 'AKIDFIRST', AWS_SECRET_ACCESS_KEY: 'first' });
  const sign = rdsTokens('eu-west-1');
  const place = { host: HOST, port: 5432, user: 'keyhearth_app' };
  expect(await sign(place)).toContain('AKIDFIRST');
  // Had it asked again, it would have found these.
  credentials({ AWS_ACCESS_KEY_ID: 'AKIDSECOND', AWS_SECRET_ACCESS_KEY: 'second' });
  expect(await sign({ ...place })).toContain('AKIDFIRST');
  expect(await sign({ ...place, port: 5433 })).toContain('AKIDSECOND');
});
