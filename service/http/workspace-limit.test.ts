import { afterEach, expect, test } from 'vitest';
import { AUTHORIZED, PRINCIPAL, testDeps } from '../../test/http/app-deps.ts';
import { startVerifyApp } from '../../test/http/verify-app.ts';
import { asWorkspaceId, buildRootKeyRow } from '../../test/records.ts';
import { KEY, makeVerifySide } from '../../test/verify-side.ts';
import { buildApp } from '../app.ts';
import { hashKey } from '../domain/key-text.ts';
import type { Principal } from '../domain/principal.ts';
import type { RateLimitRule } from '../domain/records.ts';
import type { HttpDeps } from './deps.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
});

const RULE: RateLimitRule = { limit: 2, durationMs: 60_000 };

test('a workspace’s root keys share its limit; beyond it a verification is 429 and says when to come back', async () => {
  const { side, app, verify } = await startVerifyApp();
  open.push(app);
  side.source.put({ kind: 'workspace', id: asWorkspaceId('ws_1'), enabled: true, rateLimit: RULE });
  side.source.rootKeys.set(hashKey('second'), buildRootKeyRow(hashKey('second')));
  side.clock.advance(60_000 - (side.clock.nowMs() % 60_000) + 45_500);
  expect((await verify()).status).toBe(200);
  expect((await verify({ key: KEY }, { authorization: 'Bearer second' })).status).toBe(200);
  const refused = await verify();
  expect(refused).toMatchObject({
    status: 429,
    headers: {
      'content-type': 'application/problem+json',
      'ratelimit-limit': '2',
      'ratelimit-remaining': '0',
      'ratelimit-reset': '15',
      'retry-after': '15',
    },
    error: { type: expect.stringMatching(/limits\/workspace_rate_limited$/) },
  });
  expect(side.verifier.counters.get('VALID')).toBe(2);
  side.clock.advance(60_000);
  expect((await verify()).status).toBe(200);
});

test('a change of the workspace’s limit holds from its change row on', async () => {
  const { side, app, verify } = await startVerifyApp();
  open.push(app);
  const put = (rateLimit: RateLimitRule | null) => {
    side.source.put({ kind: 'workspace', id: asWorkspaceId('ws_1'), enabled: true, rateLimit });
    side.cache.onChanges([{ seq: 1n, xid: 1n, kind: 'workspace', id: 'ws_1', hash: null }]);
  };
  expect((await verify()).status).toBe(200);
  expect(side.limiter.size).toBe(0);
  put({ ...RULE, limit: 0 });
  expect((await verify()).status).toBe(429);
  put(null);
  expect((await verify()).status).toBe(200);
});

test('a wrong body and an unknown root key aren’t counted', async () => {
  const { side, app, verify } = await startVerifyApp();
  open.push(app);
  side.source.put({
    kind: 'workspace',
    id: asWorkspaceId('ws_1'),
    enabled: true,
    rateLimit: { ...RULE, limit: 1 },
  });
  expect((await verify({ key: '' })).status).toBe(400);
  expect((await verify({ key: KEY }, { authorization: 'Bearer nobody' })).status).toBe(401);
  expect((await verify()).status).toBe(200);
});

function startManagement(overrides: Partial<HttpDeps> = {}) {
  const { workspaceLimit } = makeVerifySide();
  const principal: Principal = { ...PRINCIPAL, rateLimit: RULE };
  const deps = testDeps({
    authenticate: () => principal,
    admit: (caller) => workspaceLimit.admit(caller),
    ...overrides,
  });
  const app = buildApp(deps);
  open.push(app);
  const getApi = async (headers: Record<string, string> = {}) =>
    await app.inject({
      method: 'POST',
      url: '/v2/apis.getApi',
      headers: { ...AUTHORIZED, ...headers },
      payload: { apiId: 'api_1' },
    });
  return { deps, getApi };
}

test('a management call counts once, and beyond the limit doesn’t run', async () => {
  const { deps, getApi } = startManagement();
  const statuses = [await getApi(), await getApi(), await getApi()].map(({ statusCode }) => statusCode);
  expect(statuses).toEqual([200, 200, 429]);
  expect(deps.calls).toHaveLength(2);
});

test('a call that a peer passed on was counted there, and isn’t here', async () => {
  const origin = { region: 'eu-west-1', clientAddress: '192.0.2.1', requestId: 'req_1' };
  const { getApi } = startManagement({
    peerGate: { header: 'keyhearth-peer', inspect: () => ({ kind: 'peer', origin }) },
  });
  for (let turn = 0; turn < 4; turn += 1) {
    expect((await getApi({ 'keyhearth-peer': 'signed' })).statusCode).toBe(200);
  }
  expect((await getApi()).statusCode).toBe(200);
});
