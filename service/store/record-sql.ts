/**
 * The statements that read records. Each is one statement, and so one snapshot, that returns rows `(kind, body)`: the keys and
 * root keys that were selected and, once each, every shared object that they refer to. `body` is JSON as record-rows.ts has it.
 * Deleted keys, and keys of deleted APIs, don't exist.
 */

const EPOCH_MS = (column: string): string => `(extract(epoch from ${column}) * 1000)::bigint`;

const API_BODY = (
  a: string,
): string => `json_build_object('id', ${a}.id, 'workspaceId', ${a}.workspace_id, 'name', ${a}.name,
  'ipAllowlist', ${a}.ip_allowlist)`;
const WORKSPACE_BODY = (w: string): string => `json_build_object('id', ${w}.id, 'enabled', ${w}.enabled,
  'rateLimit', case when ${w}.rate_limit_units is not null then
    json_build_object('limit', ${w}.rate_limit_units, 'durationMs', ${w}.rate_limit_duration_ms) end)`;
/** The rate limits whose `owner` column has this id. None of their other fields is ever null. */
const RATE_LIMITS = (owner: string, id: string): string => `array(
  select json_strip_nulls(json_build_object('id', l.id, 'name', l.name, 'limit', l.limit_units, 'durationMs', l.duration_ms,
    'autoApply', l.auto_apply, 'exact', case when l.exact then l.on_unavailable end))
  from rate_limits l where l.${owner} = ${id} order by l.name collate "C")`;
const IDENTITY_BODY = (i: string): string =>
  `json_build_object('id', ${i}.id, 'externalId', ${i}.external_id, 'meta', ${i}.meta::text,
  'ratelimits', ${RATE_LIMITS('identity_id', `${i}.id`)})`;
const ROLE_BODY = (
  r: string,
): string => `json_build_object('id', ${r}.id, 'name', ${r}.name, 'permissions', array(
  select p.slug from role_permissions rp join permissions p on p.id = rp.permission_id and p.deleted_at is null
  where rp.role_id = ${r}.id
  order by p.slug collate "C"))`;

const CREDITS_BODY = (a: string): string =>
  `json_build_object('id', ${a}.id, 'generation', ${a}.generation, 'free', ${a}.free)`;

/** The account that a key spends: its own before its identity's, also where that was deleted. Null: unlimited. */
const ACCOUNT_ID = (k: string): string =>
  `coalesce(${k}.credit_account_id, (select i.credit_account_id from identities i where i.id = ${k}.identity_id))`;

/**
 * `keys`, `rootKeys` and `namespaces` are the conditions, order and limit that select from `keys k`, `root_keys k` and
 * `ratelimit_namespaces k`. `place` numbers the keys
 * of a warm page in the page's order, by the database's own rules of comparing ids. What they refer to is selected by arrays of ids:
 * a join would be planned for the largest page, and read the whole of a large table for each small one.
 */
function recordsSql(keys: string, rootKeys: string, namespaces: string, place: string): string {
  return `
with found as materialized (
  select k.*, ${ACCOUNT_ID('k')} as account_id from keys k
  join apis a on a.id = k.api_id and a.deleted_at is null
  where k.deleted_at is null and ${keys}
), found_root as materialized (
  select k.* from root_keys k where k.deleted_at is null and ${rootKeys}
), found_namespaces as materialized (
  select k.* from ratelimit_namespaces k where ${namespaces}
), found_roles as materialized (
  select key_id, role_id from key_roles where key_id = any (array(select id from found))
), found_permissions as materialized (
  select key_id, permission_id from key_permissions where key_id = any (array(select id from found))
)
select 'key' as kind, json_build_object('hash', encode(f.hash, 'hex'), 'keyId', f.id, 'workspaceId', f.workspace_id,
  'apiId', f.api_id, 'identityId', f.identity_id, 'name', f.name, 'meta', f.meta::text, 'enabled', f.enabled,
  'expiresAtMs', ${EPOCH_MS('f.expires_at')}, 'roleIds', coalesce(r.ids, '{}'), 'permissionIds', coalesce(p.ids, '{}'),
  'ratelimits', ${RATE_LIMITS('key_id', 'f.id')}, 'creditAccountId', f.account_id,
  'createdAt', f.created_at::text,
  'place', ${place}) as body
from found f
left join (select key_id, array_agg(role_id order by role_id) as ids from found_roles group by key_id) r on r.key_id = f.id
left join (select key_id, array_agg(permission_id order by permission_id) as ids from found_permissions group by key_id) p
  on p.key_id = f.id
union all
select 'rootKey', json_build_object('hash', encode(f.hash, 'hex'), 'rootKeyId', f.id, 'workspaceId', f.workspace_id,
  'enabled', f.enabled, 'expiresAtMs', ${EPOCH_MS('f.expires_at')}, 'permissions', array(
    select permission from root_key_permissions where root_key_id = f.id order by permission collate "C"))
from found_root f
union all
select 'namespace', json_build_object('hash', encode(f.hash, 'hex'), 'namespaceId', f.id, 'workspaceId', f.workspace_id,
  'name', f.name, 'deleted', f.deleted_at is not null, 'overrides', array(
    select json_build_object('id', o.id, 'identifier', o.identifier, 'limit', o.limit_units, 'durationMs', o.duration_ms)
    from ratelimit_overrides o where o.namespace_id = f.id order by o.id collate "C"))
from found_namespaces f
union all
select 'workspace', ${WORKSPACE_BODY('w')} from workspaces w
where w.id = any (array(select workspace_id from found union select workspace_id from found_root
  union select workspace_id from found_namespaces))
union all
select 'api', ${API_BODY('a')} from apis a where a.id = any (array(select distinct api_id from found))
union all
select 'identity', ${IDENTITY_BODY('i')} from identities i
where i.id = any (array(select distinct identity_id from found)) and i.deleted_at is null
union all
select 'credits', ${CREDITS_BODY('a')} from credit_accounts a
where a.id = any (array(select distinct account_id from found))
union all
select 'role', ${ROLE_BODY('r')} from roles r
where r.id = any (array(select distinct role_id from found_roles)) and r.deleted_at is null
union all
select 'permission', json_build_object('id', p.id, 'slug', p.slug) from permissions p
where p.id = any (array(select distinct permission_id from found_permissions)) and p.deleted_at is null`;
}

/**
 * One more row, `('floor', {reached})`: whether this very snapshot shows all that it must. The seven parameters from `first` on: a
 * mark's epoch counter, epoch id, watermark and number of rows met; a revision's epoch counter, epoch id and transaction; null
 * where there is none.
 */
function floorSql(first: number): string {
  const [epoch, epochId, watermark, met, revisionEpoch, revisionEpochId, xid] = [0, 1, 2, 3, 4, 5, 6].map(
    (at) => `$${first + at}`,
  );
  return `
union all
select 'floor', json_build_object('reached', exists (
  select from heartbeat h where (
    ${epoch}::integer is null or h.epoch > ${epoch}::integer or (
      h.epoch = ${epoch}::integer and h.epoch_id = ${epochId}::text and h.watermark >= ${watermark}::text::xid8
      and (select count(*) from (select from changes c
        where c.epoch = ${epoch}::integer and c.xid >= ${watermark}::text::xid8 limit ${met}::bigint) as shown) >= ${met}::bigint)
  ) and (
    ${revisionEpoch}::integer is null
    or (h.epoch = ${revisionEpoch}::integer and h.epoch_id = ${revisionEpochId}::text and ${xid}::text::xid8 < h.watermark)
    or exists (select from changes c join epochs e on e.counter = c.epoch
      where c.epoch = ${revisionEpoch}::integer and e.id = ${revisionEpochId}::text and c.xid = ${xid}::text::xid8)
  )))`;
}

/** $1: hashes (bytea[]); $2–$8: the floor. */
export const READ_RECORDS =
  recordsSql('k.hash = any($1::bytea[])', 'k.hash = any($1::bytea[])', 'k.hash = any($1::bytea[])', '0') +
  floorSql(2);

const PLACE = 'row_number() over (order by f.created_at desc, f.id desc)';

/** $1: at most so many of each; newest first. $2–$8: the floor. */
export const READ_FIRST_WARM_PAGE =
  recordsSql(
    'true order by k.created_at desc, k.id desc limit $1',
    'true order by k.created_at desc, k.id desc limit $1',
    'false',
    PLACE,
  ) + floorSql(2);

/** $1: at most so many; $2, $3: creation time and id of the last key of the page before; $4–$10: the floor. */
export const READ_NEXT_WARM_PAGE =
  recordsSql(
    '(k.created_at, k.id) < ($2::timestamptz, $3::text) order by k.created_at desc, k.id desc limit $1',
    'false',
    'false',
    PLACE,
  ) + floorSql(4);

/** $1–$6: ids of workspaces, APIs, identities, roles, permissions, accounts of credits (text[]); $7–$13: the floor. */
export const READ_SHARED =
  `
select 'workspace' as kind, ${WORKSPACE_BODY('w')} as body
from workspaces w where w.id = any($1::text[])
union all
select 'api', ${API_BODY('a')} from apis a where a.id = any($2::text[]) and a.deleted_at is null
union all
select 'identity', ${IDENTITY_BODY('i')} from identities i where i.id = any($3::text[]) and i.deleted_at is null
union all
select 'role', ${ROLE_BODY('r')} from roles r where r.id = any($4::text[]) and r.deleted_at is null
union all
select 'permission', json_build_object('id', p.id, 'slug', p.slug) from permissions p
where p.id = any($5::text[]) and p.deleted_at is null
union all
select 'credits', ${CREDITS_BODY('a')} from credit_accounts a where a.id = any($6::text[])` + floorSql(7);
