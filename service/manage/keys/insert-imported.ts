import type { KeyHash } from '../../domain/brands.ts';
import { nextRefill } from '../../domain/credit-rules.ts';
import { newId } from '../../domain/ids.ts';
import type { ManageDeps } from '../deps.ts';
import type { WriteTransaction } from '../ports.ts';
import type { CreditsView, ImportedKey } from './types.ts';

/**
 * Stands for the first characters of an imported key: nobody here has seen its text, and a part of its hash would tell people nothing.
 * Without an underscore, so that it shows no prefix.
 */
const UNKNOWN_START = '****';

/** An imported key with all that it is given, found or made before. */
export interface PreparedKey {
  readonly keyId: string;
  /** What its record is held under. */
  readonly hash: KeyHash;
  readonly fields: ImportedKey;
  readonly identityId: string | null;
  readonly roleIds: readonly string[];
  readonly permissionIds: readonly string[];
}

export interface ImportTarget {
  readonly workspaceId: string;
  readonly apiId: string;
  readonly migrationId: string;
}

/**
 * A key that is deleted, or whose API is, keeps no other one from being imported: its row gets a hash that no text has. It needs no
 * change of its own, since its record is gone already, and the one that takes its place is told under the hash that it had. In the order of
 * hashes, as below.
 */
const RELEASE_HASHES = `
with ended as materialized (
  select k.id from keys k join apis a on a.id = k.api_id
  where k.hash = any(array(select decode(hash, 'hex') from unnest($2::text[]) as wanted (hash))) and k.workspace_id = $1
    and (k.deleted_at is not null or a.deleted_at is not null)
  order by k.hash for update of k
)
update keys k set hash = sha256(convert_to(E'released\\n' || k.id, 'UTF8')) from ended where k.id = ended.id`;

/** In the order of hashes: two imports of the same keys wait for each other, and can't do so in a circle. */
const INSERT_KEYS = `
insert into keys (id, workspace_id, api_id, migration_id, start, identity_id, credit_account_id, hash, name, meta, enabled, expires_at)
select id, $1, $2, $3, $4, "identityId", "accountId", decode(hash, 'hex'), name, meta, enabled, to_timestamp("expires" / 1000.0)
from json_to_recordset($5::json) as wanted (id text, "identityId" text, "accountId" text, hash text, name text, meta json,
  enabled boolean, expires bigint)
order by hash
on conflict (hash) do nothing returning id`;

const INSERT_ACCOUNTS = `
insert into credit_accounts (id, workspace_id, granted, free, refill_interval, refill_amount, refill_day, refill_at)
select id, $1, remaining, remaining, "interval", amount, "refillDay", to_timestamp("refillAtMs" / 1000.0)
from json_to_recordset($2::json) as wanted (id text, remaining bigint, "interval" text, amount bigint, "refillDay" integer,
  "refillAtMs" bigint)`;

const INSERT_RATE_LIMITS = `
insert into rate_limits (id, workspace_id, key_id, name, limit_units, duration_ms, auto_apply, exact, on_unavailable)
select id, $1, "keyId", name, "limit", duration, "autoApply", coalesce(exact, false), coalesce("onUnavailable", 'local')
from json_to_recordset($2::json) as wanted (id text, "keyId" text, name text, "limit" bigint, duration bigint, "autoApply" boolean,
  exact boolean, "onUnavailable" text)`;

const INSERT_ROLES = `
insert into key_roles (key_id, role_id) select * from unnest($1::text[], $2::text[]) on conflict do nothing`;

const INSERT_PERMISSIONS = `
insert into key_permissions (key_id, permission_id) select * from unnest($1::text[], $2::text[]) on conflict do nothing`;

/**
 * Stores imported keys with a few statements, however many they are, and notes their changes. Returns the ids of those that are stored:
 * a key whose hash is there already is left out, and nothing of it is stored.
 */
export async function insertImported(
  transaction: WriteTransaction,
  deps: Pick<ManageDeps, 'nowMs' | 'randomBytes'>,
  target: ImportTarget,
  keys: readonly PreparedKey[],
): Promise<ReadonlySet<string>> {
  const accounts = await insertAccounts(transaction, deps, target, keys);
  const stored = await insertKeys(transaction, target, keys, accounts);
  const unused = keys.flatMap(({ keyId }) => (stored.has(keyId) ? [] : (accounts.get(keyId) ?? [])));
  if (unused.length > 0) {
    await transaction.query('delete from credit_accounts where id = any($1::text[])', [unused]);
  }
  const kept = keys.filter(({ keyId }) => stored.has(keyId));
  await insertPairs(transaction, INSERT_ROLES, kept, (key) => key.roleIds);
  await insertPairs(transaction, INSERT_PERMISSIONS, kept, (key) => key.permissionIds);
  await insertRateLimits(transaction, deps, target, kept);
  for (const { keyId, hash } of kept) {
    transaction.changedRecord('key', keyId, hash);
    const accountId = accounts.get(keyId);
    if (accountId !== undefined) transaction.changed('credits', accountId);
  }
  return stored;
}

async function insertKeys(
  transaction: WriteTransaction,
  { workspaceId, apiId, migrationId }: ImportTarget,
  keys: readonly PreparedKey[],
  accounts: ReadonlyMap<string, string>,
): Promise<ReadonlySet<string>> {
  const rows = keys.map(({ keyId, hash, identityId, fields: { name, meta, enabled = true, expires } }) => ({
    id: keyId,
    accountId: accounts.get(keyId),
    identityId,
    hash,
    name,
    meta,
    enabled,
    expires,
  }));
  await transaction.query(RELEASE_HASHES, [workspaceId, keys.map(({ hash }) => hash)]);
  const stored = await transaction.query<{ id: string }>(INSERT_KEYS, [
    workspaceId,
    apiId,
    migrationId,
    UNKNOWN_START,
    JSON.stringify(rows),
  ]);
  return new Set(stored.map(({ id }) => id));
}

/** Ids of the accounts, by key, of those that have limited credits. */
async function insertAccounts(
  transaction: WriteTransaction,
  { nowMs, randomBytes }: Pick<ManageDeps, 'nowMs' | 'randomBytes'>,
  { workspaceId }: ImportTarget,
  keys: readonly PreparedKey[],
): Promise<ReadonlyMap<string, string>> {
  const now = nowMs();
  const ids = new Map<string, string>();
  const rows = keys.flatMap(({ keyId, fields: { credits } }) => {
    if (credits === undefined || credits.remaining === null) return [];
    const id = newId('credits', randomBytes);
    ids.set(keyId, id);
    return [accountRow(id, credits, now)];
  });
  if (rows.length > 0) await transaction.query(INSERT_ACCOUNTS, [workspaceId, JSON.stringify(rows)]);
  return ids;
}

function accountRow(id: string, { remaining, refill }: CreditsView, nowMs: number): object {
  return refill === undefined
    ? { id, remaining }
    : { id, remaining, ...refill, refillAtMs: nextRefill(refill, nowMs) };
}

async function insertPairs(
  transaction: WriteTransaction,
  statement: string,
  keys: readonly PreparedKey[],
  idsOf: (key: PreparedKey) => readonly string[],
): Promise<void> {
  const pairs = keys.flatMap((key) => idsOf(key).map((id) => [key.keyId, id] as const));
  if (pairs.length === 0) return;
  await transaction.query(statement, [pairs.map(([keyId]) => keyId), pairs.map(([, id]) => id)]);
}

async function insertRateLimits(
  transaction: WriteTransaction,
  { randomBytes }: Pick<ManageDeps, 'randomBytes'>,
  { workspaceId }: ImportTarget,
  keys: readonly PreparedKey[],
): Promise<void> {
  const rows = keys.flatMap(({ keyId, fields: { ratelimits = [] } }) =>
    ratelimits.map((limit) => ({ ...limit, id: newId('rl', randomBytes), keyId })),
  );
  if (rows.length > 0) await transaction.query(INSERT_RATE_LIMITS, [workspaceId, JSON.stringify(rows)]);
}
