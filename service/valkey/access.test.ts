import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type AccessSettings, valkeyAccess } from './access.ts';

const NONE: AccessSettings = {
  valkey: '',
  valkeyAuth: 'password',
  valkeyUser: '',
  valkeyCache: '',
  valkeyTlsCa: '',
  region: 'eu-west-1',
};
const IAM: AccessSettings = {
  ...NONE,
  valkey: 'rediss://kh-abc.serverless.euw1.cache.amazonaws.com:6379',
  valkeyAuth: 'iam',
  valkeyUser: 'kh-tasks',
  valkeyCache: 'kh-counters',
};

test('without a URL there is no Valkey', () => {
  expect(valkeyAccess(NONE)).toBeNull();
});

test.each([
  [{ valkeyAuth: 'iam' as const }, 'KEYHEARTH_VALKEY_AUTH is set although KEYHEARTH_VALKEY isn’t'],
  [{ valkeyUser: 'kh' }, 'KEYHEARTH_VALKEY_USER is set although KEYHEARTH_VALKEY isn’t'],
  [{ valkeyCache: 'kh' }, 'KEYHEARTH_VALKEY_CACHE is set although KEYHEARTH_VALKEY isn’t'],
  [{ valkeyTlsCa: './ca.pem' }, 'KEYHEARTH_VALKEY_TLS_CA is set although KEYHEARTH_VALKEY isn’t'],
  [
    { valkey: 'redis://cache', valkeyTlsCa: './ca.pem' },
    'KEYHEARTH_VALKEY_TLS_CA is set, but KEYHEARTH_VALKEY has no TLS',
  ],
  [{ valkey: 'redis://cache', valkeyUser: 'kh' }, 'KEYHEARTH_VALKEY_USER is for KEYHEARTH_VALKEY_AUTH=iam'],
  [{ valkey: 'redis://cache', valkeyCache: 'kh' }, 'KEYHEARTH_VALKEY_CACHE is for KEYHEARTH_VALKEY_AUTH=iam'],
  [{ ...IAM, valkey: 'redis://cache:6379' }, 'needs TLS, since a token is sent as it is'],
  [{ ...IAM, valkey: 'rediss://:hidden@cache:6379' }, 'names a user or a password although'],
  [{ ...IAM, valkey: 'rediss://kh@cache:6379' }, 'names a user or a password although'],
  [{ ...IAM, valkeyUser: '' }, 'needs KEYHEARTH_VALKEY_USER and KEYHEARTH_VALKEY_CACHE'],
  [{ ...IAM, valkeyCache: '' }, 'needs KEYHEARTH_VALKEY_USER and KEYHEARTH_VALKEY_CACHE'],
  [
    { valkey: 'rediss://cache', valkeyTlsCa: './no/such/file.pem' },
    'KEYHEARTH_VALKEY_TLS_CA: ./no/such/file.pem can’t be used',
  ],
])('settings that contradict each other are refused with the fix: %j', (settings, message) => {
  const access = () => valkeyAccess({ ...NONE, ...settings });
  expect(access).toThrow(message.replaceAll('’', "'"));
  expect(access).not.toThrow('hidden');
});

test('a file without a certificate is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyhearth-ca-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'ca.pem');
  writeFileSync(path, 'no certificate');
  expect(() => valkeyAccess({ ...NONE, valkey: 'rediss://cache', valkeyTlsCa: path })).toThrow(
    `KEYHEARTH_VALKEY_TLS_CA: ${path} can't be used`,
  );
});

test.each([
  ['redis://cache', { host: 'cache', port: 6379, tls: null }, {}],
  ['redis://:p%25ss@cache:1234/', { host: 'cache', port: 1234, tls: null }, { password: 'p%ss' }],
  ['redis://kh:pass@[::1]:1', { host: '::1', port: 1, tls: null }, { username: 'kh', password: 'pass' }],
])('%s leads to %j', async (valkey, place, credentials) => {
  const access = valkeyAccess({ ...NONE, valkey });
  expect(access).toMatchObject(place);
  expect(await access?.credentials()).toEqual(credentials);
});

test.each([
  'http://cache',
  'cache:6379',
  'redis://',
  'redis://cache/1',
  'redis://:hidden@cache?tls=false',
  'redis://:hidden%@cache',
])('%s is no URL of a Valkey, and nothing of it is shown', (valkey) => {
  const access = () => valkeyAccess({ ...NONE, valkey });
  expect(access).toThrow(/^must be a/);
  expect(access).not.toThrow('hidden');
});

test('each connection gets a token of its own, and that of a serverless cache says so', async () => {
  const places: object[] = [];
  const sign = async (place: object): Promise<string> => `token-${places.push(place)}`;
  const access = valkeyAccess(IAM, sign);
  expect(await access?.credentials()).toEqual({ username: 'kh-tasks', password: 'token-1' });
  expect(await access?.credentials()).toEqual({ username: 'kh-tasks', password: 'token-2' });
  await valkeyAccess(
    { ...IAM, valkey: 'rediss://clustercfg.kh.euw1.cache.amazonaws.com' },
    sign,
  )?.credentials();
  expect(places).toEqual([
    { cache: 'kh-counters', user: 'kh-tasks', serverless: true },
    { cache: 'kh-counters', user: 'kh-tasks', serverless: true },
    { cache: 'kh-counters', user: 'kh-tasks', serverless: false },
  ]);
});

test('without credentials the failure names user, cache and kind, and nothing that was read', async () => {
  const access = valkeyAccess(IAM, async () => {
    throw new TypeError('hidden');
  });
  const asked = access?.credentials();
  await expect(asked).rejects.toThrow(/^no IAM token for kh-tasks at the cache kh-counters .*\(TypeError\)/);
  await expect(asked).rejects.not.toThrow('hidden');
});
