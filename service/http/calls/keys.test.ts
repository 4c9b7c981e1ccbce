import { expect, test } from 'vitest';
import { fakeManage, KEY_VIEW, PRINCIPAL, REVISION_TEXT } from '../../../test/http/app-deps.ts';
import { routesOf } from '../../../test/http/routes.ts';
import { Problem, type ProblemCode } from '../../domain/problem.ts';

const start = routesOf('keys');

interface Refusal {
  readonly error: {
    readonly type: string;
    readonly errors: { location: string; message: string; fix: string }[];
  };
}

const VALID = {
  createKey: { apiId: 'api_1' },
  updateKey: { keyId: 'key_1' },
  deleteKey: { keyId: 'key_1' },
  updateCredits: { keyId: 'key_1', operation: 'increment', value: 1 },
  getKey: { keyId: 'key_1' },
  whoami: { key: 'kh_something' },
} as const;
const VERBS = Object.keys(VALID) as (keyof typeof VALID)[];
const LIMIT = { name: 'abc', limit: 1, duration: 1000, autoApply: true };
const EXACT_LIMIT = { ...LIMIT, name: 'exact', exact: true, onUnavailable: 'deny' };
const FULL_CREATE = {
  apiId: 'api_1',
  prefix: 'prod_x',
  name: 'a name',
  byteLength: 255,
  externalId: 'user.1-a_b',
  meta: { plan: 'pro', deep: [{ a: 1 }] },
  roles: ['admin'],
  permissions: ['documents.read', 'api:*-x_y'],
  expires: 4_102_444_800_000,
  enabled: false,
  credits: { remaining: 5, refill: { interval: 'monthly', amount: 1, refillDay: 31 } },
  ratelimits: [LIMIT, EXACT_LIMIT],
  recoverable: true,
};

test('createKey: 200 with the key, its revision, and what was asked for', async () => {
  const { post, deps } = start();
  const answer = await post('createKey', FULL_CREATE);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ data: { keyId: 'key_1', key: 'kh_the_new_key' } });
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  expect(answer.headers).not.toHaveProperty('keyhearth-revocation');
  expect(deps.calls).toEqual([
    {
      name: 'createKey',
      caller: {
        principal: PRINCIPAL,
        requestId: answer.json<{ meta: { requestId: string } }>().meta.requestId,
        clientAddress: '127.0.0.1',
        idempotency: null,
      },
      input: FULL_CREATE,
    },
  ]);
});

test('updateKey: 200; absent, null and set fields arrive as such', async () => {
  const { post, deps } = start();
  const input = {
    keyId: 'key_1',
    name: null,
    externalId: null,
    meta: null,
    expires: null,
    enabled: true,
    credits: null,
    ratelimits: [EXACT_LIMIT],
  };
  const answer = await post('updateKey', input);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ data: {} });
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  expect(deps.calls[0]?.input).toEqual(input);
});

test('deleteKey: 200, with what is known of the revocation', async () => {
  const { post, deps } = start();
  const answer = await post('deleteKey', { keyId: 'key_1', permanent: true });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['keyhearth-revocation']).toBe('confirmed');
  expect(deps.calls[0]?.input).toEqual({ keyId: 'key_1', permanent: true });
});

test('updateCredits: 200 with what is left; null is a value of its own', async () => {
  const { post, deps } = start();
  const inputs = [VALID.updateCredits, { keyId: 'key_1', operation: 'set', value: null }];
  for (const input of inputs) {
    const answer = await post('updateCredits', input);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ data: { remaining: 7 } });
    expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  }
  expect(deps.calls.map(({ input }) => input)).toEqual(inputs);
});

test('updateKey: balance and refill come each for itself', async () => {
  const { post, deps } = start();
  const refill = { interval: 'daily', amount: 1 };
  const updates = [{}, { remaining: null }, { refill: null }, { refill }, { remaining: 5, refill }];
  for (const credits of updates) {
    expect((await post('updateKey', { keyId: 'key_1', credits })).statusCode).toBe(200);
  }
  expect(deps.calls.map(({ input }) => input)).toEqual(
    updates.map((credits) => ({ keyId: 'key_1', credits })),
  );
});

test('getKey: 200 with the key', async () => {
  const { post, deps } = start();
  const answer = await post('getKey', { keyId: 'key_1', decrypt: true });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ data: KEY_VIEW });
  expect(answer.headers).not.toHaveProperty('keyhearth-revision');
  expect(deps.calls).toEqual([
    { name: 'getKey', caller: PRINCIPAL, input: { keyId: 'key_1', decrypt: true } },
  ]);
});

test('whoami: 200 with the key', async () => {
  const { post } = start();
  const answer = await post('whoami', { key: 'kh_something' });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ data: KEY_VIEW });
});

const long = (length: number): string => 'x'.repeat(length);
/** Metadata whose JSON text has that many bytes. */
const ofBytes = (bytes: number): object => ({ a: long(bytes - '{"a":""}'.length) });

test.each(['createKey', 'updateKey'] as const)(
  '%s: metadata over 64 KiB is a 400 that names the bound',
  async (verb) => {
    const { post, deps } = start();
    // The bytes of its JSON text count: more than its characters, and more than a number may have been sent with.
    const metas = [
      ofBytes(65_537),
      { a: 'é'.repeat(32_768) },
      { a: Array.from({ length: 3000 }, () => 1e20) },
    ];
    for (const meta of metas) {
      const answer = await post(verb, { ...VALID[verb], meta });
      expect(answer.statusCode).toBe(400);
      const [named] = answer.json<Refusal>().error.errors;
      expect(named?.location).toBe('body.meta');
      expect(named?.message).toContain('at most 65536 bytes');
      expect(named?.fix).toMatch(/./);
    }
    expect(deps.calls).toEqual([]);
  },
);

test('metadata of 64 KiB is taken', async () => {
  const { post, deps } = start();
  expect((await post('createKey', { ...VALID.createKey, meta: ofBytes(65_536) })).statusCode).toBe(200);
  expect((await post('updateKey', { ...VALID.updateKey, meta: ofBytes(65_536) })).statusCode).toBe(200);
  expect(deps.calls.map(({ name }) => name)).toEqual(['createKey', 'updateKey']);
});

test.each<[verb: keyof typeof VALID, change: object, location: string, bound: string]>([
  ['createKey', { apiId: undefined }, 'body.apiId', 'required'],
  ['createKey', { apiId: 'ab' }, 'body.apiId', 'at least 3'],
  ['createKey', { apiId: long(256) }, 'body.apiId', 'at most 255'],
  ['createKey', { apiId: 'api-1' }, 'body.apiId', '^[a-zA-Z0-9_]+$'],
  ['createKey', { apiId: 7 }, 'body.apiId', 'a string'],
  ['createKey', { prefix: '' }, 'body.prefix', 'at least 1'],
  ['createKey', { prefix: long(17) }, 'body.prefix', 'at most 16'],
  ['createKey', { prefix: 'a-b' }, 'body.prefix', '^[a-zA-Z0-9_]+$'],
  ['createKey', { name: '' }, 'body.name', 'at least 1'],
  ['createKey', { name: long(256) }, 'body.name', 'at most 255'],
  ['createKey', { byteLength: 15 }, 'body.byteLength', '16 or more'],
  ['createKey', { byteLength: 256 }, 'body.byteLength', '255 or less'],
  ['createKey', { byteLength: 16.5 }, 'body.byteLength', 'an integer'],
  ['createKey', { externalId: 'a b' }, 'body.externalId', '^[a-zA-Z0-9_.-]+$'],
  ['createKey', { externalId: long(256) }, 'body.externalId', 'at most 255'],
  [
    'createKey',
    { meta: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [n, n])) },
    'body.meta',
    'at most 100',
  ],
  ['createKey', { meta: [] }, 'body.meta', 'an object'],
  ['createKey', { meta: { a: 'nul\u0000' } }, 'body.meta', 'U+0000'],
  ['createKey', { meta: { a: ['\ud800'] } }, 'body.meta', 'surrogate'],
  ['createKey', { meta: { '\u0000': 1 } }, 'body.meta', 'U+0000'],
  ['createKey', { meta: { a: nested(100) } }, 'body.meta', 'at most 100 levels'],
  ['createKey', { name: 'nul\u0000' }, 'body.name', 'U+0000'],
  ['createKey', { roles: Array.from({ length: 101 }, () => 'r') }, 'body.roles', 'at most 100'],
  ['createKey', { roles: ['ok', ''] }, 'body.roles[1]', 'at least 1'],
  ['createKey', { roles: [long(129)] }, 'body.roles[0]', 'at most 128'],
  ['createKey', { permissions: Array.from({ length: 1001 }, () => 'p') }, 'body.permissions', 'at most 1000'],
  ['createKey', { permissions: ['a b'] }, 'body.permissions[0]', 'must match'],
  ['createKey', { permissions: [long(129)] }, 'body.permissions[0]', 'at most 128'],
  ['createKey', { expires: -1 }, 'body.expires', '0 or more'],
  ['createKey', { expires: 4_102_444_800_001 }, 'body.expires', '4102444800000 or less'],
  ['createKey', { expires: null }, 'body.expires', 'an integer'],
  ['createKey', { enabled: 'yes' }, 'body.enabled', 'a boolean'],
  ['createKey', { owner: 'me' }, 'body.owner', 'not a field'],
  ['createKey', { credits: { remaining: -1 } }, 'body.credits.remaining', '0 or more'],
  ['createKey', { credits: { remaining: 'x' } }, 'body.credits.remaining', 'an integer or null'],
  ['createKey', { credits: {} }, 'body.credits.remaining', 'required'],
  [
    'createKey',
    { credits: { remaining: 1, refill: { interval: 'weekly', amount: 1 } } },
    'body.credits.refill.interval',
    '"daily" or "monthly"',
  ],
  [
    'createKey',
    { credits: { remaining: 1, refill: { interval: 'daily', amount: 0 } } },
    'body.credits.refill.amount',
    '1 or more',
  ],
  [
    'createKey',
    { credits: { remaining: 1, refill: { interval: 'monthly', amount: 1 } } },
    'body.credits.refill.refillDay',
    'required with',
  ],
  [
    'createKey',
    { credits: { remaining: 1, refill: { interval: 'monthly', amount: 1, refillDay: 32 } } },
    'body.credits.refill.refillDay',
    '31 or less',
  ],
  [
    'createKey',
    { credits: { remaining: 1, refill: { interval: 'daily', amount: 1, refillDay: 1 } } },
    'body.credits.refill.refillDay',
    'not allowed with',
  ],
  [
    'createKey',
    { credits: { remaining: null, refill: { interval: 'daily', amount: 1 } } },
    'body.credits.refill',
    'unlimited',
  ],
  [
    'createKey',
    { ratelimits: [{ name: 'ab', limit: 1, duration: 1000, autoApply: true }] },
    'body.ratelimits[0].name',
    'at least 3',
  ],
  [
    'createKey',
    { ratelimits: [{ name: 'abc', limit: 0, duration: 1000, autoApply: true }] },
    'body.ratelimits[0].limit',
    '1 or more',
  ],
  [
    'createKey',
    { ratelimits: [{ name: 'abc', limit: 1, duration: 999, autoApply: true }] },
    'body.ratelimits[0].duration',
    '1000 or more',
  ],
  [
    'createKey',
    { ratelimits: [{ name: 'abc', limit: 1, duration: 1000 }] },
    'body.ratelimits[0].autoApply',
    'required',
  ],
  ['createKey', { credits: null }, 'body.credits', 'an object'],
  ['createKey', { credits: { remaining: 2 ** 53 } }, 'body.credits.remaining', '9007199254740991 or less'],
  [
    'createKey',
    { ratelimits: [LIMIT, { ...LIMIT, name: 'abcd' }, LIMIT] },
    'body.ratelimits[2].name',
    'name of another rate limit',
  ],
  ['createKey', { ratelimits: Array.from({ length: 51 }, () => LIMIT) }, 'body.ratelimits', 'at most 50'],
  ['createKey', { ratelimits: [{ ...LIMIT, exact: 'yes' }] }, 'body.ratelimits[0].exact', 'a boolean'],
  [
    'createKey',
    { ratelimits: [{ ...EXACT_LIMIT, onUnavailable: 'allow' }] },
    'body.ratelimits[0].onUnavailable',
    '"deny"',
  ],
  [
    'createKey',
    { ratelimits: [EXACT_LIMIT, { ...LIMIT, onUnavailable: 'local' }] },
    'body.ratelimits[1].onUnavailable',
    'without "exact": true',
  ],
  [
    'updateKey',
    { ratelimits: [{ ...EXACT_LIMIT, exact: false }] },
    'body.ratelimits[0].onUnavailable',
    'without "exact": true',
  ],
  ['createKey', { recoverable: 'yes' }, 'body.recoverable', 'a boolean'],
  [
    'updateKey',
    { credits: { remaining: null, refill: { interval: 'daily', amount: 1 } } },
    'body.credits.refill',
    'unlimited',
  ],
  [
    'updateKey',
    { credits: { refill: { interval: 'monthly', amount: 1 } } },
    'body.credits.refill.refillDay',
    'required with',
  ],
  ['updateKey', { ratelimits: null }, 'body.ratelimits', 'an array'],
  ['updateCredits', { operation: 'add' }, 'body.operation', '"set"'],
  ['updateCredits', { operation: undefined }, 'body.operation', 'required'],
  ['updateCredits', { value: -1 }, 'body.value', '0 or more'],
  ['updateCredits', { value: 1.5 }, 'body.value', 'an integer'],
  ['updateCredits', { value: 2 ** 53 }, 'body.value', '9007199254740991 or less'],
  ['updateCredits', { value: undefined }, 'body.value', 'required with'],
  ['updateCredits', { operation: 'set', value: undefined }, 'body.value', 'required with'],
  ['updateCredits', { operation: 'decrement', value: null }, 'body.value', 'a number'],
  ['updateCredits', { keyId: 'a-b' }, 'body.keyId', '^[a-zA-Z0-9_]+$'],
  ['updateCredits', { amount: 1 }, 'body.amount', 'not a field'],
  ['updateKey', { keyId: undefined }, 'body.keyId', 'required'],
  ['updateKey', { keyId: 'k' }, 'body.keyId', 'at least 3'],
  ['updateKey', { name: '' }, 'body.name', 'at least 1'],
  ['updateKey', { name: 5 }, 'body.name', 'a string or null'],
  ['updateKey', { expires: -1 }, 'body.expires', '0 or more'],
  ['updateKey', { enabled: null }, 'body.enabled', 'a boolean'],
  ['updateKey', { apiId: 'api_1' }, 'body.apiId', 'not a field'],
  ['deleteKey', { keyId: long(256) }, 'body.keyId', 'at most 255'],
  ['deleteKey', { permanent: 1 }, 'body.permanent', 'a boolean'],
  ['deleteKey', { force: true }, 'body.force', 'not a field'],
  ['getKey', { keyId: '' }, 'body.keyId', 'at least 3'],
  ['getKey', { decrypt: 'yes' }, 'body.decrypt', 'a boolean'],
  ['whoami', { key: '' }, 'body.key', 'at least 1'],
  ['whoami', { key: long(513) }, 'body.key', 'at most 512'],
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

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { a: nested(depth - 1) };
}

test('each wrong field is named once, a wrong nullable one too', async () => {
  const { post } = start();
  const answer = await post('updateKey', { keyId: 'k', name: '', extra: 1, more: 2 });
  const { errors } = answer.json<Refusal>().error;
  expect(errors.map(({ location }) => location).toSorted()).toEqual([
    'body.extra',
    'body.keyId',
    'body.more',
    'body.name',
  ]);
});

test.each(VERBS)('%s: a wrong body without a bearer is 400 for the body', async (verb) => {
  const { post } = start();
  const answer = await post(verb, { nonsense: true }, {});
  expect(answer.json<Refusal>().error.type).toMatch(/application\/invalid_input$/);
});

test.each([
  [undefined, 400, 'authentication/missing'],
  ['', 400, 'authentication/missing'],
  ['Basic abc', 400, 'authentication/malformed'],
  ['Bearer', 400, 'authentication/malformed'],
  ['Bearer ', 400, 'authentication/malformed'],
  ['Bearer a b', 400, 'authentication/malformed'],
  ['kh_root_testing', 400, 'authentication/malformed'],
  ['Bearer kh_root_another', 401, 'authentication/key_not_found'],
  ['bearer  kh_root_testing ', 200, undefined],
])('Authorization %j: %i', async (authorization, status, type) => {
  const { post } = start();
  const answer = await post('getKey', VALID.getKey, authorization === undefined ? {} : { authorization });
  expect(answer.statusCode).toBe(status);
  const url = type === undefined ? undefined : expect.stringMatching(new RegExp(`/${type}$`));
  expect(answer.json<Partial<Refusal>>().error?.type).toEqual(url);
  expect(answer.json<Partial<Refusal>>().error?.errors?.length).toBe(status === 400 ? 1 : undefined);
});

const REFUSALS: readonly [ProblemCode, number][] = [
  ['root_key_disabled', 403],
  ['root_key_expired', 403],
  ['workspace_disabled', 403],
  ['insufficient_permissions', 403],
  ['key_not_found', 404],
  ['api_not_found', 404],
  ['role_not_found', 404],
  ['precondition_failed', 412],
  ['idempotency_key_reused', 422],
  ['no_home', 503],
  ['database_unavailable', 503],
  ['vault_unavailable', 503],
  ['outcome_unknown', 504],
];

test.each(REFUSALS)('a refusal %s is answered with %i, without an errors list', async (code, status) => {
  const refuse = () => Promise.reject(new Problem(code, 'the detail'));
  const { post } = start({
    manage: fakeManage([], {
      createKey: refuse,
      updateKey: refuse,
      deleteKey: refuse,
      updateCredits: refuse,
      getKey: refuse,
      whoami: refuse,
    }),
  });
  for (const verb of VERBS) {
    const answer = await post(verb, VALID[verb]);
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ error: { status, detail: 'the detail' } });
    expect(answer.json()).not.toHaveProperty('error.errors');
    expect(answer.headers).not.toHaveProperty('keyhearth-revision');
  }
});

test('a key of another zone is sent there, whether it calls or is asked about', async () => {
  const { post, deps } = start({
    zoneGuard: (text) => {
      if (!text.startsWith('eu_')) return;
      throw new Problem('wrong_zone', 'This key belongs to eu.example.com.', {
        headers: { 'keyhearth-zone-url': 'https://eu.example.com' },
      });
    },
  });
  const answers = [
    await post('createKey', VALID.createKey, { authorization: 'Bearer eu_root' }),
    await post('whoami', { key: 'eu_key' }),
  ];
  for (const answer of answers) {
    expect(answer.statusCode).toBe(421);
    expect(answer.headers['keyhearth-zone-url']).toBe('https://eu.example.com');
    expect(answer.json()).toMatchObject({ error: { detail: expect.stringContaining('eu.example.com') } });
  }
  expect(deps.calls).toEqual([]);
});
