import { hash, hkdfSync } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import {
  APPLIED,
  AUTHORIZED,
  fakeManage,
  type ManageCall,
  PEER_SECRET,
  REVISION,
  REVISION_TEXT,
  ROOT_KEY,
  testDeps,
  written,
} from '../../test/http/app-deps.ts';
import { buildApp } from '../app.ts';
import { Problem } from '../domain/problem.ts';
import type { HomeState, RegionProgress } from '../home/types.ts';
import type { Idempotency } from '../manage/types.ts';
import { PEER_HEADER, sign } from '../peers/signature.ts';
import type { PassedAnswer, PassedRequest } from '../peers/types.ts';
import type { HttpDeps } from './deps.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
});

function start(overrides: Partial<HttpDeps> = {}) {
  const deps = testDeps(overrides);
  const app = buildApp(deps);
  open.push(app);
  async function post(path: string, payload: object | string, headers: Record<string, string> = {}) {
    return await app.inject({
      method: 'POST',
      url: path,
      headers: { ...AUTHORIZED, 'content-type': 'application/json', ...headers },
      payload,
    });
  }
  return { post, deps };
}

const CREATE = '/v2/apis.createApi';
const DELETE = '/v2/keys.deleteKey';
const BODY = { name: 'payments' };
const ELSEWHERE: HomeState = { at: 'elsewhere', epoch: REVISION.epoch, region: 'eu-west-1' };
const never = () => Promise.reject(new Error('nothing may be asked here'));

// At home

test('a write is answered after the own feed has applied it', async () => {
  const waited: unknown[] = [];
  const { post } = start({
    waitForRevision: (revision, timeoutMs) => {
      waited.push([revision, timeoutMs]);
      return Promise.resolve(true);
    },
    taskStatus: { wait: never },
  });
  const answer = await post(CREATE, BODY);
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  expect(answer.headers).not.toHaveProperty('keyhearth-revocation');
  expect(waited).toEqual([[REVISION, 1000]]);
});

test.each<[what: string, progress: RegionProgress[], expected: string]>([
  ['another region applied it', [...APPLIED], 'confirmed'],
  [
    'only the home applied it',
    [
      { region: 'us-east-1', state: 'applied', afterMs: 1 },
      { region: 'eu-west-1', state: 'pending' },
    ],
    'unconfirmed',
  ],
  [
    'the other region is unknown',
    [
      { region: 'us-east-1', state: 'applied', afterMs: 1 },
      { region: 'eu-west-1', state: 'unknown', reason: 'silent' },
    ],
    'unconfirmed',
  ],
  ['the zone has one region', [{ region: 'us-east-1', state: 'applied', afterMs: 1 }], 'confirmed'],
  ['nobody reported', [], 'unconfirmed'],
])('a revocation where %s: %s', async (_what, progress, expected) => {
  const asked: unknown[] = [];
  const { post } = start({
    taskStatus: {
      wait: (...call) => {
        asked.push(call);
        return Promise.resolve(progress);
      },
    },
  });
  const answer = await post(DELETE, { keyId: 'key_1' });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['keyhearth-revocation']).toBe(expected);
  expect(asked).toEqual([[REVISION, 'another', 2000]]);
});

test('a committed write is answered as such, whatever fails afterwards', async () => {
  const { post, deps } = start({
    waitForRevision: () => Promise.reject(new Error('the feed broke')),
    taskStatus: { wait: () => Promise.reject(new Problem('database_unavailable', 'down')) },
  });
  const answer = await post(DELETE, { keyId: 'key_1' });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  expect(answer.headers['keyhearth-revocation']).toBe('unconfirmed');
  expect(deps.logged.join('')).toContain('the feed broke');
});

test('a feed that lags does not hold the answer back for good; the answer says that it lags, and no revocation is confirmed', async () => {
  const { post } = start({
    waitForRevision: () => Promise.resolve(false),
    manage: fakeManage([], { deleteKey: () => Promise.resolve(written({}, { revokes: true })) }),
  });
  const created = await post(CREATE, BODY);
  expect(created.statusCode).toBe(200);
  expect(created.headers['keyhearth-applied-here']).toBe('false');
  expect((await post(DELETE, { keyId: 'key_1' })).headers['keyhearth-revocation']).toBe('unconfirmed');
});

test('an unknown home is a 503 that says when to come back', async () => {
  const { post, deps } = start({ home: { current: () => ({ at: 'unknown', reason: 'no heartbeat yet' }) } });
  for (const [path, body] of [
    [CREATE, BODY],
    ['/v2/apis.getApi', { apiId: 'api_1' }],
  ] as const) {
    const answer = await post(path, body);
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.json()).toMatchObject({
      error: { type: expect.stringMatching(/no_home$/), detail: expect.stringContaining('no heartbeat yet') },
    });
  }
  expect(deps.calls).toEqual([]);
});

// Idempotency-Key

async function idempotencySeen(headers: Record<string, string>, body: object | string = BODY, path = CREATE) {
  const calls: ManageCall[] = [];
  const { post } = start({ manage: fakeManage(calls) });
  const answer = await post(path, body, headers);
  const [call] = calls;
  const idempotency: Idempotency | null | undefined =
    call !== undefined && 'idempotency' in call.caller ? call.caller.idempotency : undefined;
  return { status: answer.statusCode, idempotency };
}

test('Idempotency-Key becomes key, hash of the request and a derivation bound to the root key', async () => {
  const text = '{ "name":"payments" }';
  const { idempotency } = await idempotencySeen({ 'idempotency-key': 'retry-1' }, text);
  expect(idempotency?.key).toBe('retry-1');
  expect(idempotency?.requestHash).toBe(hash('sha256', `${CREATE}\n${text}`, 'hex'));
  const salt = new Uint8Array(16).fill(7);
  expect(idempotency?.deriveBytes(salt, 40)).toEqual(
    new Uint8Array(hkdfSync('sha256', ROOT_KEY, salt, 'keyhearth idempotent key v1', 40)),
  );
  expect(idempotency?.deriveBytes(new Uint8Array(16), 40)).not.toEqual(idempotency?.deriveBytes(salt, 40));
  expect(JSON.stringify(idempotency)).not.toContain(ROOT_KEY);
});

test('another body or another call is another request', async () => {
  const hashes = await Promise.all(
    [
      idempotencySeen({ 'idempotency-key': 'k' }),
      idempotencySeen({ 'idempotency-key': 'k' }, { name: 'others' }),
      idempotencySeen({ 'idempotency-key': 'k' }, { keyId: 'key_1' }, DELETE),
      idempotencySeen({ 'idempotency-key': 'k' }, { keyId: 'key_1' }, '/v2/keys.updateKey'),
    ].map(async (seen) => (await seen).idempotency?.requestHash),
  );
  expect(new Set(hashes).size).toBe(4);
});

test('without the header there is none', async () => {
  expect((await idempotencySeen({})).idempotency).toBeNull();
});

test.each(['', ' ', 'with space', 'ä', 'x'.repeat(256)])('Idempotency-Key %j is refused', async (key) => {
  const seen = await idempotencySeen({ 'idempotency-key': key });
  expect(seen).toEqual({ status: 400, idempotency: undefined });
});

test('Idempotency-Key of 255 characters is taken', async () => {
  expect((await idempotencySeen({ 'idempotency-key': '~'.repeat(255) })).status).toBe(200);
});

// Keyhearth-Min-Revision

test.each([
  [REVISION_TEXT, 200],
  ['3.abcd1234.9000000000', 200],
  ['2.zzzz9999.9000000000', 200],
  ['3.zzzz9999.1', 503],
  ['4.abcd1234.1', 503],
  ['latest', 400],
  ['', 400],
  ['1.abcd1234.x', 400],
])('Keyhearth-Min-Revision %j on a management read: %i', async (revision, status) => {
  const { post } = start();
  const answer = await post('/v2/apis.getApi', { apiId: 'api_1' }, { 'keyhearth-min-revision': revision });
  expect(answer.statusCode).toBe(status);
});

test('a revision of a later home than this one: 503 that says when to come back, and nothing is read', async () => {
  const { post, deps } = start();
  const headers = { 'keyhearth-min-revision': '4.abcd1234.1' };
  const answer = await post('/v2/apis.getApi', { apiId: 'api_1' }, headers);
  expect(answer.headers['retry-after']).toBe('1');
  expect(answer.json()).toMatchObject({ error: { type: expect.stringMatching(/revision_not_reached$/) } });
  expect(deps.calls).toEqual([]);
});

test('elsewhere, a minimum revision is for the home to judge', async () => {
  const { post, passed } = passing({});
  const headers = { 'keyhearth-min-revision': '4.abcd1234.1' };
  expect((await post('/v2/apis.getApi', { apiId: 'api_1' }, headers)).statusCode).toBe(200);
  expect(passed).toMatchObject([['eu-west-1', { headers }]]);
});

// Passing on

function passing(answer: Partial<PassedAnswer> | Error, overrides: Partial<HttpDeps> = {}) {
  const passed: [region: string, request: PassedRequest][] = [];
  const waited: unknown[] = [];
  const { post, deps } = start({
    home: { current: () => ELSEWHERE },
    waitForRevision: (revision, timeoutMs) => {
      waited.push([revision, timeoutMs]);
      return Promise.resolve(true);
    },
    peers: {
      pass: (region, request) => {
        passed.push([region, request]);
        return answer instanceof Error
          ? Promise.reject(answer)
          : Promise.resolve({ status: 200, headers: {}, body: '{}', ...answer });
      },
    },
    ...overrides,
  });
  return { post, deps, passed, waited };
}

test('elsewhere, a write goes to the home byte for byte, and the answer waits for the own feed', async () => {
  const { post, deps, passed, waited } = passing({
    status: 200,
    headers: {
      'content-type': 'application/json',
      'keyhearth-revision': REVISION_TEXT,
      'keyhearth-revocation': 'confirmed',
      server: 'not for the caller',
    },
    body: '{"meta":{"requestId":"req_x"},"data":{}}',
  });
  const text = '{ "keyId" : "key_1" }';
  const answer = await post(DELETE, text, { 'idempotency-key': 'k', cookie: 'c' });
  expect(answer.statusCode).toBe(200);
  expect(answer.body).toBe('{"meta":{"requestId":"req_x"},"data":{}}');
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json',
    'keyhearth-revision': REVISION_TEXT,
    'keyhearth-revocation': 'confirmed',
  });
  expect(answer.headers).not.toHaveProperty('server');
  expect(waited).toEqual([[REVISION, 1000]]);
  expect(deps.calls).toEqual([]);
  expect(passed).toEqual([
    [
      'eu-west-1',
      {
        path: DELETE,
        body: text,
        headers: expect.objectContaining({ ...AUTHORIZED, 'idempotency-key': 'k' }),
        clientAddress: '127.0.0.1',
        requestId: expect.stringMatching(/^req_/),
        write: true,
      },
    ],
  ]);
});

test('a read is passed on as a read, a long one with its time', async () => {
  const { post, passed, waited } = passing({});
  await post('/v2/apis.getApi', { apiId: 'api_1' });
  await post('/v2/revisions.wait', { revision: REVISION_TEXT, timeoutMs: 25_000 });
  await post('/v2/revisions.wait', { revision: REVISION_TEXT });
  expect(passed.map(([, { write, extraTimeoutMs }]) => [write, extraTimeoutMs])).toEqual([
    [false, undefined],
    [false, 25_000],
    [false, 2000],
  ]);
  expect(waited).toEqual([]);
});

test("the home's refusals are passed back as they are", async () => {
  const { post } = passing({
    status: 503,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '3' },
    body: '{"error":{}}',
  });
  const answer = await post(CREATE, BODY);
  expect(answer.statusCode).toBe(503);
  expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json', 'retry-after': '3' });
  expect(answer.body).toBe('{"error":{}}');
});

test.each([
  [new Problem('no_home', 'no connection', { retryAfterS: 1 }), 503],
  [new Problem('outcome_unknown', 'the answer was lost'), 504],
] as const)('a failed pass: %s', async (problem, status) => {
  const { post } = passing(problem);
  const answer = await post(CREATE, BODY);
  expect(answer.statusCode).toBe(status);
  expect(answer.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
});

test('what is wrong or not authenticated is refused here, and not passed on', async () => {
  const { post, passed } = passing({});
  expect((await post(CREATE, {})).statusCode).toBe(400);
  expect((await post(CREATE, BODY, { 'idempotency-key': 'a b' })).statusCode).toBe(400);
  expect((await post(CREATE, BODY, { authorization: 'Bearer unknown' })).statusCode).toBe(401);
  expect(passed).toEqual([]);
});

test('a feed that fails after a passed-on write does not spoil its answer', async () => {
  const { post } = passing(
    { headers: { 'keyhearth-revision': REVISION_TEXT } },
    { waitForRevision: () => Promise.reject(new Error('the feed broke')) },
  );
  expect((await post(CREATE, BODY)).statusCode).toBe(200);
});

test('a revocation that home confirmed is not confirmed by a region that does not show it yet', async () => {
  const headers = { 'keyhearth-revision': REVISION_TEXT, 'keyhearth-revocation': 'confirmed' };
  const { post } = passing({ headers }, { waitForRevision: () => Promise.resolve(false) });
  const answer = await post(DELETE, { keyId: 'key_1' });
  expect(answer.headers).toMatchObject({
    'keyhearth-revocation': 'unconfirmed',
    'keyhearth-applied-here': 'false',
  });
});

// Being passed to

interface SignedAs {
  readonly secret?: string;
  readonly to?: string;
  readonly body?: string;
  readonly timeMs?: number;
}

function signedHeaders(more: SignedAs = {}): Record<string, string> {
  const parts = {
    method: 'POST',
    path: CREATE,
    body: more.body ?? JSON.stringify(BODY),
    headers: AUTHORIZED,
  };
  const stamp = {
    origin: { region: 'eu-west-1', clientAddress: '203.0.113.9', requestId: 'req_from_the_edge' },
    to: more.to ?? 'us-east-1',
    timeMs: more.timeMs ?? Date.now(),
    nonce: crypto.randomUUID(),
  };
  return { [PEER_HEADER]: sign(more.secret ?? PEER_SECRET, parts, stamp) };
}

test('a passed-on request keeps its client address and request id', async () => {
  const { post, deps } = start();
  const answer = await post(CREATE, BODY, { ...signedHeaders(), 'x-forwarded-for': '1.1.1.1' });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ meta: { requestId: 'req_from_the_edge' } });
  expect(deps.calls[0]?.caller).toMatchObject({
    clientAddress: '203.0.113.9',
    requestId: 'req_from_the_edge',
  });
});

test('a passed-on request that is refused keeps its request id too', async () => {
  const { post } = start({
    manage: fakeManage([], {
      createApi: () => Promise.reject(new Problem('insufficient_permissions', 'no')),
    }),
  });
  const answer = await post(CREATE, BODY, signedHeaders());
  expect(answer.statusCode).toBe(403);
  expect(answer.json()).toMatchObject({ meta: { requestId: 'req_from_the_edge' } });
});

test('a passed-on request is never passed on again', async () => {
  const { post, passed } = passing({}, { region: 'us-east-1' });
  const answer = await post(CREATE, BODY, signedHeaders());
  expect(answer.statusCode).toBe(503);
  expect(answer.headers['retry-after']).toBe('1');
  expect(passed).toEqual([]);
});

test.each([
  ['with another secret', () => signedHeaders({ secret: 'another secret of 32 characters..' })],
  ['for another region', () => signedHeaders({ to: 'ap-southeast-1' })],
  ['for another body', () => signedHeaders({ body: '{"name":"something else"}' })],
  ['half a minute ago', () => signedHeaders({ timeMs: Date.now() - 31_000 })],
  ['with nonsense', () => ({ [PEER_HEADER]: 'v1 nonsense' })],
])('a request signed %s is refused before anything happens', async (_what, headers) => {
  const { post, deps } = start();
  const answer = await post(CREATE, BODY, headers());
  expect(answer.statusCode).toBe(400);
  expect(answer.headers).not.toHaveProperty('retry-after');
  expect(answer.json()).toMatchObject({
    error: {
      type: expect.stringMatching(/invalid_input$/),
      errors: [{ location: 'header.keyhearth-peer', fix: expect.stringMatching(/./) }],
    },
  });
  expect(deps.calls).toEqual([]);
  expect(deps.logged.join('')).toContain('claims to come from a peer');
});

test('made-up signatures do not flood the log', async () => {
  const { post, deps } = start();
  for (let request = 0; request < 20; request += 1) {
    await post(CREATE, BODY, { [PEER_HEADER]: 'v1 nonsense', authorization: '' });
  }
  expect(deps.logged.length).toBeGreaterThan(0);
  expect(deps.logged.length).toBeLessThan(5);
});

test('a home that refuses the signature of this task is a 503 to the caller, and a log line', async () => {
  const refusing = start();
  const refused = await refusing.post(CREATE, BODY, { [PEER_HEADER]: 'v1 nonsense' });
  const { post, deps } = passing({
    status: refused.statusCode,
    headers: { [PEER_HEADER]: String(refused.headers[PEER_HEADER]) },
    body: refused.body,
  });
  const answer = await post(CREATE, BODY);
  expect(answer.statusCode).toBe(503);
  expect(answer.headers['retry-after']).toBe('1');
  expect(answer.json()).toMatchObject({ error: { type: expect.stringMatching(/no_home$/) } });
  expect(deps.logged.join('')).toContain('did not accept the signature');
});

test('a signature works once', async () => {
  const { post, deps } = start();
  const headers = signedHeaders();
  expect((await post(CREATE, BODY, headers)).statusCode).toBe(200);
  expect((await post(CREATE, BODY, headers)).statusCode).toBe(400);
  expect(deps.calls).toHaveLength(1);
});

test('a repeat by its idempotency key is answered like the first time', async () => {
  const { post } = start({
    manage: fakeManage([], {
      createKey: () => Promise.resolve(written({ keyId: 'key_1', key: 'kh_again' }, { replayed: true })),
    }),
  });
  const answer = await post('/v2/keys.createKey', { apiId: 'api_1' }, { 'idempotency-key': 'k' });
  expect(answer.json()).toMatchObject({ data: { key: 'kh_again' } });
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
});
