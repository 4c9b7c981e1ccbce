import { afterEach, beforeEach, expect, test } from 'vitest';
import { startVerifyApp, type VerifyApp } from '../../test/http/verify-app.ts';
import { asWorkspaceId, buildApi, buildKeyRow } from '../../test/records.ts';
import { FOREIGN_KEY, KEY, type VerifySide } from '../../test/verify-side.ts';
import { hashKey } from '../domain/key-text.ts';
import { Problem } from '../domain/problem.ts';

let running: VerifyApp;
let side: VerifySide;

beforeEach(async () => {
  running = await startVerifyApp();
  ({ side } = running);
});

afterEach(async () => await running.app.close());

const verify: VerifyApp['verify'] = async (body, headers) => await running.verify(body, headers);
const given: VerifyApp['given'] = (row) => running.given(row);

test('VALID says all there is of the key, and leaves out what is empty', async () => {
  side.source.put({
    kind: 'identity',
    id: 'id_1',
    externalId: 'user "1"',
    meta: '{"vip":true}',
    ratelimits: [{ id: 'rl_1', name: 'calls', limit: 9, durationMs: 1000, autoApply: false }],
  });
  side.source.put({ kind: 'role', id: 'role_1', name: 'editor', permissions: ['docs.write', 'docs.read'] });
  side.source.put({ kind: 'permission', id: 'perm_1', slug: 'docs.read' });
  const expiresAtMs = side.clock.nowMs() + 60_000;
  given({
    name: 'é"x',
    meta: '{"plan":"pro"}',
    expiresAtMs,
    identityId: 'id_1',
    roleIds: ['role_1'],
    permissionIds: ['perm_1'],
  });
  const answer = await verify({
    key: KEY,
    permissions: 'docs.read AND docs.write',
    tags: ['a=b'],
    migrationId: 'm',
  });
  expect(answer).toMatchObject({ status: 200, meta: { requestId: expect.stringMatching(/^req_/) } });
  expect(answer.headers['content-type']).toBe('application/json');
  expect(answer.data).toEqual({
    valid: true,
    code: 'VALID',
    enabled: true,
    keyId: buildKeyRow(hashKey(KEY)).keyId,
    name: 'é"x',
    meta: { plan: 'pro' },
    expires: expiresAtMs,
    permissions: ['docs.read', 'docs.write'],
    roles: ['editor'],
    identity: {
      id: 'id_1',
      externalId: 'user "1"',
      meta: { vip: true },
      ratelimits: [{ id: 'rl_1', name: 'calls', limit: 9, duration: 1000, autoApply: false }],
    },
  });
  given({});
  const { keyId } = buildKeyRow(hashKey(KEY));
  side.cache.onChanges([{ seq: 1n, xid: 1n, kind: 'key', id: keyId, hash: hashKey(KEY) }]);
  expect((await verify()).data).toEqual({ valid: true, code: 'VALID', enabled: true, keyId });
});

test('hot, it answers the same again', async () => {
  const first = await verify();
  expect((await verify()).data).toEqual(first.data);
});

test('a very long answer is the same each time, and isn’t kept', async () => {
  given({ meta: JSON.stringify({ text: 'x'.repeat(10_000) }) });
  const first = await verify();
  expect(first.data).toMatchObject({ valid: true, meta: { text: 'x'.repeat(10_000) } });
  expect((await verify()).data).toEqual(first.data);
  const held = side.cache.peekKey(hashKey(KEY), side.clock.monotonicMs());
  expect(held?.answerTail).toBeNull();
});

test.each([
  ['an unknown key', () => side.source.keys.clear()],
  ['a key of another workspace', () => given({ workspaceId: asWorkspaceId('ws_2') })],
  ['a key of a deleted API', () => void side.source.shared.delete('api:api_1')],
])('NOT_FOUND for %s says nothing else', async (_case, arrange) => {
  side.source.put({ kind: 'workspace', id: asWorkspaceId('ws_2'), enabled: true, rateLimit: null });
  arrange();
  expect(await verify()).toMatchObject({ status: 200, data: { valid: false, code: 'NOT_FOUND' } });
  expect((await verify()).data).toEqual({ valid: false, code: 'NOT_FOUND' });
});

test('NOT_FOUND before the permission query is parsed', async () => {
  side.source.keys.clear();
  expect((await verify({ key: KEY, permissions: '((' })).data).toEqual({ valid: false, code: 'NOT_FOUND' });
});

test('DISABLED, and the key is named', async () => {
  given({ enabled: false, name: 'off' });
  expect((await verify()).data).toMatchObject({
    valid: false,
    code: 'DISABLED',
    enabled: false,
    name: 'off',
  });
});

test('EXPIRED, hot as well as cold', async () => {
  given({ expiresAtMs: side.clock.nowMs() + 1000 });
  expect((await verify()).data).toMatchObject({ code: 'VALID' });
  side.clock.advance(1000);
  expect((await verify()).data).toMatchObject({ valid: false, code: 'EXPIRED' });
});

test('FORBIDDEN from an address that the API doesn’t allow', async () => {
  side.source.put(buildApi({ ipAllowlist: ['203.0.113.0/24'] }));
  expect((await verify()).data).toMatchObject({ valid: false, code: 'FORBIDDEN' });
});

test('INSUFFICIENT_PERMISSIONS', async () => {
  const answer = await verify({ key: KEY, permissions: 'docs.read' });
  expect(answer.data).toMatchObject({ valid: false, code: 'INSUFFICIENT_PERMISSIONS' });
});

test('a permission query that can’t be parsed is 400, even of a disabled key, with the position', async () => {
  given({ enabled: false });
  const answer = await verify({ key: KEY, permissions: 'docs.read AND' });
  expect(answer.status).toBe(400);
  expect(answer.error).toMatchObject({
    type: expect.stringMatching(/application\/permissions_query_syntax_error$/),
    detail: expect.stringContaining('position 13'),
  });
});

test.each([
  [{}, 'body.key'],
  [{ key: '' }, 'body.key'],
  [{ key: 'x'.repeat(513) }, 'body.key'],
  [{ key: KEY, permissions: '' }, 'body.permissions'],
  [{ key: KEY, tags: Array.from({ length: 21 }, () => 'x') }, 'body.tags'],
  [{ key: KEY, apiId: 'api_1' }, 'body.apiId'],
])('400 for %j names the field', async (body, location) => {
  const answer = await verify(body);
  expect(answer.status).toBe(400);
  expect(answer.error).toMatchObject({ errors: [expect.objectContaining({ location })] });
});

test('401 for an unknown root key and for an ordinary key used as one; 400 without any', async () => {
  for (const text of ['nobody', KEY]) {
    expect((await verify({ key: KEY }, { authorization: `Bearer ${text}` })).status).toBe(401);
  }
  expect((await verify({ key: KEY }, { authorization: '' })).status).toBe(400);
});

test('421 for a key and for a root key of another zone, with the place to go', async () => {
  for (const answer of [
    await verify({ key: FOREIGN_KEY }),
    await verify({ key: KEY }, { authorization: `Bearer ${FOREIGN_KEY}` }),
  ]) {
    expect(answer.status).toBe(421);
    expect(answer.headers['keyhearth-zone-url']).toBe('keys.eu.example.com');
    expect(JSON.stringify(answer.error)).not.toContain(FOREIGN_KEY);
  }
});

test('503 with Retry-After while the key can’t be read; a hot one is answered all the same', async () => {
  await verify();
  side.source.failure = new Problem('database_unavailable', 'no reader', { retryAfterS: 1 });
  expect(await verify({ key: 'imported' })).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  expect((await verify()).data).toMatchObject({ code: 'VALID' });
});

test('Keyhearth-Min-Revision: reached here, answered from home, or 503', async () => {
  const headers = { 'keyhearth-min-revision': '1.abcd1234.77' };
  expect((await verify({ key: KEY }, headers)).data).toMatchObject({ code: 'VALID' });
  side.freshness.reaches = false;
  side.home.keys.clear();
  expect((await verify({ key: KEY }, headers)).data).toMatchObject({ code: 'NOT_FOUND' });
  for (const [failure, detail] of [
    [new Error('home is gone'), /home could not be asked\.$/],
    [new Problem('no_home', 'home is gone'), /home could not be asked\.$/],
    [new Problem('revision_not_reached', 'not there'), /^No region has the revision/],
  ] as const) {
    side.home.failure = failure;
    expect(await verify({ key: KEY }, headers)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      error: { type: expect.stringMatching(/revision_not_reached$/), detail: expect.stringMatching(detail) },
    });
  }
  expect((await verify({ key: KEY }, { 'keyhearth-min-revision': 'latest' })).status).toBe(400);
});

test('a view older than allowed is flagged with its age', async () => {
  expect((await verify()).headers['keyhearth-staleness-ms']).toBeUndefined();
  side.freshness.staleness = 4321;
  expect((await verify()).headers['keyhearth-staleness-ms']).toBe('4321');
});

test('every verdict is timed once, whether it waited for a read or not; a refusal is not', async () => {
  side.source.hold();
  const cold = verify();
  await expect.poll(() => side.source.asked.length).toBeGreaterThan(0);
  side.clock.advance(40);
  side.source.release();
  expect((await cold).status).toBe(200);
  await verify();
  expect(running.tookMs).toEqual([40, 0]);
  await verify({ key: KEY }, { authorization: 'Bearer nobody' });
  await verify({ key: KEY, credits: { cost: -1 } });
  expect(running.tookMs).toHaveLength(2);
});
