import { expect, test } from 'vitest';
import { fakeManage, PRINCIPAL, REVISION_TEXT } from '../../../test/http/app-deps.ts';
import { routesOf } from '../../../test/http/routes.ts';
import { Problem, type ProblemCode } from '../../domain/problem.ts';

const start = routesOf('identities');

interface Refusal {
  readonly error: {
    readonly type: string;
    readonly errors: { location: string; message: string; fix: string }[];
  };
}

const VALID = {
  createIdentity: { externalId: 'user.1' },
  updateIdentity: { identity: 'user.1' },
  deleteIdentity: { identity: 'user.1' },
  getIdentity: { identity: 'user.1' },
  listIdentities: {},
} as const;
const VERBS = Object.keys(VALID) as (keyof typeof VALID)[];
const LIMIT = { name: 'requests', limit: 1, duration: 1000, autoApply: false };
const MEBIBYTE = 1024 * 1024;
const long = (length: number): string => 'x'.repeat(length);
const limits = (count: number) => Array.from({ length: count }, (_, n) => ({ ...LIMIT, name: `limit ${n}` }));
const properties = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`p${n}`, n]));

test.each<[verb: keyof typeof VALID, input: object, data: object]>([
  ['createIdentity', { externalId: 'user.1-a_b' }, { identityId: 'id_1' }],
  [
    'createIdentity',
    {
      externalId: 'x',
      meta: properties(100),
      ratelimits: [...limits(49), { ...LIMIT, exact: true, onUnavailable: 'local' }],
    },
    { identityId: 'id_1' },
  ],
  ['updateIdentity', { identity: 'id_1' }, { id: 'id_1', externalId: 'user' }],
  [
    'updateIdentity',
    { identity: 'any text', meta: {}, ratelimits: [{ ...LIMIT, exact: true }] },
    { id: 'id_1', externalId: 'user' },
  ],
  [
    'createIdentity',
    { externalId: 'x', credits: { remaining: 0, refill: { interval: 'monthly', amount: 1, refillDay: 31 } } },
    { identityId: 'id_1' },
  ],
  ['createIdentity', { externalId: 'x', credits: { remaining: null } }, { identityId: 'id_1' }],
  ['updateIdentity', { identity: 'x', credits: null }, { id: 'id_1', externalId: 'user' }],
  ['updateIdentity', { identity: 'x', credits: { refill: null } }, { id: 'id_1', externalId: 'user' }],
  ['deleteIdentity', { identity: 'user.1' }, {}],
])('%s with %j: 200 with its data and its revision', async (verb, input, data) => {
  const { post, deps } = start();
  const answer = await post(verb, input);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({ meta: { requestId: expect.any(String) }, data });
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  expect(deps.calls).toMatchObject([{ name: verb, input }]);
});

test('getIdentity: 200 with the identity', async () => {
  const { post, deps } = start();
  const answer = await post('getIdentity', { identity: long(255) });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ data: { id: 'id_1', externalId: 'user' } });
  expect(deps.calls).toEqual([{ name: 'getIdentity', caller: PRINCIPAL, input: { identity: long(255) } }]);
});

test('listIdentities: 200 with a page, and where the next one begins', async () => {
  const items = [{ id: 'id_1', externalId: 'user', meta: { a: 1 } }];
  const pages = [
    { items, cursor: 'id_1' },
    { items: [], cursor: null },
  ];
  const { post } = start({
    manage: fakeManage([], {
      listIdentities: (_principal, { cursor }) => {
        const page = pages[cursor === undefined ? 0 : 1];
        return page === undefined ? Promise.reject(new Error('no page')) : Promise.resolve(page);
      },
    }),
  });
  const first = (await post('listIdentities', { limit: 1, search: '' })).json<object>();
  expect(first).toMatchObject({ data: items, pagination: { cursor: 'id_1', hasMore: true } });
  const last = (
    await post('listIdentities', { limit: 100, cursor: 'id_1', search: long(256) })
  ).json<object>();
  expect(last).toEqual({ meta: expect.anything(), data: [], pagination: { hasMore: false } });
});

test.each<[verb: keyof typeof VALID, change: object, location: string, bound: string]>([
  ['createIdentity', { externalId: undefined }, 'body.externalId', 'required'],
  ['createIdentity', { externalId: '' }, 'body.externalId', 'at least 1'],
  ['createIdentity', { externalId: long(256) }, 'body.externalId', 'at most 255'],
  ['createIdentity', { externalId: 'a b' }, 'body.externalId', '^[a-zA-Z0-9_.-]+$'],
  ['createIdentity', { meta: properties(101) }, 'body.meta', 'at most 100'],
  ['createIdentity', { meta: null }, 'body.meta', 'an object'],
  ['createIdentity', { meta: [] }, 'body.meta', 'an object'],
  ['createIdentity', { ratelimits: limits(51) }, 'body.ratelimits', 'at most 50'],
  ['createIdentity', { ratelimits: [{ ...LIMIT, name: 'ab' }] }, 'body.ratelimits[0].name', 'at least 3'],
  [
    'createIdentity',
    { ratelimits: [{ ...LIMIT, name: long(129) }] },
    'body.ratelimits[0].name',
    'at most 128',
  ],
  ['createIdentity', { ratelimits: [{ ...LIMIT, limit: 0 }] }, 'body.ratelimits[0].limit', '1 or more'],
  [
    'createIdentity',
    { ratelimits: [{ ...LIMIT, duration: 999 }] },
    'body.ratelimits[0].duration',
    '1000 or more',
  ],
  [
    'createIdentity',
    { ratelimits: [{ ...LIMIT, autoApply: undefined }] },
    'body.ratelimits[0].autoApply',
    'required',
  ],
  ['createIdentity', { ratelimits: [{ ...LIMIT, id: 'rl_1' }] }, 'body.ratelimits[0].id', 'not a field'],
  ['createIdentity', { ratelimits: [LIMIT, LIMIT] }, 'body.ratelimits[1].name', 'another rate limit'],
  ['createIdentity', { identity: 'id_1' }, 'body.identity', 'not a field'],
  ['updateIdentity', { identity: undefined }, 'body.identity', 'required'],
  ['updateIdentity', { meta: null }, 'body.meta', 'an object'],
  [
    'createIdentity',
    { ratelimits: [{ ...LIMIT, onUnavailable: 'deny' }] },
    'body.ratelimits[0].onUnavailable',
    'without "exact": true',
  ],
  ['updateIdentity', { ratelimits: null }, 'body.ratelimits', 'an array'],
  ['updateIdentity', { ratelimits: [LIMIT, LIMIT] }, 'body.ratelimits[1].name', 'another rate limit'],
  ['createIdentity', { credits: null }, 'body.credits', 'an object'],
  ['createIdentity', { credits: {} }, 'body.credits.remaining', 'required'],
  ['updateIdentity', { credits: { remaining: -1 } }, 'body.credits.remaining', '0 or more'],
  ['updateIdentity', { credits: { remaining: 2 ** 53 } }, 'body.credits.remaining', '9007199254740991'],
  [
    'updateIdentity',
    { credits: { refill: { interval: 'daily', amount: 0 } } },
    'body.credits.refill.amount',
    '1 or more',
  ],
  [
    'updateIdentity',
    { credits: { refill: { interval: 'monthly', amount: 1 } } },
    'body.credits.refill.refillDay',
    'required with interval "monthly"',
  ],
  [
    'createIdentity',
    { credits: { remaining: null, refill: { interval: 'daily', amount: 1 } } },
    'body.credits.refill',
    'not allowed with unlimited credits',
  ],
  ['updateIdentity', { externalId: 'other' }, 'body.externalId', 'not a field'],
  ['deleteIdentity', { identity: '' }, 'body.identity', 'at least 1'],
  ['deleteIdentity', { permanent: true }, 'body.permanent', 'not a field'],
  ['getIdentity', { identity: long(256) }, 'body.identity', 'at most 255'],
  ['getIdentity', { externalId: 'user.1' }, 'body.externalId', 'not a field'],
  ['listIdentities', { limit: 0 }, 'body.limit', '1 or more'],
  ['listIdentities', { limit: 101 }, 'body.limit', '100 or less'],
  ['listIdentities', { cursor: 'a b' }, 'body.cursor', '^[a-zA-Z0-9_]*$'],
  ['listIdentities', { search: long(257) }, 'body.search', 'at most 256'],
  ['listIdentities', { environment: 'x' }, 'body.environment', 'not a field'],
])('%s with %j: 400 names %s and its bound', async (verb, change, location, bound) => {
  const { post, deps } = start();
  const answer = await post(verb, { ...VALID[verb], ...change });
  expect(answer.statusCode).toBe(400);
  const { error } = answer.json<Refusal>();
  expect(error.type).toMatch(/application\/invalid_input$/);
  const named = error.errors.find((field) => field.location === location);
  expect(named?.message).toContain(bound);
  expect(named?.fix).toMatch(/./);
  expect(deps.calls).toEqual([]);
});

test.each(['createIdentity', 'updateIdentity'] as const)(
  '%s takes metadata of 1 MiB as JSON text, and one byte more is a 400',
  async (verb) => {
    const { post } = start();
    const withText = (length: number) => ({ ...VALID[verb], meta: { text: long(length) } });
    const room = MEBIBYTE - '{"text":""}'.length;
    expect((await post(verb, withText(room))).statusCode).toBe(200);
    const refused = await post(verb, withText(room + 1));
    expect(refused.statusCode).toBe(400);
    expect(refused.json<Refusal>().error.errors).toMatchObject([
      { location: 'body.meta', message: expect.stringContaining(`${MEBIBYTE} bytes`) },
    ]);
  },
);

test.each(['createIdentity', 'updateIdentity'] as const)(
  '%s reads 1.25 MiB; more is a 413, and nothing is read of who is not known',
  async (verb) => {
    const { post } = start();
    const ofBytes = (count: number): string => `"${long(count - 2)}"`;
    expect((await post(verb, ofBytes(1280 * 1024))).statusCode).toBe(400);
    expect((await post(verb, ofBytes(1280 * 1024 + 1))).statusCode).toBe(413);
    const unread = await post(verb, ofBytes(1280 * 1024), { authorization: 'Bearer unknown' });
    expect(unread.statusCode).toBe(401);
  },
);

test('calls that send no metadata read 64 KiB', async () => {
  const { post } = start();
  for (const verb of ['deleteIdentity', 'getIdentity', 'listIdentities']) {
    expect((await post(verb, `"${long(65_535)}"`)).statusCode).toBe(413);
  }
});

test.each(VERBS)('%s: 400 without a bearer, 401 with an unknown one', async (verb) => {
  const { post, deps } = start();
  const missing = await post(verb, VALID[verb], {});
  expect(missing.statusCode).toBe(400);
  expect(missing.json<Refusal>().error.type).toMatch(/authentication\/missing$/);
  expect((await post(verb, VALID[verb], { authorization: 'Bearer unknown' })).statusCode).toBe(401);
  expect(deps.calls).toEqual([]);
});

const REFUSALS: readonly [ProblemCode, number][] = [
  ['insufficient_permissions', 403],
  ['identity_not_found', 404],
  ['identity_already_exists', 409],
  ['database_unavailable', 503],
  ['outcome_unknown', 504],
];

test.each(REFUSALS)('a refusal %s is answered with %i', async (code, status) => {
  const refuse = () => Promise.reject(new Problem(code, 'the detail'));
  const calls = {
    createIdentity: refuse,
    updateIdentity: refuse,
    deleteIdentity: refuse,
    getIdentity: refuse,
    listIdentities: refuse,
  };
  const { post } = start({ manage: fakeManage([], calls) });
  for (const verb of VERBS) expect((await post(verb, VALID[verb])).statusCode).toBe(status);
});
