import { expect, test } from 'vitest';
import { fakeManage, KEY_VIEW, PRINCIPAL, REVISION_TEXT, written } from '../../../test/http/app-deps.ts';
import { routesOf } from '../../../test/http/routes.ts';
import { Problem, type ProblemCode } from '../../domain/problem.ts';

const start = routesOf('apis');

interface Refusal {
  readonly error: {
    readonly type: string;
    readonly errors: { location: string; message: string; fix: string }[];
  };
}

const VALID = {
  createApi: { name: 'payments' },
  updateApi: { apiId: 'api_1' },
  deleteApi: { apiId: 'api_1' },
  getApi: { apiId: 'api_1' },
  listKeys: { apiId: 'api_1' },
} as const;
const VERBS = Object.keys(VALID) as (keyof typeof VALID)[];
const long = (length: number): string => 'x'.repeat(length);

test('createApi: 200 with the id and its revision', async () => {
  const { post, deps } = start();
  const answer = await post('createApi', { name: 'payments' });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ data: { apiId: 'api_1' } });
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  expect(deps.calls).toMatchObject([{ name: 'createApi', input: { name: 'payments' } }]);
});

test('getApi: 200 with all that updateApi sets', async () => {
  const { post, deps } = start();
  const answer = await post('getApi', { apiId: 'api_1' });
  expect(answer.statusCode).toBe(200);
  const data = { id: 'api_1', name: 'payments', ipAllowlist: [], recoverableKeys: false };
  expect(answer.json()).toMatchObject({ data });
  expect(deps.calls).toEqual([{ name: 'getApi', caller: PRINCIPAL, input: { apiId: 'api_1' } }]);
});

test('updateApi: 200 with nothing but its revision; every field passes through', async () => {
  const { post, deps } = start();
  const input = {
    apiId: 'api_1',
    name: 'payments',
    ipAllowlist: ['192.0.2.1', '192.0.2.0/24', '2001:db8::/32', '::ffff:192.0.2.1'],
    recoverableKeys: true,
  };
  const answer = await post('updateApi', input);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({ meta: { requestId: expect.any(String) }, data: {} });
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  expect(deps.calls).toMatchObject([{ name: 'updateApi', input }]);
});

test('deleteApi: 200 with nothing, and says whether another region has applied it', async () => {
  const deleteApi = () => Promise.resolve(written({}, { revokes: true }));
  const { post } = start({ manage: fakeManage([], { deleteApi }) });
  const answer = await post('deleteApi', { apiId: 'api_1' });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({ meta: { requestId: expect.any(String) }, data: {} });
  expect(answer.headers['keyhearth-revocation']).toBe('confirmed');
});

test('listKeys: 200 with a page, and where the next one begins', async () => {
  const page = { items: [KEY_VIEW], cursor: 'key_1' };
  const { post } = start({ manage: fakeManage([], { listKeys: () => Promise.resolve(page) }) });
  const answer = await post('listKeys', { apiId: 'api_1' });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({
    meta: { requestId: expect.any(String) },
    data: [KEY_VIEW],
    pagination: { cursor: 'key_1', hasMore: true },
  });
  expect(answer.headers).not.toHaveProperty('keyhearth-revision');
});

test('listKeys: the last page has no cursor', async () => {
  const answer = await start().post('listKeys', { apiId: 'api_1' });
  expect(answer.json()).toMatchObject({ data: [], pagination: { hasMore: false } });
  expect(answer.json()).not.toHaveProperty('pagination.cursor');
});

test.each([true, false])(
  'listKeys takes revalidateKeysCache: %s, which has no effect',
  async (revalidateKeysCache) => {
    const { post, deps } = start();
    const input = { apiId: 'api_1', limit: 100, cursor: 'key_1', externalId: 'user 1', decrypt: true };
    expect((await post('listKeys', { ...input, revalidateKeysCache })).statusCode).toBe(200);
    expect(deps.calls).toEqual([{ name: 'listKeys', caller: PRINCIPAL, input }]);
  },
);

test.each<[verb: keyof typeof VALID, change: object, location: string, bound: string]>([
  ['createApi', { name: undefined }, 'body.name', 'required'],
  ['createApi', { name: 'ab' }, 'body.name', 'at least 3'],
  ['createApi', { name: long(257) }, 'body.name', 'at most 256'],
  ['createApi', { id: 'api_1' }, 'body.id', 'not a field'],
  ['getApi', { apiId: 'ab' }, 'body.apiId', 'at least 3'],
  ['getApi', { apiId: 'a.b.c' }, 'body.apiId', '^[a-zA-Z0-9_]+$'],
  ['updateApi', { apiId: undefined }, 'body.apiId', 'required'],
  ['updateApi', { name: 'ab' }, 'body.name', 'at least 3'],
  ['updateApi', { name: long(257) }, 'body.name', 'at most 256'],
  ['updateApi', { name: null }, 'body.name', 'a string'],
  ['updateApi', { ipAllowlist: '192.0.2.1' }, 'body.ipAllowlist', 'an array'],
  ['updateApi', { ipAllowlist: Array.from({ length: 101 }, () => '::1') }, 'body.ipAllowlist', 'at most 100'],
  ['updateApi', { ipAllowlist: ['::1', 'example.com'] }, 'body.ipAllowlist[1]', 'CIDR block'],
  ['updateApi', { ipAllowlist: ['192.0.2.0/33'] }, 'body.ipAllowlist[0]', 'CIDR block'],
  ['updateApi', { ipAllowlist: ['010.0.0.1'] }, 'body.ipAllowlist[0]', 'CIDR block'],
  ['updateApi', { ipAllowlist: [long(65)] }, 'body.ipAllowlist[0]', 'at most 64'],
  ['updateApi', { recoverableKeys: 1 }, 'body.recoverableKeys', 'a boolean'],
  ['updateApi', { enabled: true }, 'body.enabled', 'not a field'],
  ['deleteApi', { apiId: undefined }, 'body.apiId', 'required'],
  ['deleteApi', { apiId: long(256) }, 'body.apiId', 'at most 255'],
  ['deleteApi', { permanent: true }, 'body.permanent', 'not a field'],
  ['listKeys', { apiId: undefined }, 'body.apiId', 'required'],
  ['listKeys', { limit: 0 }, 'body.limit', '1 or more'],
  ['listKeys', { limit: 101 }, 'body.limit', '100 or less'],
  ['listKeys', { limit: 1.5 }, 'body.limit', 'an integer'],
  ['listKeys', { cursor: long(256) }, 'body.cursor', 'at most 255'],
  ['listKeys', { cursor: 5 }, 'body.cursor', 'a string'],
  ['listKeys', { externalId: '' }, 'body.externalId', 'at least 1'],
  ['listKeys', { externalId: long(256) }, 'body.externalId', 'at most 255'],
  ['listKeys', { decrypt: 'yes' }, 'body.decrypt', 'a boolean'],
  ['listKeys', { revalidateKeysCache: 0 }, 'body.revalidateKeysCache', 'a boolean'],
  ['listKeys', { identity: 'id_1' }, 'body.identity', 'not a field'],
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

test('a wrong rule of an allow list is a 400 before anybody is authenticated', async () => {
  const answer = await start().post('updateApi', { apiId: 'api_1', ipAllowlist: ['nowhere'] }, {});
  expect(answer.json<Refusal>().error.type).toMatch(/application\/invalid_input$/);
});

test.each(VERBS)('%s: 400 without a bearer, 401 with an unknown one', async (verb) => {
  const { post, deps } = start();
  expect((await post(verb, VALID[verb], {})).statusCode).toBe(400);
  expect((await post(verb, VALID[verb], { authorization: 'Bearer unknown' })).statusCode).toBe(401);
  expect(deps.calls).toEqual([]);
});

const REFUSALS: readonly [ProblemCode, number][] = [
  ['insufficient_permissions', 403],
  ['api_not_found', 404],
  ['precondition_failed', 412],
  ['database_unavailable', 503],
  ['outcome_unknown', 504],
];

test.each(REFUSALS)('a refusal %s is answered with %i', async (code, status) => {
  const refuse = () => Promise.reject(new Problem(code, 'the detail'));
  const calls = {
    createApi: refuse,
    updateApi: refuse,
    deleteApi: refuse,
    getApi: refuse,
    listKeys: refuse,
  };
  const { post } = start({ manage: fakeManage([], calls) });
  for (const verb of VERBS) expect((await post(verb, VALID[verb])).statusCode).toBe(status);
});
