import { newId, type RandomBytes } from '../domain/ids.ts';
import type { Principal } from '../domain/principal.ts';
import { Problem } from '../domain/problem.ts';
import { mayRoot } from '../domain/root-permissions.ts';
import type { Rows, WriteTransaction } from './ports.ts';
import { lacksPermission, refuseNul } from './refusals.ts';

/**
 * Ids of the workspace's roles of these names. Refuses with `role_not_found` where one is missing: unlike permissions, roles are
 * never made by being named.
 */
export async function findRoles(
  rows: Rows,
  principal: Principal,
  names: readonly string[],
): Promise<readonly string[]> {
  if (names.length === 0) return [];
  refuseNul('roles', ...names);
  const wanted = [...new Set(names)];
  const found = await rows.query<{ id: string; name: string }>(
    'select id, name from roles where workspace_id = $1 and name = any($2::text[])',
    [principal.workspaceId, wanted],
  );
  const known = new Set(found.map((role) => role.name));
  const missing = wanted.filter((name) => !known.has(name));
  if (missing.length > 0)
    throw new Problem('role_not_found', `There is no such role: ${missing.join(', ')}.`);
  return found.map((role) => role.id);
}

/**
 * Ids of the workspace's permissions of these slugs; those that are missing are made, which the root key must be allowed to
 * (`insufficient_permissions` otherwise).
 */
export async function findOrMakePermissions(
  transaction: WriteTransaction,
  principal: Principal,
  slugs: readonly string[],
  randomBytes: RandomBytes,
): Promise<readonly string[]> {
  if (slugs.length === 0) return [];
  // Sorted, so that two calls that make the same permissions wait for each other instead of deadlocking.
  const wanted = [...new Set(slugs)].toSorted();
  const select = 'select id, slug from permissions where workspace_id = $1 and slug = any($2::text[])';
  const found = await transaction.query<{ id: string; slug: string }>(select, [
    principal.workspaceId,
    wanted,
  ]);
  const known = new Set(found.map((permission) => permission.slug));
  const missing = wanted.filter((slug) => !known.has(slug));
  if (missing.length === 0) return found.map((permission) => permission.id);
  if (!mayRoot(principal, 'rbac.*.create_permission')) throw lacksPermission('rbac.*.create_permission');
  const made = await transaction.query<{ id: string }>(
    `insert into permissions (id, workspace_id, slug, name)
     select id, $1, slug, slug from unnest($2::text[], $3::text[]) as wanted (id, slug)
     on conflict (workspace_id, slug) do nothing returning id`,
    [principal.workspaceId, missing.map(() => newId('perm', randomBytes)), missing],
  );
  for (const { id } of made) transaction.changed('permission', id);
  // Another call may have made some of them since; a new statement sees those.
  const all = await transaction.query<{ id: string }>(select, [principal.workspaceId, wanted]);
  return all.map((permission) => permission.id);
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
    `select array(select role_id from key_roles where key_id = $1) as role_ids, array(
       select p.slug from permissions p
       where p.id in (select permission_id from key_permissions where key_id = $1
         union select rp.permission_id from role_permissions rp join key_roles kr using (role_id) where kr.key_id = $1)
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
