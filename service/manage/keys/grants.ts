import { isIdOf, newId, type RandomBytes } from '../../domain/ids.ts';
import type { Principal } from '../../domain/principal.ts';
import { Problem } from '../../domain/problem.ts';
import { mayRoot } from '../../domain/root-permissions.ts';
import { auditOf } from '../audit.ts';
import type { Rows, WriteTransaction } from '../ports.ts';
import { lacksPermission, refuseNul } from '../refusals.ts';
import type { WriteContext } from '../types.ts';

/** Names in a refusal; the caller knows the others. */
const NAMED = 10;

/**
 * Ids of the workspace's roles of these names. Refuses with `role_not_found` where one is missing: unlike permissions, roles are
 * never made by being named.
 */
export async function findRoles(
  rows: Rows,
  principal: Principal,
  names: readonly string[],
): Promise<readonly string[]> {
  return [...(await rolesByName(rows, principal, names)).values()];
}

/** The same, as ids by name. */
export async function rolesByName(
  rows: Rows,
  principal: Principal,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (names.length === 0) return new Map();
  refuseNul('roles', ...names);
  const wanted = [...new Set(names)];
  const found = await rows.query<{ id: string; name: string }>(
    'select id, name from roles where workspace_id = $1 and name = any($2::text[]) and deleted_at is null',
    [principal.workspaceId, wanted],
  );
  const ids = new Map(found.map(({ id, name }) => [name, id]));
  const missing = wanted.filter((name) => !ids.has(name));
  if (missing.length > 0) throw rolesNotFound(missing);
  return ids;
}

export function rolesNotFound(missing: readonly string[]): Problem {
  return new Problem('role_not_found', `There is no such role: ${someOf(missing)}.`);
}

export function permissionsNotFound(missing: readonly string[]): Problem {
  return new Problem('permission_not_found', `There is no such permission: ${someOf(missing)}.`);
}

function someOf(names: readonly string[]): string {
  const more = names.length - NAMED;
  return `${names.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/**
 * Ids of the workspace's permissions of these slugs; those that are missing are made, which the root key must be allowed to
 * (`insufficient_permissions` otherwise). What looks like an id is one that is gone or mistyped, and no slug that somebody wants:
 * `permission_not_found`.
 */
export async function findOrMakePermissions(
  transaction: WriteTransaction,
  context: WriteContext,
  slugs: readonly string[],
  randomBytes: RandomBytes,
): Promise<readonly string[]> {
  return [...(await permissionsBySlug(transaction, context, slugs, randomBytes)).values()];
}

/**
 * What another call makes at the same time is waited for and taken as it is then: to set its name to itself locks it, so that it isn't
 * deleted before it is given. In order, so that two calls can't wait for each other.
 */
const MAKE_PERMISSIONS = `
insert into permissions (id, workspace_id, slug, name)
select id, $1, slug, slug from unnest($2::text[], $3::text[]) as wanted (id, slug) order by slug collate "C"
on conflict (workspace_id, slug) do update set name = permissions.name returning id, slug`;

/** The same, as ids by slug. Each that is made has its change and audit line. */
export async function permissionsBySlug(
  transaction: WriteTransaction,
  context: WriteContext,
  slugs: readonly string[],
  randomBytes: RandomBytes,
): Promise<ReadonlyMap<string, string>> {
  const { principal } = context;
  const wanted = [...new Set(slugs)];
  if (wanted.length === 0) return new Map();
  const found = await idsBySlug(transaction, principal, wanted);
  const missing = wanted.filter((slug) => !found.has(slug));
  if (missing.length === 0) return found;
  const lost = missing.filter((slug) => isIdOf('perm', slug));
  if (lost.length > 0) throw permissionsNotFound(lost);
  if (!mayRoot(principal, 'rbac.*.create_permission')) throw lacksPermission('rbac.*.create_permission');
  const newIds = missing.map(() => newId('perm', randomBytes));
  const rows = await transaction.query<{ id: string; slug: string }>(MAKE_PERMISSIONS, [
    principal.workspaceId,
    newIds,
    missing,
  ]);
  const isNew = new Set(newIds);
  for (const { id, slug } of rows.filter((row) => isNew.has(row.id))) {
    transaction.changed('permission', id);
    const detail = { slug };
    transaction.audit(
      auditOf(context, { action: 'permission.create', targetKind: 'permission', targetId: id, detail }),
    );
  }
  return new Map([...found, ...rows.map(({ id, slug }) => [slug, id] as const)]);
}

/** Locked, so that none is deleted before it is given; in order, so that two calls can't wait for each other. */
async function idsBySlug(
  rows: Rows,
  { workspaceId }: Principal,
  slugs: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = await rows.query<{ id: string; slug: string }>(
    `select id, slug from permissions where workspace_id = $1 and slug = any($2::text[]) and deleted_at is null
     order by slug collate "C" for key share`,
    [workspaceId, slugs],
  );
  return new Map(found.map(({ id, slug }) => [slug, id]));
}

/** Replaces the roles that are given to the key itself. */
export async function setKeyRoles(
  transaction: WriteTransaction,
  keyId: string,
  ids: readonly string[],
): Promise<void> {
  await transaction.query('delete from key_roles where key_id = $1 and role_id <> all($2::text[])', [
    keyId,
    ids,
  ]);
  await transaction.query(
    'insert into key_roles (key_id, role_id) select $1, unnest($2::text[]) on conflict do nothing',
    [keyId, ids],
  );
}

/** Replaces the permissions that are given to the key itself. */
export async function setKeyPermissions(
  transaction: WriteTransaction,
  keyId: string,
  ids: readonly string[],
): Promise<void> {
  await transaction.query(
    'delete from key_permissions where key_id = $1 and permission_id <> all($2::text[])',
    [keyId, ids],
  );
  await transaction.query(
    'insert into key_permissions (key_id, permission_id) select $1, unnest($2::text[]) on conflict do nothing',
    [keyId, ids],
  );
}

export interface Grants {
  readonly roleIds: readonly string[];
  /** Slugs of permissions, given directly or by a role. */
  readonly slugs: readonly string[];
}

/** All that a key may do now. */
export async function readGrants(rows: Rows, keyId: string): Promise<Grants> {
  const [found] = await rows.query<{ role_ids: string[]; slugs: string[] }>(
    `with own_roles as (
       select r.id from key_roles kr join roles r on r.id = kr.role_id and r.deleted_at is null where kr.key_id = $1
     )
     select array(select id from own_roles) as role_ids, array(
       select p.slug from permissions p
       where p.deleted_at is null and p.id in (select permission_id from key_permissions where key_id = $1
         union select rp.permission_id from role_permissions rp where rp.role_id in (select id from own_roles))
     ) as slugs`,
    [keyId],
  );
  return { roleIds: found?.role_ids ?? [], slugs: found?.slugs ?? [] };
}

/** True where something of `before` is no longer there. */
export function losesGrants(before: Grants, after: Grants): boolean {
  const roles = new Set(after.roleIds);
  const slugs = new Set(after.slugs);
  return before.roleIds.some((id) => !roles.has(id)) || before.slugs.some((slug) => !slugs.has(slug));
}
