import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../test/postgres.ts';
import {
  contextOf,
  idempotencyOf,
  makePrincipal,
  makeWriteSide,
  readChanges,
  type WriteSide,
} from '../../../test/write-side.ts';
import { newId } from '../../domain/ids.ts';
import { hashKey } from '../../domain/key-text.ts';
import type { Principal } from '../../domain/principal.ts';
import type { CreateKeyInput } from './types.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
let side: WriteSide;
let apiId: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
  side = await makeWriteSide(await postgres.createDatabase());
});
afterAll(async () => {
  await side.end();
  await postgres.stop();
});
// One database; each test has a workspace of its own.
let principal: Principal;
beforeEach(async () => {
  principal = await makePrincipal(side.pool);
  apiId = (await side.manage.apis.createApi(contextOf(principal), { name: 'payments' })).data.apiId;
});

async function makeKey(input: Partial<CreateKeyInput> = {}, owner = principal, api = apiId) {
  return (await side.manage.keys.createKey(contextOf(owner), { apiId: api, ...input })).data;
}

/** A role with permissions of these slugs, which are new. */
async function makeRole(name: string, slugs: readonly string[] = [], owner = principal): Promise<string> {
  const id = newId('role', randomBytes);
  await side.pool.query('insert into roles (id, workspace_id, name, description) values ($1, $2, $3, $4)', [
    id,
    owner.workspaceId,
    name,
    name === 'described' ? 'what it is for' : null,
  ]);
  for (const slug of slugs) {
    const permissionId = await makePermission(slug, owner);
    await side.pool.query('insert into role_permissions (role_id, permission_id) values ($1, $2)', [
      id,
      permissionId,
    ]);
  }
  return id;
}

async function makePermission(slug: string, owner = principal): Promise<string> {
  const id = newId('perm', randomBytes);
  await side.pool.query('insert into permissions (id, workspace_id, slug, name) values ($1, $2, $3, $4)', [
    id,
    owner.workspaceId,
    slug,
    `name of ${slug}`,
  ]);
  return id;
}

function allowed(...tuples: readonly string[]): Principal {
  return { ...principal, permissions: new Set(tuples) };
}

type PermissionVerb = 'addPermissions' | 'removePermissions' | 'setPermissions';
type RoleVerb = 'addRoles' | 'removeRoles' | 'setRoles';

async function permissions(verb: PermissionVerb, keyId: string, items: readonly string[], by = principal) {
  return await side.manage.keys[verb](contextOf(by), { keyId, permissions: items });
}

async function roles(verb: RoleVerb, keyId: string, items: readonly string[], by = principal) {
  return await side.manage.keys[verb](contextOf(by), { keyId, roles: items });
}

const slugsOf = (written: { data: readonly { slug: string }[] }): readonly string[] =>
  written.data.map(({ slug }) => slug);
const namesOf = (written: { data: readonly { name: string }[] }): readonly string[] =>
  written.data.map(({ name }) => name);

async function lastAudit(keyId: string): Promise<{ action: string; detail: unknown } | undefined> {
  const { rows } = await side.pool.query<{ action: string; detail: unknown }>(
    'select action, detail from audit_log where target_id = $1 order by xid desc limit 1',
    [keyId],
  );
  return rows[0];
}

async function changesOf(keyId: string): Promise<number> {
  return (await readChanges(side.pool)).filter(({ kind, id }) => kind === 'key' && id === keyId).length;
}

test('added permissions join those that the key has of its own; missing ones are made', async () => {
  await makeRole('reader', ['docs.read']);
  const { keyId } = await makeKey({ roles: ['reader'], permissions: ['b.two'] });
  const one = await makePermission('a.one');
  const written = await permissions('addPermissions', keyId, [one, 'c.three', 'b.two', 'c.three']);
  expect(written.data).toEqual([
    { id: one, name: 'name of a.one', slug: 'a.one' },
    { id: expect.stringMatching(/^perm_/), name: 'b.two', slug: 'b.two' },
    { id: expect.stringMatching(/^perm_/), name: 'c.three', slug: 'c.three' },
  ]);
  expect(written.revokes).toBe(false);
  const view = await side.manage.keys.getKey(principal, { keyId });
  expect(view.permissions).toEqual(['a.one', 'b.two', 'c.three', 'docs.read']);
  expect(view.updatedAt).toBeTypeOf('number');
});

test('removed permissions are gone, by slug and by id; what a role gives stays, and so does the role', async () => {
  await makeRole('reader', ['docs.read']);
  const { keyId } = await makeKey({ roles: ['reader'], permissions: ['a', 'b', 'c'] });
  const { data } = await permissions('addPermissions', keyId, ['b']);
  const [, b] = data;
  const written = await permissions('removePermissions', keyId, ['a', b?.id ?? 'missing']);
  expect(slugsOf(written)).toEqual(['c']);
  expect(written.revokes).toBe(true);
  const view = await side.manage.keys.getKey(principal, { keyId });
  expect(view).toMatchObject({ permissions: ['c', 'docs.read'], roles: ['reader'] });
});

test('to remove what a key does not have is no mistake; to name what does not exist is 404 and removes nothing', async () => {
  const { keyId } = await makeKey({ permissions: ['a'] });
  await makePermission('elsewhere');
  await makeRole('unused');
  const idle = await permissions('removePermissions', keyId, ['elsewhere']);
  expect(slugsOf(idle)).toEqual(['a']);
  expect(idle.revokes).toBe(false);
  expect((await roles('removeRoles', keyId, ['unused'])).data).toEqual([]);
  await expect(permissions('removePermissions', keyId, ['a', 'typo'])).rejects.toMatchObject({
    code: 'permission_not_found',
    message: expect.stringContaining('typo'),
  });
  await expect(roles('removeRoles', keyId, ['typo'])).rejects.toMatchObject({ code: 'role_not_found' });
  expect((await side.manage.keys.getKey(principal, { keyId })).permissions).toEqual(['a']);
});

test('set permissions replaces those of the key itself; an empty list clears them', async () => {
  const { keyId } = await makeKey({ permissions: ['a', 'b'] });
  const replaced = await permissions('setPermissions', keyId, ['b', 'c']);
  expect(slugsOf(replaced)).toEqual(['b', 'c']);
  expect(replaced.revokes).toBe(true);
  const grown = await permissions('setPermissions', keyId, ['b', 'c', 'd']);
  expect(grown.revokes).toBe(false);
  const cleared = await permissions('setPermissions', keyId, []);
  expect(cleared).toMatchObject({ data: [], revokes: true });
});

test('a permission that a role still gives is no loss', async () => {
  await makeRole('reader', ['docs.read']);
  const { keyId } = await makeKey({ roles: ['reader'], permissions: ['docs.read'] });
  expect((await permissions('removePermissions', keyId, ['docs.read'])).revokes).toBe(false);
  expect((await roles('removeRoles', keyId, ['reader'])).revokes).toBe(true);
});

test('permissions sort by their slugs, byte by byte', async () => {
  const { keyId } = await makeKey();
  const written = await permissions('addPermissions', keyId, ['b', 'B', 'a.z', 'a_z', 'A', 'a:z']);
  expect(slugsOf(written)).toEqual(['A', 'B', 'a.z', 'a:z', 'a_z', 'b']);
});

test('roles are added, removed and replaced, by name and by id, and shown with their permissions', async () => {
  const reader = await makeRole('reader', ['docs.read', 'docs.list']);
  const admin = await makeRole('described', ['all.do']);
  const { keyId } = await makeKey({ permissions: ['a'] });
  const added = await roles('addRoles', keyId, [reader, 'described', 'reader']);
  expect(added.data).toEqual([
    {
      id: admin,
      name: 'described',
      description: 'what it is for',
      permissions: [expect.objectContaining({ slug: 'all.do', name: 'name of all.do' })],
    },
    {
      id: reader,
      name: 'reader',
      permissions: [
        expect.objectContaining({ slug: 'docs.list' }),
        { id: expect.stringMatching(/^perm_/), slug: 'docs.read', name: 'name of docs.read' },
      ],
    },
  ]);
  expect(added.revokes).toBe(false);
  await makeRole('empty');
  const set = await roles('setRoles', keyId, ['empty', 'reader']);
  expect(namesOf(set)).toEqual(['empty', 'reader']);
  expect(set.data[0]).not.toHaveProperty('permissions');
  expect(set.revokes).toBe(true);
  expect(namesOf(await roles('removeRoles', keyId, ['reader']))).toEqual(['empty']);
  expect(await roles('setRoles', keyId, [])).toMatchObject({ data: [], revokes: true });
  expect((await side.manage.keys.getKey(principal, { keyId })).permissions).toEqual(['a']);
});

test('a role is never made by being named, and no permission out of a text that looks like an id', async () => {
  const { keyId } = await makeKey();
  const unknown = newId('perm', randomBytes);
  for (const verb of ['addRoles', 'setRoles'] as const) {
    await expect(roles(verb, keyId, ['nobody'])).rejects.toMatchObject({ code: 'role_not_found' });
  }
  for (const verb of ['addPermissions', 'setPermissions'] as const) {
    await expect(permissions(verb, keyId, ['fine', unknown])).rejects.toMatchObject({
      code: 'permission_not_found',
    });
  }
  expect(
    (await side.pool.query('select from permissions where slug = any($1)', [[unknown, 'fine']])).rowCount,
  ).toBe(0);
});

test('an id means what it names, although another one has it for its slug or name', async () => {
  const { keyId } = await makeKey();
  const permission = await makePermission('real');
  await makePermission(permission);
  const role = await makeRole('real');
  await makeRole(role);
  expect(slugsOf(await permissions('addPermissions', keyId, [permission]))).toEqual(['real']);
  expect(namesOf(await roles('addRoles', keyId, [role]))).toEqual(['real']);
});

test('deleted permissions and roles do not exist', async () => {
  const role = await makeRole('reader', ['docs.read']);
  const permission = await makePermission('a');
  const { keyId } = await makeKey({ roles: ['reader'], permissions: ['a', 'b'] });
  for (const [table, column, id] of [
    ['roles', 'name', role],
    ['permissions', 'slug', permission],
  ]) {
    await side.pool.query(
      `update ${table} set deleted_at = now(), ${column} = 'deleted ' || id where id = $1`,
      [id],
    );
  }
  for (const named of [role, 'reader', `deleted ${role}`]) {
    await expect(roles('addRoles', keyId, [named])).rejects.toMatchObject({ code: 'role_not_found' });
  }
  await expect(permissions('addPermissions', keyId, [permission])).rejects.toMatchObject({
    code: 'permission_not_found',
  });
  // What was deleted before isn't lost by these calls.
  expect(await permissions('setPermissions', keyId, ['b'])).toMatchObject({
    data: [{ slug: 'b' }],
    revokes: false,
  });
  await makeRole('other');
  expect(await roles('addRoles', keyId, ['other'])).toMatchObject({ data: [{ name: 'other' }] });
  await side.pool.query('insert into key_roles (key_id, role_id) values ($1, $2)', [keyId, role]);
  expect((await roles('setRoles', keyId, ['other'])).revokes).toBe(false);
  await side.pool.query('insert into key_roles (key_id, role_id) values ($1, $2)', [keyId, role]);
  expect(namesOf(await roles('removeRoles', keyId, ['other']))).toEqual([]);
});

test('a key may have 1000 permissions and 100 roles of its own, and not one more', async () => {
  const { keyId } = await makeKey();
  const slugs = Array.from({ length: 1000 }, (_, n) => `p.${n}`);
  expect((await permissions('addPermissions', keyId, slugs)).data).toHaveLength(1000);
  await expect(permissions('addPermissions', keyId, ['one.more'])).rejects.toMatchObject({
    code: 'invalid_input',
    errors: [{ location: 'body.permissions', message: expect.stringContaining('at most 1000') }],
  });
  expect((await permissions('addPermissions', keyId, slugs.slice(0, 500))).data).toHaveLength(1000);
  await side.pool.query(
    `insert into roles (id, workspace_id, name) select $1 || '_' || n, $1, 'role ' || n from generate_series(0, 100) n`,
    [principal.workspaceId],
  );
  const names = Array.from({ length: 100 }, (_, n) => `role ${n}`);
  expect((await roles('setRoles', keyId, names)).data).toHaveLength(100);
  await expect(roles('addRoles', keyId, ['role 100'])).rejects.toMatchObject({
    code: 'invalid_input',
    errors: [{ location: 'body.roles', message: expect.stringContaining('at most 100') }],
  });
});

test('permissions are made only by who may, and a refusal leaves nothing', async () => {
  const { keyId } = await makeKey();
  const by = allowed('api.*.update_key');
  await makePermission('known');
  await expect(permissions('addPermissions', keyId, ['known', 'unknown'], by)).rejects.toMatchObject({
    code: 'insufficient_permissions',
    message: expect.stringContaining('rbac.*.create_permission'),
  });
  expect((await side.manage.keys.getKey(principal, { keyId })).permissions).toBeUndefined();
  expect(slugsOf(await permissions('addPermissions', keyId, ['known'], by))).toEqual(['known']);
});

const CALLS: readonly [string, (keyId: string, by: Principal) => Promise<unknown>][] = [
  ['addPermissions', (keyId, by) => permissions('addPermissions', keyId, ['a'], by)],
  ['removePermissions', (keyId, by) => permissions('removePermissions', keyId, ['a'], by)],
  ['setPermissions', (keyId, by) => permissions('setPermissions', keyId, [], by)],
  ['addRoles', (keyId, by) => roles('addRoles', keyId, ['reader'], by)],
  ['removeRoles', (keyId, by) => roles('removeRoles', keyId, ['reader'], by)],
  ['setRoles', (keyId, by) => roles('setRoles', keyId, [], by)],
];

test.each(CALLS)(
  "%s: 404 for another workspace's key, a deleted one and none; then 403",
  async (_verb, call) => {
    const { keyId } = await makeKey();
    const stranger = await makePrincipal(side.pool);
    const { keyId: deleted } = await makeKey();
    await side.manage.keys.deleteKey(contextOf(principal), { keyId: deleted });
    const changes = await changesOf(keyId);
    for (const [id, by] of [
      [keyId, stranger],
      [deleted, principal],
      ['key_none', principal],
    ] as const) {
      await expect(call(id, by)).rejects.toMatchObject({
        code: 'key_not_found',
        message: 'There is no such key.',
      });
    }
    // Whoever lacks the permission learns neither of the key's own API nor of anybody else's keys.
    const reader = allowed('api.*.read_key', 'api.api_other.update_key');
    await expect(call('key_none', reader)).rejects.toMatchObject({ code: 'key_not_found' });
    await expect(call(keyId, reader)).rejects.toMatchObject({
      code: 'insufficient_permissions',
      message: expect.stringContaining(`api.${apiId}.update_key`),
    });
    expect(await changesOf(keyId)).toBe(changes);
    await makeRole('reader', ['a']);
    await call(keyId, allowed(`api.${apiId}.update_key`));
    expect(await changesOf(keyId)).toBe(changes + 1);
  },
);

test("another workspace's permissions and roles can't be named, and nothing of it changes", async () => {
  const other = await makePrincipal(side.pool);
  const theirRole = await makeRole('theirs', ['their.right'], other);
  const theirPermission = await makePermission('their.other', other);
  const snapshot = async (): Promise<unknown> =>
    (
      await side.pool.query(
        `select (select json_agg(p order by id) from permissions p where workspace_id = $1) as p,
           (select json_agg(r order by id) from roles r where workspace_id = $1) as r,
           (select count(*) from key_roles where role_id = $2) as kr,
           (select count(*) from key_permissions where permission_id = $3) as kp`,
        [other.workspaceId, theirRole, theirPermission],
      )
    ).rows;
  const before = await snapshot();
  const { keyId } = await makeKey();
  for (const named of [theirRole, 'theirs']) {
    await expect(roles('addRoles', keyId, [named])).rejects.toMatchObject({ code: 'role_not_found' });
    await expect(roles('removeRoles', keyId, [named])).rejects.toMatchObject({ code: 'role_not_found' });
  }
  await expect(permissions('addPermissions', keyId, [theirPermission])).rejects.toMatchObject({
    code: 'permission_not_found',
  });
  await expect(permissions('removePermissions', keyId, ['their.other'])).rejects.toMatchObject({
    code: 'permission_not_found',
  });
  // The same slug here is another permission.
  const { data } = await permissions('addPermissions', keyId, ['their.other']);
  expect(data[0]?.id).not.toBe(theirPermission);
  expect(await snapshot()).toEqual(before);
});

test('each change leaves a change row under the hash of the key, and an audit line with what came and went', async () => {
  const { keyId, key } = await makeKey({ permissions: ['a'] });
  const [a] = (await permissions('addPermissions', keyId, ['a'])).data;
  const written = await permissions('setPermissions', keyId, ['b']);
  const changes = (await readChanges(side.pool)).filter(({ xid }) => xid === written.revision.xid.toString());
  expect(changes).toEqual([
    expect.objectContaining({ kind: 'permission', id: written.data[0]?.id }),
    expect.objectContaining({ kind: 'key', id: keyId, hash: hashKey(key) }),
  ]);
  expect(await lastAudit(keyId)).toEqual({
    action: 'key.setPermissions',
    detail: { added: [written.data[0]?.id], removed: [a?.id] },
  });
  const role = await makeRole('reader');
  await roles('addRoles', keyId, ['reader']);
  expect(await lastAudit(keyId)).toEqual({
    action: 'key.addRoles',
    detail: { added: [role], removed: [] },
  });
});

test('a repeat with the same idempotency key answers what the first call answered, and does nothing', async () => {
  const { keyId } = await makeKey();
  const context = contextOf(principal, idempotencyOf('once', 'hash'));
  const first = await side.manage.keys.addPermissions(context, { keyId, permissions: ['a'] });
  await permissions('setPermissions', keyId, ['b']);
  const changes = await changesOf(keyId);
  const again = await side.manage.keys.addPermissions(context, { keyId, permissions: ['a'] });
  expect(again).toEqual({ ...first, replayed: true });
  expect(await changesOf(keyId)).toBe(changes);
  expect((await side.manage.keys.getKey(principal, { keyId })).permissions).toEqual(['b']);
});

test('changes of one key at the same time all count', async () => {
  const { keyId } = await makeKey();
  const slugs = Array.from({ length: 8 }, (_, n) => `p.${n}`);
  await Promise.all(slugs.map((slug) => permissions('addPermissions', keyId, [slug])));
  expect((await side.manage.keys.getKey(principal, { keyId })).permissions).toEqual(slugs);
});

/** Every call that makes permissions by naming their slugs. */
const MAKERS: readonly [name: string, run: (slugs: readonly string[]) => Promise<unknown>][] = [
  ['createKey', (slugs) => makeKey({ permissions: slugs })],
  [
    'updateKey',
    async (slugs) =>
      await side.manage.keys.updateKey(contextOf(principal), {
        keyId: (await makeKey()).keyId,
        permissions: slugs,
      }),
  ],
  [
    'migrateKeys',
    async (slugs) =>
      await side.manage.keys.migrateKeys(contextOf(principal), {
        migrationId: 'mig_1',
        apiId,
        keys: [{ hash: randomBytes(32).toString('hex'), permissions: slugs, externalId: 'user' }],
      }),
  ],
  [
    'createRole',
    async (slugs) =>
      await side.manage.permissions.createRole(contextOf(principal), { name: 'new', permissions: slugs }),
  ],
  [
    'setRolePermissions',
    async (slugs) =>
      await side.manage.permissions.setRolePermissions(contextOf(principal), {
        roleId: await makeRole(newId('role', randomBytes)),
        permissions: slugs,
      }),
  ],
];

test.each(MAKERS)(
  '%s audits each permission that it makes, and makes none of what looks like an id',
  async (...[, run]) => {
    const { workspaceId } = principal;
    const ids = async (): Promise<readonly string[]> => {
      const { rows } = await side.pool.query<{ id: string }>(
        'select id from permissions where workspace_id = $1',
        [workspaceId],
      );
      return rows.map(({ id }) => id);
    };
    await expect(run(['made', newId('perm', randomBytes)])).rejects.toMatchObject({
      code: 'permission_not_found',
      status: 404,
    });
    expect(await ids()).toEqual([]);
    const there = await makePermission('there');
    await run(['made', 'there']);
    const made = (await ids()).filter((id) => id !== there);
    expect(made).toHaveLength(1);
    const { rows: audited } = await side.pool.query(
      `select target_id, detail from audit_log where workspace_id = $1 and action = 'permission.create'`,
      [workspaceId],
    );
    expect(audited).toEqual([{ target_id: made[0], detail: { slug: 'made' } }]);
  },
);

test('keys are made with permissions that others delete all the while, without a fault or a deadlock', async () => {
  const slugs = ['s.1', 's.2', 's.3', 's.4'];
  const orders = [slugs, slugs.toReversed(), ['s.3', 's.1', 's.4', 's.2']];
  const { deletePermission } = side.manage.permissions;
  const { deadlocks } = side.writer.counters;
  const again = async (work: () => Promise<unknown>): Promise<readonly PromiseSettledResult<unknown>[]> => {
    const answers = [];
    for (let times = 0; times < 60; times += 1) answers.push(...(await Promise.allSettled([work()])));
    return answers;
  };
  const answers = await Promise.all([
    ...orders.map(async (order) => await again(async () => await makeKey({ permissions: order }))),
    ...slugs.map(
      async (permission) =>
        await again(async () => await deletePermission(contextOf(principal), { permission })),
    ),
  ]);
  const reasons = answers.flat().flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  // Of deletions that come too early; every key was made.
  for (const reason of reasons) expect(reason).toMatchObject({ code: 'permission_not_found' });
  expect(side.writer.counters.deadlocks).toBe(deadlocks);
});
