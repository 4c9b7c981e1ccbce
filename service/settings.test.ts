import { expect, test } from 'vitest';
import { EnvError, readEnv } from './env.ts';
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
    KEYHEARTH_PEER_SECRET: 'hidden',
  });
  expect(message).toContain('KEYHEARTH_WRITER_URL must be a postgres:// URL');
  expect(message).toContain('KEYHEARTH_PEER_SECRET must be at least 32 characters');
  expect(message).not.toContain('hidden');
});

test('a misspelt setting is refused rather than ignored', () => {
  expect(messageOf({ ...REQUIRED, KEYHEARTH_POL_MS: '5' })).toBe('KEYHEARTH_POL_MS is no setting');
});

test('settings that contradict each other are refused', () => {
  expect(messageOf({ ...REQUIRED, KEYHEARTH_MAX_STALENESS_MS: '2999' })).toContain(
    'at least 3 heartbeats, 3000 ms',
  );
  expect(messageOf({ ...REQUIRED, KEYHEARTH_PEERS: 'us-east-1=http://x' })).toContain('names this region');
});

test('docs/SETTINGS.md is this table (npm test -- -u writes it)', async () => {
  const rows = Object.values(SETTINGS).map((setting) => {
    const { variable, unit, description, fallback, secret } = setting;
    return `| \`${variable}\` | ${unit.replaceAll('|', '\\|')} | ${shown(fallback)} | ${description}${secret ? ' **Secret.**' : ''} |`;
  });
  const page = [
    '# Settings of a task',
    '',
    'Environment variables, read once at start. A wrong one names itself and stops the process. Made from `service/settings.ts`.',
    '',
    '| variable | unit | default | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
  await expect(page).toMatchFileSnapshot('../docs/SETTINGS.md');
});

function shown(fallback: unknown): string {
  if (fallback === undefined) return 'required';
  if (typeof fallback === 'number') return String(fallback);
  return typeof fallback === 'string' && fallback !== '' ? `\`${fallback}\`` : 'none';
}
