import { expect, test } from 'vitest';
import { EnvError, readEnv } from './env.ts';
import { PREPARE_SETTINGS } from './prepare-settings.ts';
import type { Setting } from './setting-kinds.ts';
import { SETTINGS } from './settings.ts';

const REQUIRED = {
  KEYHEARTH_ZONE: 'global',
  KEYHEARTH_REGION: 'us-east-1',
  KEYHEARTH_WRITER_URL: 'postgres://app:hidden@db:5432/keyhearth',
  KEYHEARTH_READER_URLS: 'postgres://app:hidden@db:5432/keyhearth',
  KEYHEARTH_PEER_SECRET: 's'.repeat(32),
};

function messageOf(variables: Record<string, string>): string {
  try {
    readEnv(variables);
    return '';
  } catch (error) {
    if (error instanceof EnvError) return error.message;
    throw error;
  }
}

test('what is required suffices; the rest has defaults', () => {
  const env = readEnv(REQUIRED);
  expect(env).toMatchObject({ zone: 'global', port: 8080, pollMs: 100, stalenessMode: 'zone' });
  expect(Object.isFrozen(env)).toBe(true);
});

test.each([
  ['eu-west-1=eu.example.com:8080', 'must give region eu-west-1 a URL like https://eu.zone.example:8444'],
  ['eu-west-1=ftp://eu.example.com', 'must give region eu-west-1 a URL'],
  ['eu-west-1=https://eu.example.com/path', 'must give region eu-west-1 a URL'],
  ['eu-west-1=https://eu.example.com:99999', 'must give region eu-west-1 a URL'],
  ['EU=https://eu.example.com', 'must name regions in lower-case letters'],
])('a peer that could never be asked is refused at the start: %s', (peers, message) => {
  expect(messageOf({ ...REQUIRED, KEYHEARTH_PEERS: peers })).toContain(message);
});

test('every missing or wrong setting is named, with what is allowed', () => {
  const { KEYHEARTH_ZONE: _zone, ...rest } = REQUIRED;
  const message = messageOf({
    ...rest,
    KEYHEARTH_PORT: '99999',
    KEYHEARTH_STALENESS_MODE: 'sometimes',
    KEYHEARTH_PEERS: 'x',
  });
  expect(message.split('\n')).toEqual([
    'KEYHEARTH_ZONE is missing: The zone that this task belongs to.',
    'KEYHEARTH_PORT must be a whole number from 1 to 65535 (it is "99999")',
    'KEYHEARTH_PEERS must be name=value pairs, separated by commas (it is "x")',
    'KEYHEARTH_STALENESS_MODE must be one of zone, serve, confirm, refuse (it is "sometimes")',
  ]);
});

test('values of secrets never show', () => {
  const message = messageOf({
    ...REQUIRED,
    KEYHEARTH_WRITER_URL: 'mysql://hidden',
    KEYHEARTH_READER_URLS: 'postgres://app:hidden@db/x?sslmode=disable',
    KEYHEARTH_PEER_SECRET: 'hidden',
    KEYHEARTH_VALKEY: 'rediss://:hidden@cache:6379/0',
  });
  expect(message).toContain(
    'KEYHEARTH_VALKEY must be a redis:// or rediss:// URL that ends after host and port',
  );
  expect(message).toContain('KEYHEARTH_WRITER_URL must be a postgres:// URL');
  expect(message).toContain('KEYHEARTH_READER_URLS must be a postgres:// URL without parameters');
  expect(message).toContain('KEYHEARTH_PEER_SECRET must be at least 32 characters');
  expect(message).not.toContain('hidden');
});

test('what only the migrator may know is refused by a task', () => {
  const message = messageOf({ ...REQUIRED, KEYHEARTH_MASTER_PASSWORD: 'hidden' });
  expect(message).toBe('KEYHEARTH_MASTER_PASSWORD is no setting');
});

test.each(['on', 'true', 'RDS', 'require'])(
  'KEYHEARTH_DATABASE_TLS=%s is neither a choice nor a path',
  (tls) => {
    expect(messageOf({ ...REQUIRED, KEYHEARTH_DATABASE_TLS: tls })).toContain(
      'KEYHEARTH_DATABASE_TLS must be off, rds, or the path of a PEM file',
    );
  },
);

test('a misspelt setting is refused rather than ignored', () => {
  expect(messageOf({ ...REQUIRED, KEYHEARTH_POL_MS: '5' })).toBe('KEYHEARTH_POL_MS is no setting');
});

test('settings that contradict each other are refused', () => {
  expect(messageOf({ ...REQUIRED, KEYHEARTH_MAX_STALENESS_MS: '2999' })).toContain(
    'at least 3 heartbeats, 3000 ms',
  );
  expect(messageOf({ ...REQUIRED, KEYHEARTH_PEERS: 'us-east-1=http://x' })).toContain('names this region');
});

test('docs/SETTINGS.md is these tables (npm test -- -u writes it)', async () => {
  const page = [
    '# Settings of a task',
    '',
    'Environment variables, read once at start. A wrong one names itself and stops the process. Made from `service/settings.ts`.',
    '',
    ...tableOf(SETTINGS),
    '',
    '# Settings of the migrator',
    '',
    'Read by `service/prepare.ts`, besides `KEYHEARTH_DATABASE_AUTH`, `KEYHEARTH_DATABASE_TLS` and `KEYHEARTH_REGION`, which mean the same as for a task.',
    '',
    ...tableOf(PREPARE_SETTINGS),
    '',
  ].join('\n');
  await expect(page).toMatchFileSnapshot('../docs/SETTINGS.md');
});

function tableOf(table: Readonly<Record<string, Setting<unknown>>>): readonly string[] {
  const rows = Object.values(table).map((setting) => {
    const { variable, unit, description, fallback, secret } = setting;
    return `| \`${variable}\` | ${unit.replaceAll('|', '\\|')} | ${shown(fallback)} | ${description}${secret ? ' **Secret.**' : ''} |`;
  });
  return ['| variable | unit | default | meaning |', '|---|---|---|---|', ...rows];
}

function shown(fallback: unknown): string {
  if (fallback === undefined) return 'required';
  if (typeof fallback === 'number') return String(fallback);
  return typeof fallback === 'string' && fallback !== '' ? `\`${fallback}\`` : 'none';
}
