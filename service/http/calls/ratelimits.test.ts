import { expect, test } from 'vitest';
import { type Calls, fakeManage, PRINCIPAL, REVISION_TEXT, written } from '../../../test/http/app-deps.ts';
import { routesOf } from '../../../test/http/routes.ts';
import { Problem, type ProblemCode } from '../../domain/problem.ts';

const start = routesOf('ratelimit');

const long = (length: number): string => 'x'.repeat(length);
const OVERRIDE = { namespace: 'emails', identifier: 'user *' };
const SET = { ...OVERRIDE, limit: 10, duration: 60_000 };

const WRITES = [
  ['createNamespace', { namespace: long(512) }, { namespaceId: 'rlns_1' }],
  ['setOverride', { namespace: 'n', identifier: 'i', limit: 0, duration: 1000 }, { overrideId: 'rlor_1' }],
  [
    'setOverride',
    { namespace: long(512), identifier: long(512), limit: 1e12, duration: 2_592_000_000 },
    { overrideId: 'rlor_1' },
  ],
  ['setOverride', { ...SET, identifier: '*a'.repeat(8) }, { overrideId: 'rlor_1' }],
  ['deleteOverride', OVERRIDE, {}],
] as const;

test.each(WRITES)('%s with %j: 200 with its revision', async (verb, payload, data) => {
  const { post, deps } = start();
  const answer = await post(verb, payload);
  expect(answer.statusCode).toBe(200);
  expect(answer.json<{ data: unknown }>().data).toEqual(data);
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  expect(deps.calls).toMatchObject([{ name: verb, caller: { principal: PRINCIPAL }, input: payload }]);
});

test('getOverride: 200 with the override', async () => {
  const { post, deps } = start();
  const answer = await post('getOverride', OVERRIDE);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({
    data: { overrideId: 'rlor_1', identifier: 'user', limit: 1, duration: 1000 },
  });
  expect(deps.calls).toEqual([{ name: 'getOverride', caller: PRINCIPAL, input: OVERRIDE }]);
});

test('listOverrides: 200 with a page, and where the next one begins', async () => {
  const { post, deps } = start();
  const last = await post('listOverrides', { namespace: 'emails' });
  expect(last.statusCode).toBe(200);
  expect(last.json()).toMatchObject({ data: [], pagination: { hasMore: false } });
  const payload = { namespace: 'emails', limit: 100, cursor: 'rlor_1' };
  expect((await post('listOverrides', payload)).statusCode).toBe(200);
  expect(deps.calls[1]?.input).toEqual(payload);
  const listOverrides = () => Promise.resolve({ items: [], cursor: 'rlor_2' });
  const { post: postMore } = start({ manage: fakeManage([], { listOverrides }) });
  expect((await postMore('listOverrides', payload)).json()).toMatchObject({
    pagination: { cursor: 'rlor_2', hasMore: true },
  });
});

test('setOverride, deleteOverride: a revocation is told of', async () => {
  const manage = fakeManage([], {
    setOverride: () => Promise.resolve(written({ overrideId: 'rlor_1' }, { revokes: true })),
    deleteOverride: () => Promise.resolve(written({}, { revokes: true })),
  });
  const { post } = start({ manage });
  for (const answer of [await post('setOverride', SET), await post('deleteOverride', OVERRIDE)]) {
    expect(answer.headers['keyhearth-revocation']).toBe('confirmed');
  }
});

test.each<[verb: string, payload: object, location: string, bound: string]>([
  ['createNamespace', {}, 'body.namespace', 'required'],
  ['createNamespace', { namespace: '' }, 'body.namespace', 'at least 1'],
  ['createNamespace', { namespace: long(513) }, 'body.namespace', 'at most 512'],
  ['createNamespace', { namespace: 'n\u0000' }, 'body.namespace', 'U+0000'],
  ['createNamespace', { namespace: 'n', limit: 1 }, 'body.limit', 'not a field'],
  ['setOverride', { ...SET, namespace: undefined }, 'body.namespace', 'required'],
  ['setOverride', { ...SET, namespace: long(513) }, 'body.namespace', 'at most 512'],
  ['setOverride', { ...SET, identifier: undefined }, 'body.identifier', 'required'],
  ['setOverride', { ...SET, identifier: '' }, 'body.identifier', 'at least 1'],
  ['setOverride', { ...SET, identifier: long(513) }, 'body.identifier', 'at most 512'],
  ['setOverride', { ...SET, identifier: '*a'.repeat(9) }, 'body.identifier', 'at most 8'],
  ['setOverride', { ...SET, identifier: '\ud800' }, 'body.identifier', 'surrogate'],
  ['setOverride', { ...SET, limit: undefined }, 'body.limit', 'required'],
  ['setOverride', { ...SET, limit: -1 }, 'body.limit', '0 or more'],
  ['setOverride', { ...SET, limit: 1.5 }, 'body.limit', 'an integer'],
  ['setOverride', { ...SET, limit: 1e12 + 1 }, 'body.limit', '1000000000000 or less'],
  ['setOverride', { ...SET, duration: undefined }, 'body.duration', 'required'],
  ['setOverride', { ...SET, duration: 999 }, 'body.duration', '1000 or more'],
  ['setOverride', { ...SET, duration: 2_592_000_001 }, 'body.duration', '2592000000 or less'],
  ['setOverride', { ...SET, cost: 1 }, 'body.cost', 'not a field'],
  ['deleteOverride', { identifier: 'i' }, 'body.namespace', 'required'],
  ['deleteOverride', { namespace: 'n' }, 'body.identifier', 'required'],
  ['deleteOverride', { ...OVERRIDE, identifier: '' }, 'body.identifier', 'at least 1'],
  ['deleteOverride', SET, 'body.limit', 'not a field'],
  ['getOverride', { identifier: 'i' }, 'body.namespace', 'required'],
  ['getOverride', { ...OVERRIDE, namespace: '' }, 'body.namespace', 'at least 1'],
  ['getOverride', { ...OVERRIDE, identifier: long(513) }, 'body.identifier', 'at most 512'],
  ['listOverrides', {}, 'body.namespace', 'required'],
  ['listOverrides', { namespace: 'n', limit: 0 }, 'body.limit', '1 or more'],
  ['listOverrides', { namespace: 'n', limit: 101 }, 'body.limit', '100 or less'],
  ['listOverrides', { namespace: 'n', search: 'x' }, 'body.search', 'not a field'],
])('%s with %j: 400 names %s and its bound', async (verb, payload, location, bound) => {
  const { post, deps } = start();
  const answer = await post(verb, payload);
  expect(answer.statusCode).toBe(400);
  const { errors } = answer.json<{
    error: { errors: { location: string; message: string; fix: string }[] };
  }>().error;
  const named = errors.find((error) => error.location === location);
  expect(named?.message).toContain(bound);
  expect(named?.fix).toMatch(/./);
  expect(deps.calls).toEqual([]);
});

const VALID: readonly (readonly [verb: keyof Calls, payload: object])[] = [
  ['createNamespace', { namespace: 'emails' }],
  ['setOverride', SET],
  ['deleteOverride', OVERRIDE],
  ['getOverride', OVERRIDE],
  ['listOverrides', { namespace: 'emails' }],
];

test.each(VALID)('%s: 400 without a bearer, 401 with an unknown one', async (verb, payload) => {
  const { post } = start();
  expect((await post(verb, payload, {})).statusCode).toBe(400);
  expect((await post(verb, payload, { authorization: 'Bearer unknown' })).statusCode).toBe(401);
});

const REFUSALS: readonly [ProblemCode, number][] = [
  ['insufficient_permissions', 403],
  ['ratelimit_namespace_not_found', 404],
  ['ratelimit_override_not_found', 404],
  ['ratelimit_namespace_gone', 410],
  ['precondition_failed', 412],
  ['database_unavailable', 503],
];

test.each(REFUSALS)('a refusal %s is answered with %i', async (code, status) => {
  const refuse = () => Promise.reject(new Problem(code, 'the detail'));
  // A call that always fails answers nothing, and so is of every type.
  const overrides = Object.fromEntries(VALID.map(([verb]) => [verb, refuse])) as Partial<Calls>;
  const { post } = start({ manage: fakeManage([], overrides) });
  for (const [verb, payload] of VALID) {
    const answer = await post(verb, payload);
    expect([verb, answer.statusCode]).toEqual([verb, status]);
    expect(answer.json()).toMatchObject({ error: { status, detail: 'the detail' } });
  }
});
