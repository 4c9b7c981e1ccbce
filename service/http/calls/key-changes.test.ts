import { afterAll, beforeEach, expect, test } from 'vitest';
import { AUTHORIZED, fakeManage, REVISION_TEXT, testDeps, written } from '../../../test/http/app-deps.ts';
import { buildApp } from '../../app.ts';
import { Problem, type ProblemCode } from '../../domain/problem.ts';
import { MIGRATE_BODY_BYTES } from '../body-limits.ts';

const MIGRATED = { migrated: [{ hash: 'a'.repeat(64), keyId: 'key_1' }], failed: ['b'.repeat(64)] };

let refusal: ProblemCode | undefined;
function orRefuse<Args extends readonly unknown[], T>(answer: (...args: Args) => Promise<T>) {
  return async (...args: Args): Promise<T> => {
    if (refusal !== undefined) throw new Problem(refusal, 'the detail');
    return await answer(...args);
  };
}

const base = testDeps();
const { keys: fake } = fakeManage(base.calls);
const manage = fakeManage(base.calls, {
  rerollKey: orRefuse(async (context, input) => {
    const { data } = await fake.rerollKey(context, input);
    return written(data, { revokes: input.expiration === 0 });
  }),
  migrateKeys: orRefuse(async (context, input) => {
    await fake.migrateKeys(context, input);
    return written(MIGRATED);
  }),
});
const app = buildApp({ ...base, manage });
afterAll(() => app.close());
beforeEach(() => {
  base.calls.splice(0);
  refusal = undefined;
});

async function post(verb: string, payload: object | string, headers: Record<string, string> = AUTHORIZED) {
  return await app.inject({
    method: 'POST',
    url: `/v2/keys.${verb}`,
    headers: { 'content-type': 'application/json', ...headers },
    payload,
  });
}

interface Refusal {
  readonly error: {
    readonly detail: string;
    readonly errors: { location: string; message: string; fix: string }[];
  };
}

const HASH = '0123456789abcdef'.repeat(4);
const REROLL = { keyId: 'key_1', expiration: 86_400_000 };
const MIGRATE = { migrationId: 'mig_1', apiId: 'api_1', keys: [{ hash: HASH }] };
const VALID = { rerollKey: REROLL, migrateKeys: MIGRATE } as const;

test('rerollKey: 200 with the new key', async () => {
  const answer = await post('rerollKey', REROLL);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ data: { keyId: 'key_2', key: 'kh_the_next_key' } });
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  expect(answer.headers).not.toHaveProperty('keyhearth-revocation');
  expect(base.calls).toEqual([{ name: 'rerollKey', caller: expect.anything(), input: REROLL }]);
});

test('rerollKey: where the old key ends earlier, the answer says whether another region knows', async () => {
  const answer = await post('rerollKey', { ...REROLL, expiration: 0 });
  expect(answer.headers['keyhearth-revocation']).toBe('confirmed');
});

const LIMIT = { name: 'requests', limit: 1, duration: 1000, autoApply: true };
const FULL = {
  hash: HASH,
  name: 'a name',
  externalId: 'user.1-a_b',
  meta: { plan: 'pro', deep: [{ a: 1 }] },
  roles: ['admin'],
  permissions: ['documents.read', 'api:*-x_y'],
  expires: 4_102_444_800_000,
  enabled: false,
  credits: { remaining: 5, refill: { interval: 'monthly', amount: 1, refillDay: 31 } },
  ratelimits: [LIMIT, { ...LIMIT, name: 'exact', exact: true, onUnavailable: 'deny' }],
};

test('migrateKeys: 200 with what was imported and what was not', async () => {
  const input = { ...MIGRATE, keys: [FULL, { hash: `prefixedApiKey:${HASH}` }] };
  const answer = await post('migrateKeys', input);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ data: MIGRATED });
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  expect(base.calls).toEqual([{ name: 'migrateKeys', caller: expect.anything(), input }]);
});

const long = (length: number): string => 'x'.repeat(length);
const keysOf = (count: number, key: object = {}): object[] =>
  Array.from({ length: count }, () => ({ hash: HASH, ...key }));
/** The last of many keys is the wrong one. */
const lastOf = (key: object): object => ({ keys: [...keysOf(4999, FULL_BUT_PARTS), { hash: HASH, ...key }] });
const FULL_BUT_PARTS = { name: 'n', externalId: 'e', meta: { a: 1 }, expires: 1, enabled: true };

test.each<[verb: keyof typeof VALID, change: object, location: string, bound: string]>([
  ['rerollKey', { keyId: undefined }, 'body.keyId', 'required'],
  ['rerollKey', { keyId: 'k' }, 'body.keyId', 'at least 3'],
  ['rerollKey', { expiration: undefined }, 'body.expiration', 'required'],
  ['rerollKey', { expiration: -1 }, 'body.expiration', '0 or more'],
  ['rerollKey', { expiration: 4_102_444_800_001 }, 'body.expiration', '4102444800000 or less'],
  ['rerollKey', { expiration: 0.5 }, 'body.expiration', 'an integer'],
  ['rerollKey', { expiration: null }, 'body.expiration', 'an integer'],
  ['rerollKey', { prefix: 'a' }, 'body.prefix', 'not a field'],
  ['migrateKeys', { migrationId: undefined }, 'body.migrationId', 'required'],
  ['migrateKeys', { migrationId: 'ab' }, 'body.migrationId', 'at least 3'],
  ['migrateKeys', { migrationId: long(256) }, 'body.migrationId', 'at most 255'],
  ['migrateKeys', { migrationId: 'ab', keys: keysOf(5000) }, 'body.migrationId', 'at least 3'],
  ['migrateKeys', { apiId: undefined }, 'body.apiId', 'required'],
  ['migrateKeys', { apiId: 'api-1' }, 'body.apiId', 'must match'],
  ['migrateKeys', { format: 'sha256' }, 'body.format', 'not a field'],
  ['migrateKeys', { other: 1 }, 'body.other', 'not a field'],
  ['migrateKeys', { keys: undefined }, 'body.keys', 'required'],
  ['migrateKeys', { keys: [] }, 'body.keys', 'at least 1'],
  ['migrateKeys', { keys: keysOf(5001) }, 'body.keys', 'at most 5000'],
  ['migrateKeys', { keys: {} }, 'body.keys', 'an array'],
  ['migrateKeys', { keys: [HASH] }, 'body.keys[0]', 'an object'],
  ['migrateKeys', { keys: [null] }, 'body.keys[0]', 'an object'],
  ['migrateKeys', { keys: [{ name: 'n' }] }, 'body.keys[0].hash', 'required'],
  ['migrateKeys', { keys: [{ hash: '' }] }, 'body.keys[0].hash', 'at least 1'],
  ['migrateKeys', { keys: [{ hash: long(129) }] }, 'body.keys[0].hash', 'at most 128'],
  ['migrateKeys', lastOf({ plaintext: 'x' }), 'body.keys[4999].plaintext', 'not a field'],
  ['migrateKeys', lastOf({ recoverable: true }), 'body.keys[4999].recoverable', 'not a field'],
  ['migrateKeys', lastOf({ name: '' }), 'body.keys[4999].name', 'at least 1'],
  ['migrateKeys', lastOf({ externalId: 'a b' }), 'body.keys[4999].externalId', 'must match'],
  ['migrateKeys', lastOf({ roles: Array(101).fill('r') }), 'body.keys[4999].roles', 'at most 100'],
  ['migrateKeys', lastOf({ permissions: ['a b'] }), 'body.keys[4999].permissions[0]', 'must match'],
  [
    'migrateKeys',
    lastOf({ permissions: Array(1001).fill('p') }),
    'body.keys[4999].permissions',
    'at most 1000',
  ],
  ['migrateKeys', lastOf({ expires: -1 }), 'body.keys[4999].expires', '0 or more'],
  ['migrateKeys', lastOf({ meta: { a: long(65_536) } }), 'body.keys[4999].meta', 'at most 65536 bytes'],
  ['migrateKeys', lastOf({ meta: [] }), 'body.keys[4999].meta', 'an object'],
  ['migrateKeys', lastOf({ credits: { remaining: -1 } }), 'body.keys[4999].credits.remaining', '0 or more'],
  [
    'migrateKeys',
    lastOf({ credits: { remaining: 1, refill: { interval: 'monthly', amount: 1 } } }),
    'body.keys[4999].credits.refill.refillDay',
    'required with',
  ],
  [
    'migrateKeys',
    lastOf({ credits: { remaining: null, refill: { interval: 'daily', amount: 1 } } }),
    'body.keys[4999].credits.refill',
    'unlimited',
  ],
  ['migrateKeys', lastOf({ ratelimits: [LIMIT, LIMIT] }), 'body.keys[4999].ratelimits[1].name', 'another'],
  [
    'migrateKeys',
    lastOf({ ratelimits: [{ ...LIMIT, onUnavailable: 'deny' }] }),
    'body.keys[4999].ratelimits[0].onUnavailable',
    'without "exact": true',
  ],
  ['migrateKeys', lastOf({ ratelimits: [{}] }), 'body.keys[4999].ratelimits[0].name', 'required'],
  ['migrateKeys', { keys: keysOf(5000, { permissions: ['a', 'b', 'c', 'd', 'e'] }) }, 'body.keys', '20000'],
])('%s: 400 names what is wrong and its bound (case %#)', async (verb, change, location, bound) => {
  const answer = await post(verb, { ...VALID[verb], ...change });
  expect(answer.statusCode).toBe(400);
  const { error } = answer.json<Refusal>();
  expect(error.detail).toContain(location);
  const named = error.errors.find((field) => field.location === location);
  expect(named?.message).toContain(bound);
  expect(named?.fix).toMatch(/./);
  expect(base.calls).toEqual([]);
});

test('5000 keys with four parts each are taken', async () => {
  const keys = keysOf(5000, { roles: ['r'], permissions: ['a', 'b'], ratelimits: [LIMIT] });
  expect((await post('migrateKeys', { ...MIGRATE, keys })).statusCode).toBe(200);
});

test('migrateKeys: nothing of a body is read before its sender is known', async () => {
  const body = '{"not": "json';
  expect((await post('migrateKeys', body, {})).json()).toMatchObject({
    error: { type: expect.stringMatching(/authentication\/missing$/) },
  });
  expect((await post('migrateKeys', body, { authorization: 'Bearer kh_root_another' })).statusCode).toBe(401);
  expect((await post('migrateKeys', body)).json()).toMatchObject({
    error: { type: expect.stringMatching(/invalid_input$/) },
  });
  const large = `"${long(MIGRATE_BODY_BYTES - 2)}"`;
  expect((await post('migrateKeys', large)).statusCode).toBe(400);
  expect((await post('migrateKeys', `${large} `)).statusCode).toBe(413);
});

test('rerollKey: a wrong body without a bearer is 400 for the body', async () => {
  const answer = await post('rerollKey', {}, {});
  expect(answer.json()).toMatchObject({ error: { type: expect.stringMatching(/invalid_input$/) } });
});

test.each<[verb: keyof typeof VALID, code: ProblemCode, status: number]>([
  ['rerollKey', 'insufficient_permissions', 403],
  ['rerollKey', 'key_not_found', 404],
  ['rerollKey', 'precondition_failed', 412],
  ['rerollKey', 'vault_unavailable', 503],
  ['migrateKeys', 'insufficient_permissions', 403],
  ['migrateKeys', 'api_not_found', 404],
  ['migrateKeys', 'role_not_found', 404],
  ['migrateKeys', 'database_unavailable', 503],
])('%s: a refusal %s is answered with %i', async (verb, code, status) => {
  refusal = code;
  const answer = await post(verb, VALID[verb]);
  expect(answer.statusCode).toBe(status);
  expect(answer.json()).toMatchObject({ error: { status, detail: 'the detail' } });
});
