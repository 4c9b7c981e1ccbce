import { afterEach, beforeEach, expect, test } from 'vitest';
import { testDeps } from '../../../test/http/app-deps.ts';
import { asWorkspaceId, buildRootKeyRow } from '../../../test/records.ts';
import { makeVerifySide, ROOT_KEY, type VerifySide } from '../../../test/verify-side.ts';
import { buildApp } from '../../app.ts';
import type { NamespaceId } from '../../domain/brands.ts';
import { namespaceHash } from '../../domain/held-under.ts';
import { hashKey } from '../../domain/key-text.ts';
import { Problem } from '../../domain/problem.ts';
import type { NamespaceRow, RateLimitOverride } from '../../domain/records.ts';
import type { Revision } from '../../domain/revision.ts';
import { limitRoutes } from './limit.ts';

const REVISION: Revision = { epoch: { counter: 1, id: 'abcd1234' }, xid: 7n };
const BODY = { namespace: 'emails', identifier: 'user_1', limit: 3, duration: 60_000 };

let side: VerifySide;
let made: string[];
let make: (name: string) => Promise<Revision>;
let app: ReturnType<typeof buildApp>;

beforeEach(async () => {
  side = makeVerifySide();
  made = [];
  make = (name) => {
    given(name);
    side.cache.onChanges([
      { seq: 1n, xid: 1n, kind: 'namespace', id: `ns_${name}`, hash: namespaceHash('ws_1', name) },
    ]);
    return Promise.resolve(REVISION);
  };
  permit('ratelimit.*.limit', 'ratelimit.*.create_namespace');
  app = buildApp(testDeps());
  await app.register(
    limitRoutes({
      authenticator: side.authenticator,
      admit: (principal) => side.workspaceLimit.admit(principal),
      limits: side.namespaceLimits,
      freshness: { waitFor: async () => side.freshness.reaches },
      makeNamespace: async (_caller, name) => {
        made.push(name);
        return await make(name);
      },
    }),
  );
});

afterEach(async () => await app.close());

function permit(...permissions: readonly string[]): void {
  side.source.rootKeys.set(hashKey(ROOT_KEY), buildRootKeyRow(hashKey(ROOT_KEY), { permissions }));
}

/** A namespace in both databases. */
function given(name: string, change: Partial<NamespaceRow> = {}): void {
  const hash = namespaceHash(change.workspaceId ?? 'ws_1', name);
  const row = {
    hash,
    namespaceId: `ns_${name}` as NamespaceId,
    workspaceId: asWorkspaceId('ws_1'),
    name,
    deleted: false,
    overrides: [],
    ...change,
  };
  for (const source of [side.source, side.home]) source.namespaces.set(hash, row);
}

async function post(verb: 'limit' | 'multiLimit', payload: object, headers: Record<string, string> = {}) {
  const answer = await app.inject({
    method: 'POST',
    url: `/v2/ratelimit.${verb}`,
    headers: { authorization: `Bearer ${ROOT_KEY}`, 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(payload),
  });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    ...answer.json<{ data?: object; error?: object }>(),
  };
}

const limit = async (change: object = {}, headers: Record<string, string> = {}) =>
  await post('limit', { ...BODY, ...change }, headers);

test('counts per identifier, and is 200 whether it passes or not', async () => {
  given('emails');
  const reset = side.clock.nowMs() - (side.clock.nowMs() % 60_000) + 60_000;
  expect(await limit({ cost: 2 })).toMatchObject({
    status: 200,
    meta: { requestId: expect.stringMatching(/^req_/) },
  });
  expect((await limit()).data).toEqual({ limit: 3, remaining: 0, reset, success: true });
  expect((await limit()).data).toEqual({ limit: 3, remaining: 0, reset, success: false });
  expect((await limit({ identifier: 'user_2' })).data).toMatchObject({ success: true, remaining: 2 });
  expect((await limit({ cost: 0 })).data).toMatchObject({ success: true, remaining: 0 });
  side.clock.advance(120_000);
  expect((await limit()).data).toMatchObject({ success: true, remaining: 2 });
});

test('hot, nothing is read and no promise is made', async () => {
  given('emails');
  await limit();
  side.source.asked.length = 0;
  const principal = side.authenticator.authenticate(ROOT_KEY);
  if (principal instanceof Promise) throw new Error('authentication waited');
  expect(side.namespaceLimits.limit(principal, [BODY], make)).toMatchObject({ outcomes: [{ remaining: 1 }] });
  expect(side.source.asked).toEqual([]);
});

test('an override replaces limit and duration, from its change row on; the exact one wins', async () => {
  const override = (id: string, identifier: string, units: number): RateLimitOverride => ({
    id,
    identifier,
    limit: units,
    durationMs: 1000,
  });
  given('emails');
  expect((await limit()).data).toMatchObject({ limit: 3 });
  given('emails', { overrides: [override('rlor_1', 'user_*', 0), override('rlor_2', 'user_2', 100)] });
  const hash = namespaceHash('ws_1', 'emails');
  side.cache.onChanges([{ seq: 1n, xid: 1n, kind: 'namespace', id: 'ns_emails', hash }]);
  expect((await limit()).data).toMatchObject({
    limit: 0,
    remaining: 0,
    success: false,
    overrideId: 'rlor_1',
  });
  expect((await limit({ identifier: 'user_2' })).data).toMatchObject({
    limit: 100,
    remaining: 99,
    reset: side.clock.nowMs() - (side.clock.nowMs() % 1000) + 1000,
    overrideId: 'rlor_2',
  });
});

test('multiLimit takes all or, where one has no room, none, and says so for each', async () => {
  given('emails');
  given('texts');
  const answer = await post('multiLimit', [
    { ...BODY, cost: 4 },
    { ...BODY, namespace: 'texts' },
    { ...BODY, cost: 3 },
  ]);
  expect(answer.status).toBe(200);
  expect(answer.data).toEqual({
    passed: false,
    limits: [
      {
        namespace: 'emails',
        identifier: 'user_1',
        limit: 3,
        remaining: 3,
        reset: expect.any(Number),
        passed: false,
      },
      {
        namespace: 'texts',
        identifier: 'user_1',
        limit: 3,
        remaining: 3,
        reset: expect.any(Number),
        passed: true,
      },
      {
        namespace: 'emails',
        identifier: 'user_1',
        limit: 3,
        remaining: 3,
        reset: expect.any(Number),
        passed: true,
      },
    ],
  });
  expect(side.namespaceLimits.counters).toEqual({ passed: 2, refused: 1 });
  expect((await post('multiLimit', [BODY, { ...BODY, namespace: 'texts' }])).data).toMatchObject({
    passed: true,
    limits: [{ remaining: 2 }, { remaining: 2 }],
  });
  expect(side.namespaceLimits.counters).toEqual({ passed: 4, refused: 1 });
});

test('the same counter several times in one call counts together', async () => {
  given('emails');
  const two = { ...BODY, cost: 2 };
  expect((await post('multiLimit', [two, two])).data).toMatchObject({
    passed: false,
    limits: [
      { passed: true, remaining: 3 },
      { passed: false, remaining: 3 },
    ],
  });
  expect((await post('multiLimit', [two, { ...BODY, cost: 1 }])).data).toMatchObject({
    passed: true,
    limits: [{ remaining: 0 }, { remaining: 0 }],
  });
  // Another duration, and another identifier, is another counter.
  expect(
    (
      await post('multiLimit', [
        { ...two, duration: 1000 },
        { ...two, identifier: 'user_2' },
      ])
    ).data,
  ).toMatchObject({ passed: true, limits: [{ remaining: 1 }, { remaining: 1 }] });
});

test('multiLimit follows overrides, of which one that blocks keeps the others from counting', async () => {
  given('emails', { overrides: [{ id: 'rlor_1', identifier: 'blocked_*', limit: 0, durationMs: 1000 }] });
  const answer = await post('multiLimit', [BODY, { ...BODY, identifier: 'blocked_1' }]);
  expect(answer.data).toMatchObject({
    passed: false,
    limits: [
      { limit: 3, remaining: 3, passed: true },
      { limit: 0, remaining: 0, passed: false, overrideId: 'rlor_1' },
    ],
  });
  expect((await limit()).data).toMatchObject({ remaining: 2 });
});

test('a namespace is made at its first use, once however many come', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const makeNow = make;
  make = async (name) => {
    await promise;
    return await makeNow(name);
  };
  const calls = [limit(), limit(), post('multiLimit', [BODY, { ...BODY, namespace: 'texts' }])];
  await expect.poll(() => made.length).toBe(2);
  resolve();
  const answers = await Promise.all(calls);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(made.toSorted()).toEqual(['emails', 'texts']);
  expect((await limit()).data).toMatchObject({ success: false });
});

test('where this task doesn’t show a new namespace in time, home is asked; where home doesn’t either, it is 503', async () => {
  side.freshness.reaches = false;
  make = (name) => {
    given(name);
    side.source.namespaces.clear();
    return Promise.resolve(REVISION);
  };
  expect((await limit()).data).toMatchObject({ success: true });
  make = () => Promise.resolve(REVISION);
  expect((await limit({ namespace: 'texts' })).error).toMatchObject({ status: 503 });
});

test('a failure to make one is answered as it is, and the next call tries again', async () => {
  const makeNow = make;
  make = () => Promise.reject(new Problem('no_home', 'The home is not known.', { retryAfterS: 1 }));
  expect((await limit()).status).toBe(503);
  make = makeNow;
  expect((await limit()).status).toBe(200);
});

test.each([
  [['api.*.verify_key'], 'emails', 403],
  [['ratelimit.ns_texts.limit'], 'emails', 403],
  [['ratelimit.ns_emails.limit'], 'emails', 200],
  [['ratelimit.*.limit'], 'emails', 200],
  [['ratelimit.*.limit'], 'new', 403],
  [['ratelimit.*.create_namespace'], 'new', 403],
  [['ratelimit.*.create_namespace', 'ratelimit.*.limit'], 'new', 200],
])('with %j, namespace %s: %i', async (permissions, namespace, status) => {
  permit(...permissions);
  given('emails');
  expect((await limit({ namespace })).status).toBe(status);
  expect(made).toEqual(namespace === 'new' && status === 200 ? ['new'] : []);
});

test('403 names the permission of that very namespace, where there is one', async () => {
  permit('api.*.verify_key');
  given('emails');
  expect((await limit()).error).toMatchObject({
    detail: expect.stringContaining('"ratelimit.*.limit", or "ratelimit.ns_emails.limit"'),
  });
  expect((await limit({ namespace: 'new' })).error).toMatchObject({
    detail: expect.stringMatching(/permission "ratelimit\.\*\.limit"\.$/),
  });
});

test('a deleted namespace is 410, and one of another workspace isn’t there', async () => {
  given('emails', { deleted: true });
  given('texts', { workspaceId: asWorkspaceId('ws_2'), deleted: true });
  expect(await limit()).toMatchObject({
    status: 410,
    error: { type: expect.stringMatching(/data\/ratelimit_namespace_gone$/) },
  });
  expect((await limit({ namespace: 'texts' })).status).toBe(200);
  expect(made).toEqual(['texts']);
});

test('where one of several is refused, none is counted', async () => {
  given('emails');
  given('texts', { deleted: true });
  expect((await post('multiLimit', [BODY, { ...BODY, namespace: 'texts' }])).status).toBe(410);
  expect((await limit({ cost: 0 })).data).toMatchObject({ remaining: 3 });
});

test.each([
  [{ namespace: '' }, 'namespace', 'at least 1'],
  [{ namespace: 'x'.repeat(513) }, 'namespace', 'at most 512'],
  [{ namespace: 'a\u0000b' }, 'namespace', 'U+0000'],
  [{ namespace: '\ud800' }, 'namespace', 'surrogate'],
  [{ identifier: '' }, 'identifier', 'at least 1'],
  [{ identifier: 'x'.repeat(513) }, 'identifier', 'at most 512'],
  [{ limit: 0 }, 'limit', '1 or more'],
  [{ limit: 1e12 + 1 }, 'limit', 'or less'],
  [{ limit: undefined }, 'limit', 'required'],
  [{ duration: 999 }, 'duration', '1000 or more'],
  [{ duration: 2_592_000_001 }, 'duration', 'or less'],
  [{ cost: -1 }, 'cost', '0 or more'],
  [{ cost: 1e12 + 1 }, 'cost', 'or less'],
  [{ async: true }, 'async', 'not a field'],
])('%j is 400 and named, alone and in a list, with or without a bearer', async (change, field, message) => {
  const wrong = { ...BODY, ...change };
  for (const headers of [{}, { authorization: '' }]) {
    expect(await post('limit', wrong, headers)).toMatchObject({
      status: 400,
      error: { errors: [{ location: `body.${field}`, message: expect.stringContaining(message) }] },
    });
    expect(await post('multiLimit', [BODY, BODY, BODY, wrong], headers)).toMatchObject({
      status: 400,
      error: { errors: [{ location: `body[3].${field}` }] },
    });
  }
});

test.each([[[]], [Array.from({ length: 101 }, () => BODY)], [BODY]])(
  'multiLimit takes a list of 1 to 100',
  async (body) => expect((await post('multiLimit', body)).status).toBe(400),
);

test('100 limits with the longest names are read', async () => {
  given('n'.repeat(512));
  const longest = { ...BODY, namespace: 'n'.repeat(512), limit: 1e12, duration: 2_592_000_000, cost: 1 };
  const body = Array.from({ length: 100 }, (_, n) => ({
    ...longest,
    identifier: String(n).padStart(512, 'x'),
  }));
  expect((await post('multiLimit', body)).data).toMatchObject({ passed: true });
});

test('401 for an unknown root key; 429 beyond the workspace’s own limit, once for a whole list', async () => {
  given('emails');
  expect((await limit({}, { authorization: 'Bearer nobody' })).status).toBe(401);
  const rateLimit = { limit: 2, durationMs: 60_000 };
  side.source.put({ kind: 'workspace', id: asWorkspaceId('ws_1'), enabled: true, rateLimit });
  const list = { ...BODY, limit: 100 };
  expect((await post('multiLimit', [list, list, list])).status).toBe(200);
  expect([(await limit()).status, (await limit()).status]).toEqual([200, 429]);
});

test('Keyhearth-Min-Revision: reached here, or 503', async () => {
  given('emails');
  const headers = { 'keyhearth-min-revision': '1.abcd1234.77' };
  expect((await limit({}, headers)).status).toBe(200);
  side.freshness.reaches = false;
  expect((await limit({}, headers)).error).toMatchObject({ status: 503 });
  expect((await limit({}, { 'keyhearth-min-revision': 'latest' })).status).toBe(400);
});

test('a view older than allowed is flagged with its age', async () => {
  given('emails');
  await limit();
  side.freshness.staleness = 4321;
  expect((await limit()).headers['keyhearth-staleness-ms']).toBe('4321');
});
