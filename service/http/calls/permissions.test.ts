import { expect, test } from 'vitest';
import { type Calls, fakeManage, PRINCIPAL, REVISION_TEXT, written } from '../../../test/http/app-deps.ts';
import { routesOf } from '../../../test/http/routes.ts';
import { Problem, type ProblemCode } from '../../domain/problem.ts';

const start = routesOf('permissions');

const long = (length: number): string => 'x'.repeat(length);
const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `docs.${at}`);

/** The largest body that each call takes, and what it is answered with. */
const WRITES = [
  [
    'createPermission',
    { name: long(512), slug: `${long(120)}a.b:c-_*`, description: long(512) },
    { permissionId: 'perm_1' },
  ],
  ['deletePermission', { permission: long(128) }, {}],
  ['createRole', { name: long(128), description: long(512), permissions: many(1000) }, { roleId: 'role_1' }],
  ['deleteRole', { role: 'any text: ü ☂' }, {}],
  [
    'setRolePermissions',
    { roleId: 'role_1', permissions: Array.from({ length: 1000 }, () => long(128)) },
    [],
  ],
] as const;
const READS = [
  ['getPermission', { permission: 'docs.read' }, { id: 'perm_1', name: 'Read', slug: 'docs.read' }],
  ['getRole', { role: 'reader' }, { id: 'role_1', name: 'reader' }],
] as const;
const LISTS = ['listPermissions', 'listRoles'] as const;

test.each(WRITES)('%s: 200 with its revision', async (verb, payload, data) => {
  const { post, deps } = start();
  const answer = await post(verb, payload);
  expect(answer.statusCode).toBe(200);
  expect(answer.json<{ data: unknown }>().data).toEqual(data);
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  expect(deps.calls).toMatchObject([{ name: verb, caller: { principal: PRINCIPAL }, input: payload }]);
});

test.each(READS)('%s: 200', async (verb, payload, data) => {
  const { post, deps } = start();
  const answer = await post(verb, payload);
  expect(answer.statusCode).toBe(200);
  expect(answer.json<{ data: unknown }>().data).toEqual(data);
  expect(deps.calls).toEqual([{ name: verb, caller: PRINCIPAL, input: payload }]);
});

test.each(LISTS)('%s: 200 with a page, and where the next one begins', async (verb) => {
  const { post, deps } = start();
  const last = await post(verb, {});
  expect(last.statusCode).toBe(200);
  expect(last.json()).toMatchObject({ data: [], pagination: { hasMore: false } });
  const payload = { limit: 100, cursor: 'perm_1', search: long(256) };
  expect((await post(verb, payload)).statusCode).toBe(200);
  expect(deps.calls.map(({ input }) => input)).toEqual([{}, payload]);
  const more = () => Promise.resolve({ items: [], cursor: 'perm_2' });
  const { post: postMore } = start({ manage: fakeManage([], { [verb]: more }) });
  expect((await postMore(verb, {})).json()).toMatchObject({
    pagination: { cursor: 'perm_2', hasMore: true },
  });
});

test.each(WRITES)('%s: a revocation is told of', async (verb, payload) => {
  const revoke = () => Promise.resolve(written({}, { revokes: true }));
  // All calls share one answer, whatever its type would be.
  const overrides = { [verb]: revoke } as Partial<Calls>;
  const { post } = start({ manage: fakeManage([], overrides) });
  expect((await post(verb, payload)).headers['keyhearth-revocation']).toBe('confirmed');
});

test.each<[verb: string, payload: object, location: string, bound: string]>([
  ['createPermission', { slug: 's' }, 'body.name', 'required'],
  ['createPermission', { name: '', slug: 's' }, 'body.name', 'at least 1'],
  ['createPermission', { name: long(513), slug: 's' }, 'body.name', 'at most 512'],
  ['createPermission', { name: 'n\u0000', slug: 's' }, 'body.name', 'U+0000'],
  ['createPermission', { name: 'n' }, 'body.slug', 'required'],
  ['createPermission', { name: 'n', slug: '' }, 'body.slug', 'at least 1'],
  ['createPermission', { name: 'n', slug: long(129) }, 'body.slug', 'at most 128'],
  ['createPermission', { name: 'n', slug: 'a b' }, 'body.slug', 'must match'],
  ['createPermission', { name: 'n', slug: 'a/b' }, 'body.slug', 'must match'],
  ['createPermission', { name: 'n', slug: 's', description: long(513) }, 'body.description', 'at most 512'],
  ['createPermission', { name: 'n', slug: 's', description: null }, 'body.description', 'a string'],
  ['createPermission', { name: 'n', slug: 's', id: 'perm_1' }, 'body.id', 'not a field'],
  ['deletePermission', {}, 'body.permission', 'required'],
  ['deletePermission', { permission: 'a b' }, 'body.permission', 'must match'],
  ['deletePermission', { permission: 'p', force: true }, 'body.force', 'not a field'],
  ['getPermission', { permission: '' }, 'body.permission', 'at least 1'],
  ['getPermission', { permission: long(129) }, 'body.permission', 'at most 128'],
  ['getPermission', { permission: 'p', all: true }, 'body.all', 'not a field'],
  ['listPermissions', { limit: 0 }, 'body.limit', '1 or more'],
  ['listPermissions', { limit: 101 }, 'body.limit', '100 or less'],
  ['listPermissions', { cursor: 7 }, 'body.cursor', 'a string'],
  ['listPermissions', { search: long(257) }, 'body.search', 'at most 256'],
  ['listPermissions', { offset: 1 }, 'body.offset', 'not a field'],
  ['createRole', {}, 'body.name', 'required'],
  ['createRole', { name: '' }, 'body.name', 'at least 1'],
  ['createRole', { name: long(129) }, 'body.name', 'at most 128'],
  ['createRole', { name: 'n', description: long(513) }, 'body.description', 'at most 512'],
  ['createRole', { name: 'n', permissions: many(1001) }, 'body.permissions', 'at most 1000'],
  ['createRole', { name: 'n', permissions: ['ok', ''] }, 'body.permissions[1]', 'at least 1'],
  ['createRole', { name: 'n', permissions: [long(129)] }, 'body.permissions[0]', 'at most 128'],
  ['createRole', { name: 'n', permissions: ['a b'] }, 'body.permissions[0]', 'must match'],
  ['createRole', { name: 'n', roles: [] }, 'body.roles', 'not a field'],
  ['deleteRole', {}, 'body.role', 'required'],
  ['deleteRole', { role: long(129) }, 'body.role', 'at most 128'],
  ['deleteRole', { roleId: 'r', role: 'r' }, 'body.roleId', 'not a field'],
  ['getRole', { role: '' }, 'body.role', 'at least 1'],
  ['listRoles', { limit: 1.5 }, 'body.limit', 'an integer'],
  ['listRoles', { search: long(257) }, 'body.search', 'at most 256'],
  ['setRolePermissions', { permissions: [] }, 'body.roleId', 'required'],
  ['setRolePermissions', { roleId: '', permissions: [] }, 'body.roleId', 'at least 1'],
  ['setRolePermissions', { roleId: long(129), permissions: [] }, 'body.roleId', 'at most 128'],
  ['setRolePermissions', { roleId: 'r' }, 'body.permissions', 'required'],
  ['setRolePermissions', { roleId: 'r', permissions: many(1001) }, 'body.permissions', 'at most 1000'],
  ['setRolePermissions', { roleId: 'r', permissions: ['a b'] }, 'body.permissions[0]', 'must match'],
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
  ...WRITES.map(([verb, payload]) => [verb, payload] as const),
  ...READS.map(([verb, payload]) => [verb, payload] as const),
  ...LISTS.map((verb) => [verb, {}] as const),
];

test.each(VALID)('%s: 400 without a bearer, 401 with an unknown one', async (verb, payload) => {
  const { post } = start();
  expect((await post(verb, payload, {})).statusCode).toBe(400);
  expect((await post(verb, payload, { authorization: 'Bearer unknown' })).statusCode).toBe(401);
});

const REFUSALS: readonly [ProblemCode, number][] = [
  ['insufficient_permissions', 403],
  ['permission_not_found', 404],
  ['role_not_found', 404],
  ['permission_already_exists', 409],
  ['role_already_exists', 409],
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
