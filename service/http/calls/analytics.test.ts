import { afterAll, expect, test } from 'vitest';
import { AUTHORIZED, PRINCIPAL, testDeps } from '../../../test/http/app-deps.ts';
import { buildApp } from '../../app.ts';
import { problemUrl } from '../answers.ts';

const permissions = new Set(['api.*.read_analytics']);
const reader = buildApp(testDeps({ authenticate: () => ({ ...PRINCIPAL, permissions }) }));
const other = buildApp(testDeps());
afterAll(async () => {
  await Promise.all([reader.close(), other.close()]);
});

async function query(
  text: unknown,
  { app = reader, headers = AUTHORIZED }: { app?: typeof reader; headers?: Record<string, string> } = {},
) {
  const url = '/v2/analytics.getVerifications';
  return await app.inject({ method: 'POST', url, headers, payload: { query: text } });
}

test('getVerifications: 412, since no events are kept', async () => {
  for (const text of ['s', 's'.repeat(20_000)]) {
    const answer = await query(text);
    expect(answer.statusCode).toBe(412);
    expect(answer.json()).toMatchObject({ error: { type: problemUrl('analytics_not_configured') } });
  }
});

test('getVerifications: 403 without the permission to read analytics', async () => {
  const answer = await query('select 1', { app: other });
  expect(answer.statusCode).toBe(403);
  expect(answer.json()).toMatchObject({ error: { type: problemUrl('insufficient_permissions') } });
});

test.each([undefined, '', 's'.repeat(20_001), 7])('getVerifications: 400 for a query %j', async (text) => {
  const answer = await query(text);
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ error: { errors: [{ location: 'body.query' }] } });
});

test('getVerifications: 400 without a bearer, 401 with an unknown one', async () => {
  expect((await query('select 1', { headers: {} })).statusCode).toBe(400);
  const unknown = await query('select 1', { app: other, headers: { authorization: 'Bearer unknown' } });
  expect(unknown.statusCode).toBe(401);
});
