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
import { HotCache } from '../../cache/hot-cache.ts';
import { systemClock } from '../../clock.ts';
import { NO_FLOOR } from '../../domain/feed.ts';
import { hashKey } from '../../domain/key-text.ts';
import type { Principal } from '../../domain/principal.ts';
import { ROOT_PERMISSIONS } from '../../domain/root-permissions.ts';
import { RecordReader } from '../../store/record-reader.ts';
import type { Written } from '../types.ts';
import type { PermissionCalls } from './types.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
let side: WriteSide;
let calls: PermissionCalls;
/** Of a workspace that each test has for itself. */
let principal: Principal;
beforeAll(async () => {
  postgres = await startTestPostgres();
  side = await makeWriteSide(await postgres.createDatabase());
  calls = side.manage.permissions;
});
afterAll(async () => {
  await side.end();
  await postgres.stop();
});
beforeEach(async () => {
  principal = await makePrincipal(side.pool);
});

async function make(slug: string, more: { name?: string; description?: string } = {}): Promise<string> {
  const { data } = await calls.createPermission(contextOf(principal), { name: slug, slug, ...more });
  return data.permissionId;
}

async function makeRole(name: string, ...permissions: readonly string[]): Promise<string> {
  const { data } = await calls.createRole(contextOf(principal), { name, permissions });
  return data.roleId;
}

/** A memory of records on the database, that was told of everything so far. */
function makeCache(): { cache: HotCache; tell: (written: Written<unknown>) => Promise<void> } {
  const cache = new HotCache({
    source: new RecordReader(side.pool),
    floor: () => NO_FLOOR,
    clock: systemClock,
    maxKeys: 10,
    maxBytes: 100_000,
    maxRootKeys: 10,
    maxNamespaces: 10,
    maxAbsent: 10,
    maxAgeMs: 3_600_000,
    loadConcurrency: 1,
    loadBatchSize: 10,
    maxWaitingLoads: 10,
    onBackgroundError: (error) => {
      throw error;
    },
  });
  cache.onEpoch();
  const tell = async (written: Written<unknown>): Promise<void> => {
    const rows = await readChanges(side.pool);
    const changes = rows.filter((row) => row.xid === String(written.revision.xid));
    cache.onChanges(
      changes.map(({ kind, id }, at) => ({
        seq: BigInt(at),
        xid: written.revision.xid,
        // The kinds that the writes of this file note.
        kind: kind as 'role' | 'permission',
        id,
        hash: null,
      })),
    );
  };
  return { cache, tell };
}

/** The change rows of a write, as `kind id`. */
async function changesOf({ revision }: Written<unknown>): Promise<readonly string[]> {
  const rows = await readChanges(side.pool);
  return rows.filter((row) => row.xid === String(revision.xid)).map(({ kind, id }) => `${kind} ${id}`);
}

async function auditOf({ revision }: Written<unknown>) {
  const { rows } = await side.pool.query<{ action: string; target_id: string; detail: object }>(
    'select action, target_id, detail from audit_log where xid = $1::text::xid8',
    [String(revision.xid)],
  );
  return rows;
}

function without(...permissions: readonly string[]): Principal {
  const held = ROOT_PERMISSIONS.filter((one) => !permissions.includes(one));
  return { ...principal, permissions: new Set<string>(held) };
}

test('a permission is made with its change and audit rows, and read by its id and its slug', async () => {
  const written = await calls.createPermission(contextOf(principal), {
    name: 'Read documents',
    slug: 'docs.read',
    description: 'secret plans',
  });
  const { permissionId: id } = written.data;
  const view = { id, name: 'Read documents', slug: 'docs.read', description: 'secret plans' };
  expect(await calls.getPermission(principal, { permission: id })).toEqual(view);
  expect(await calls.getPermission(principal, { permission: 'docs.read' })).toEqual(view);
  expect(written.revokes).toBe(false);
  expect(await changesOf(written)).toEqual([`permission ${id}`]);
  const audit = await auditOf(written);
  expect(audit).toMatchObject([{ action: 'permission.create', target_id: id }]);
  expect(JSON.stringify(audit)).not.toMatch(/Read documents|secret plans/);
});

test('a description that is empty, or not given, is left out', async () => {
  const empty = await make('a', { description: '' });
  const absent = await make('b');
  for (const permission of [empty, absent]) {
    expect(await calls.getPermission(principal, { permission })).not.toHaveProperty('description');
  }
});

test('an id wins over a slug that reads like it', async () => {
  const id = await make('docs.read');
  await make(id);
  expect(await calls.getPermission(principal, { permission: id })).toMatchObject({ slug: 'docs.read' });
});

test('of calls that make the same permission at the same time, one makes it and the others are refused', async () => {
  const results = await Promise.allSettled(Array.from({ length: 4 }, () => make('docs.read')));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const result of results) {
    if (result.status === 'rejected')
      expect(result.reason).toMatchObject({ code: 'permission_already_exists' });
  }
});

test('a repeat with the same Idempotency-Key answers the same permission', async () => {
  const again = () => contextOf(principal, idempotencyOf('once', 'hash'));
  const first = await calls.createPermission(again(), { name: 'n', slug: 's' });
  const second = await calls.createPermission(again(), { name: 'n', slug: 's' });
  expect(second).toMatchObject({ data: first.data, replayed: true });
});

test('deleting a permission takes it from the roles that held it, and frees its slug', async () => {
  const roles = [await makeRole('one', 'docs.read', 'docs.list'), await makeRole('two', 'docs.read')];
  const { id } = await calls.getPermission(principal, { permission: 'docs.read' });
  const written = await calls.deletePermission(contextOf(principal), { permission: 'docs.read' });
  expect(written).toMatchObject({ data: {}, revokes: true });
  expect((await changesOf(written)).toSorted()).toEqual(
    [`permission ${id}`, ...roles.map((role) => `role ${role}`)].toSorted(),
  );
  expect(await auditOf(written)).toMatchObject([{ action: 'permission.delete', target_id: id }]);
  expect(await calls.getRole(principal, { role: 'one' })).toMatchObject({
    permissions: [{ slug: 'docs.list' }],
  });
  expect(await calls.getRole(principal, { role: 'two' })).not.toHaveProperty('permissions');
  await expect(calls.getPermission(principal, { permission: id })).rejects.toMatchObject({
    code: 'permission_not_found',
  });
  expect(await make('docs.read')).not.toBe(id);
  expect(await calls.getRole(principal, { role: 'two' })).not.toHaveProperty('permissions');
});

/** Runs `call` while another transaction holds what `sql` locks, and commits that one as soon as the call waits for it. */
async function runInto<T>(call: () => Promise<T>, sql: string, values: readonly string[]): Promise<T> {
  const other = await side.pool.connect();
  try {
    await other.query('begin');
    await other.query(sql, [...values]);
    const result = call();
    await vi.waitFor(async () => {
      const { rows } = await other.query("select from pg_stat_activity where wait_event_type = 'Lock'");
      expect(rows.length).toBeGreaterThan(0);
    });
    await other.query('commit');
    return await result;
  } finally {
    other.release();
  }
}

test('a role that is just being given the permission is told of its deletion too', async () => {
  const roleId = await makeRole('late');
  const permission = await make('docs.read');
  const deletion = await runInto(
    () => calls.deletePermission(contextOf(principal), { permission }),
    'insert into role_permissions values ($1, $2)',
    [roleId, permission],
  );
  expect(await changesOf(deletion)).toContain(`role ${roleId}`);
});

test('a role that is given a permission while that is deleted is given one that is made anew', async () => {
  const roleId = await makeRole('late');
  const permission = await make('docs.read');
  const { data } = await runInto(
    () => calls.setRolePermissions(contextOf(principal), { roleId, permissions: ['docs.read', 'docs.list'] }),
    "update permissions set slug = 'deleted ' || id, deleted_at = now() where id = $1",
    [permission],
  );
  expect(data).toMatchObject([
    { slug: 'docs.list' },
    { slug: 'docs.read', id: expect.not.stringMatching(permission) },
  ]);
  const shown = { permissions: data };
  expect(await calls.getRole(principal, { role: roleId })).toMatchObject(shown);
});

test('of calls that delete the same permission at the same time, one does and the others find none', async () => {
  await make('docs.read');
  const deletePermission = () => calls.deletePermission(contextOf(principal), { permission: 'docs.read' });
  const results = await Promise.allSettled(Array.from({ length: 4 }, deletePermission));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'permission_not_found' });
  }
});

test('lists go by id, in pages that what is made meanwhile neither repeats nor hides', async () => {
  const made = new Set<string>();
  for (const slug of ['a', 'b', 'c', 'd', 'e']) made.add(await make(slug));
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await calls.listPermissions(principal, { limit: 2, ...(cursor && { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(2);
    seen.push(...page.items.map(({ id }) => id));
    await make(`meanwhile-${seen.length}`);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  expect(seen).toEqual(seen.toSorted());
  expect(new Set(seen).size).toBe(seen.length);
  for (const id of made) expect(seen).toContain(id);
});

test('a search finds part of an id, a name, a slug or a description, in any case, and no pattern', async () => {
  const id = await make('docs.read', { name: 'Read_All', description: '100% of it' });
  await make('other', { name: 'ReadXAll', description: '100 of it' });
  const found = async (search: string) =>
    (await calls.listPermissions(principal, { search })).items.map(({ slug }) => slug);
  for (const search of [id.slice(6).toUpperCase(), 'DOCS', 'd_aLL', '100%', '0% OF']) {
    expect([search, await found(search)]).toEqual([search, ['docs.read']]);
  }
  expect(await found('\\')).toEqual([]);
  expect(await found('')).toHaveLength(2);
});

test('a role is made with permissions, those that are missing too, and read by its id and its name', async () => {
  const existing = await make('docs.read', { name: 'Read' });
  const written = await calls.createRole(contextOf(principal), {
    name: 'editor',
    description: 'may edit',
    permissions: ['docs.write', 'docs.read', 'docs.write'],
  });
  const { roleId: id } = written.data;
  const view = await calls.getRole(principal, { role: id });
  expect(view).toEqual({
    id,
    name: 'editor',
    description: 'may edit',
    permissions: [
      { id: existing, name: 'Read', slug: 'docs.read' },
      { id: expect.any(String), name: 'docs.write', slug: 'docs.write' },
    ],
  });
  expect(await calls.getRole(principal, { role: 'editor' })).toEqual(view);
  expect(await changesOf(written)).toEqual([`permission ${view.permissions?.[1]?.id}`, `role ${id}`]);
  expect(JSON.stringify(await auditOf(written))).not.toMatch(/editor|may edit/);
});

test('of calls that make the same role at the same time, one makes it and the others are refused', async () => {
  const results = await Promise.allSettled(Array.from({ length: 4 }, () => makeRole('one', 'a', 'b')));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'role_already_exists' });
  }
});

test('a deleted role is gone, and its name is free again, whatever other roles are called', async () => {
  const roleId = await makeRole('editor', 'docs.write');
  await makeRole(`deleted ${roleId}`);
  const written = await calls.deleteRole(contextOf(principal), { role: 'editor' });
  expect(written).toMatchObject({ data: {}, revokes: true });
  expect(await changesOf(written)).toEqual([`role ${roleId}`]);
  for (const role of [roleId, 'editor']) {
    await expect(calls.getRole(principal, { role })).rejects.toMatchObject({ code: 'role_not_found' });
  }
  expect(await makeRole('editor')).not.toBe(roleId);
});

test('a key in memory loses by the feed what a deleted permission, role or a replaced set gave it', async () => {
  await makeRole('editor', 'a', 'b');
  await makeRole('reader', 'a', 'c');
  const { data: api } = await side.manage.apis.createApi(contextOf(principal), { name: 'payments' });
  const input = { apiId: api.apiId, roles: ['editor', 'reader'], permissions: ['a', 'd'] };
  const { data } = await side.manage.keys.createKey(contextOf(principal), input);
  const hash = hashKey(data.key);
  const { cache, tell } = makeCache();
  const held = async () => {
    const view = (await cache.loadKey(hash))?.view;
    return [view?.roles ?? [], [...(view?.permissions ?? [])].toSorted()];
  };
  expect(await held()).toEqual([
    ['editor', 'reader'],
    ['a', 'b', 'c', 'd'],
  ]);

  await tell(await calls.deletePermission(contextOf(principal), { permission: 'a' }));
  expect(await held()).toEqual([
    ['editor', 'reader'],
    ['b', 'c', 'd'],
  ]);

  await tell(await calls.deleteRole(contextOf(principal), { role: 'editor' }));
  expect(await held()).toEqual([['reader'], ['c', 'd']]);

  const set = { roleId: 'reader', permissions: ['e'] };
  await tell(await calls.setRolePermissions(contextOf(principal), set));
  expect(await held()).toEqual([['reader'], ['d', 'e']]);

  // What is made anew under the same names is something else.
  await makeRole('editor', 'b');
  await make('a');
  const { keys } = await new RecordReader(side.pool).readRecords([hash]);
  const shared = keys.get(hash)?.shared.filter(({ kind }) => kind === 'role' || kind === 'permission');
  expect(shared).toMatchObject([
    { kind: 'role', name: 'reader', permissions: ['e'] },
    { kind: 'permission', slug: 'd' },
  ]);
});

test("a role's permissions are replaced, and only a loss is a revocation", async () => {
  const roleId = await makeRole('editor', 'a');
  const set = async (role: string, ...permissions: readonly string[]) =>
    await calls.setRolePermissions(contextOf(principal), { roleId: role, permissions });
  const more = await set(roleId, 'c', 'b', 'a');
  expect(more.data.map(({ slug }) => slug)).toEqual(['a', 'b', 'c']);
  expect(more.revokes).toBe(false);
  expect(await changesOf(more)).toContain(`role ${roleId}`);
  const swapped = await set('editor', 'b', 'd');
  expect(swapped.data.map(({ slug }) => slug)).toEqual(['b', 'd']);
  expect(swapped.revokes).toBe(true);
  const none = await set('editor');
  expect(none).toMatchObject({ data: [], revokes: true });
  expect(await calls.getRole(principal, { role: roleId })).not.toHaveProperty('permissions');
});

test('what is refused for lack of a permission changes nothing', async () => {
  const roleId = await makeRole('editor', 'a');
  const poor = without('rbac.*.create_permission');
  const refused = { code: 'insufficient_permissions' };
  const set = calls.setRolePermissions(contextOf(poor), { roleId, permissions: ['missing'] });
  await expect(set).rejects.toMatchObject(refused);
  const create = calls.createRole(contextOf(poor), { name: 'other', permissions: ['missing'] });
  await expect(create).rejects.toMatchObject(refused);
  expect(await calls.getRole(principal, { role: roleId })).toMatchObject({ permissions: [{ slug: 'a' }] });
  expect((await calls.listRoles(principal, {})).items).toHaveLength(1);
  // What is there already takes no permission to make it.
  await calls.setRolePermissions(contextOf(poor), { roleId, permissions: ['a'] });
});

test('roles are listed with their permissions, in pages by id', async () => {
  const ids = [await makeRole('one', 'a', 'b'), await makeRole('two'), await makeRole('three', 'b')];
  const first = await calls.listRoles(principal, { limit: 2 });
  expect(first.cursor).toBe(first.items[1]?.id);
  const second = await calls.listRoles(principal, { limit: 2, cursor: String(first.cursor) });
  expect(second.cursor).toBeNull();
  const items = [...first.items, ...second.items];
  expect(items.map(({ id }) => id)).toEqual(ids.toSorted());
  const slugs = new Map(items.map(({ name, permissions }) => [name, permissions?.map(({ slug }) => slug)]));
  expect(slugs).toEqual(
    new Map([
      ['one', ['a', 'b']],
      ['two', undefined],
      ['three', ['b']],
    ]),
  );
  expect((await calls.listRoles(principal, { search: 'TH' })).items).toMatchObject([{ name: 'three' }]);
});

test('a page of roles ends early where they hold very many permissions, and says that there are more', async () => {
  const slugs = Array.from({ length: 1000 }, (_, at) => `docs.${at}`);
  for (let at = 0; at < 12; at += 1) await makeRole(`role ${at}`, ...slugs);
  const first = await calls.listRoles(principal, {});
  expect(first.items).toHaveLength(10);
  const second = await calls.listRoles(principal, { cursor: String(first.cursor) });
  expect(second.items).toHaveLength(2);
  expect(second.cursor).toBeNull();
});

test("another workspace's permissions and roles don't exist, by id, slug or name", async () => {
  const permissionId = await make('docs.read');
  const roleId = await makeRole('editor', 'docs.read');
  const stranger = await makePrincipal(side.pool);
  const context = contextOf(stranger);
  for (const permission of [permissionId, 'docs.read', 'never.made']) {
    const refused = { code: 'permission_not_found', message: 'There is no such permission.' };
    await expect(calls.getPermission(stranger, { permission })).rejects.toMatchObject(refused);
    await expect(calls.deletePermission(context, { permission })).rejects.toMatchObject(refused);
  }
  for (const role of [roleId, 'editor', 'never made']) {
    const refused = { code: 'role_not_found', message: 'There is no such role.' };
    await expect(calls.getRole(stranger, { role })).rejects.toMatchObject(refused);
    await expect(calls.deleteRole(context, { role })).rejects.toMatchObject(refused);
    const set = calls.setRolePermissions(context, { roleId: role, permissions: [] });
    await expect(set).rejects.toMatchObject(refused);
  }
  expect((await calls.listPermissions(stranger, {})).items).toEqual([]);
  expect((await calls.listRoles(stranger, {})).items).toEqual([]);
  await calls.createPermission(context, { name: 'theirs', slug: 'docs.read' });
  await calls.createRole(context, { name: 'editor' });
  expect(await calls.getRole(principal, { role: roleId })).toMatchObject({
    permissions: [{ id: permissionId }],
  });
});

test.each<[keyof PermissionCalls, (caller: Principal) => Promise<unknown>, ...(readonly string[])]>([
  [
    'createPermission',
    (caller) => calls.createPermission(contextOf(caller), { name: 'n', slug: 's' }),
    'rbac.*.create_permission',
  ],
  [
    'deletePermission',
    (caller) => calls.deletePermission(contextOf(caller), { permission: 'x' }),
    'rbac.*.delete_permission',
  ],
  ['getPermission', (caller) => calls.getPermission(caller, { permission: 'x' }), 'rbac.*.read_permission'],
  ['listPermissions', (caller) => calls.listPermissions(caller, {}), 'rbac.*.read_permission'],
  [
    'createRole',
    (caller) => calls.createRole(contextOf(caller), { name: 'n', permissions: ['p'] }),
    'rbac.*.create_role',
    'rbac.*.add_permission_to_role',
    'rbac.*.create_permission',
  ],
  ['deleteRole', (caller) => calls.deleteRole(contextOf(caller), { role: 'x' }), 'rbac.*.delete_role'],
  ['getRole', (caller) => calls.getRole(caller, { role: 'x' }), 'rbac.*.read_role'],
  ['listRoles', (caller) => calls.listRoles(caller, {}), 'rbac.*.read_role'],
  [
    'setRolePermissions',
    (caller) => calls.setRolePermissions(contextOf(caller), { roleId: 'x', permissions: [] }),
    'rbac.*.add_permission_to_role',
    'rbac.*.remove_permission_from_role',
  ],
])(
  '%s is refused before anything is looked up without each permission of it',
  async (_name, run, ...needed) => {
    for (const permission of needed) {
      await expect(run(without(permission))).rejects.toMatchObject({
        code: 'insufficient_permissions',
        message: `The root key lacks a permission: ${permission}.`,
      });
    }
  },
);

test('a role without permissions takes no permission but that to make it', async () => {
  const context = contextOf({ ...principal, permissions: new Set(['rbac.*.create_role']) });
  for (const more of [{}, { permissions: [] }]) {
    const name = JSON.stringify(more);
    expect(await calls.createRole(context, { name, ...more })).toMatchObject({ revokes: false });
  }
});
