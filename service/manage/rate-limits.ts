import { newId } from '../domain/ids.ts';
import type { ManageDeps } from './deps.ts';
import type { Rows, WriteTransaction } from './ports.ts';
import type { RateLimitInput, RateLimitView } from './types.ts';

/** Whose rate limits: of one key, or of an identity, whose keys share them. */
export type RateLimitOwner = { readonly keyId: string } | { readonly identityId: string };

/** The column that names the owner, and its id. */
function columnOf(owner: RateLimitOwner): readonly ['key_id' | 'identity_id', string] {
  return 'keyId' in owner ? ['key_id', owner.keyId] : ['identity_id', owner.identityId];
}

/**
 * SQL expression: the rate limits whose `column` is `id` (an expression) as a JSON array of `RateLimitView`, sorted by name. Their
 * numbers are bounded to 10^12, so that JSON has them exactly.
 */
export function rateLimitViewsSql(column: 'key_id' | 'identity_id', id: string): string {
  return `coalesce((select json_agg(json_strip_nulls(json_build_object('id', l.id, 'name', l.name, 'limit', l.limit_units,
    'duration', l.duration_ms, 'autoApply', l.auto_apply, 'exact', case when l.exact then true end,
    'onUnavailable', case when l.exact then l.on_unavailable end)) order by l.name collate "C")
  from rate_limits l where l.${column} = ${id}), '[]'::json)`;
}

/** The rate limits of one owner, sorted by name. */
export async function readRateLimits(rows: Rows, owner: RateLimitOwner): Promise<readonly RateLimitView[]> {
  const [column, id] = columnOf(owner);
  const [found] = await rows.query<{ limits: readonly RateLimitView[] }>(
    `select ${rateLimitViewsSql(column, '$1')} as limits`,
    [id],
  );
  return found?.limits ?? [];
}

/**
 * Replaces the owner's rate limits, by name: one of the same name keeps its id, so that what was counted stays counted. Returns
 * whether anything changed; noting the change of the key or identity is the caller's. `inputs` name no limit twice.
 */
export async function setRateLimits(
  transaction: WriteTransaction,
  { randomBytes }: Pick<ManageDeps, 'randomBytes'>,
  owner: RateLimitOwner,
  workspaceId: string,
  inputs: readonly RateLimitInput[],
): Promise<boolean> {
  const [column, id] = columnOf(owner);
  const gone = await transaction.query(
    `delete from rate_limits where ${column} = $1 and name <> all($2::text[]) returning id`,
    [id, inputs.map(({ name }) => name)],
  );
  if (inputs.length === 0) return gone.length > 0;
  const set = await transaction.query(
    `insert into rate_limits (id, workspace_id, ${column}, name, limit_units, duration_ms, auto_apply, exact, on_unavailable)
     select wanted.id, $1, $2, name, limit_units, duration_ms, auto_apply, exact, on_unavailable
     from unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::boolean[], $8::boolean[], $9::text[])
       as wanted (id, name, limit_units, duration_ms, auto_apply, exact, on_unavailable)
     on conflict (${column}, name) do update
     set limit_units = excluded.limit_units, duration_ms = excluded.duration_ms, auto_apply = excluded.auto_apply,
       exact = excluded.exact, on_unavailable = excluded.on_unavailable, updated_at = now()
     where (rate_limits.limit_units, rate_limits.duration_ms, rate_limits.auto_apply, rate_limits.exact,
         rate_limits.on_unavailable)
       is distinct from (excluded.limit_units, excluded.duration_ms, excluded.auto_apply, excluded.exact,
         excluded.on_unavailable)
     returning id`,
    [
      workspaceId,
      id,
      inputs.map(() => newId('rl', randomBytes)),
      inputs.map(({ name }) => name),
      inputs.map(({ limit }) => limit),
      inputs.map(({ duration }) => duration),
      inputs.map(({ autoApply }) => autoApply),
      inputs.map(({ exact = false }) => exact),
      inputs.map(({ onUnavailable = 'local' }) => onUnavailable),
    ],
  );
  return gone.length > 0 || set.length > 0;
}

/** Gives a key that has none the rate limits of another one, each under an id of its own. */
export async function copyRateLimits(
  transaction: WriteTransaction,
  { randomBytes }: Pick<ManageDeps, 'randomBytes'>,
  fromKeyId: string,
  toKeyId: string,
): Promise<void> {
  const names = await transaction.query<{ name: string }>('select name from rate_limits where key_id = $1', [
    fromKeyId,
  ]);
  if (names.length === 0) return;
  await transaction.query(
    `insert into rate_limits (id, workspace_id, key_id, name, limit_units, duration_ms, auto_apply, exact, on_unavailable)
     select copy.id, l.workspace_id, $2, l.name, l.limit_units, l.duration_ms, l.auto_apply, l.exact, l.on_unavailable
     from rate_limits l join unnest($3::text[], $4::text[]) as copy (id, name) on copy.name = l.name
     where l.key_id = $1`,
    [fromKeyId, toKeyId, names.map(() => newId('rl', randomBytes)), names.map(({ name }) => name)],
  );
}

/**
 * True where `after` may let less through than `before`: a limit that wasn't there, fewer units, a longer window, one that now
 * applies without being named, one that became exact, or that now refuses while the shared counter can't be asked.
 */
export function limitsMore(before: readonly RateLimitInput[], after: readonly RateLimitInput[]): boolean {
  const known = new Map(before.map((limit) => [limit.name, limit]));
  return after.some((limit) => {
    const old = known.get(limit.name);
    return (
      old === undefined ||
      limit.limit < old.limit ||
      limit.duration > old.duration ||
      (limit.autoApply && !old.autoApply) ||
      (limit.exact === true && old.exact !== true) ||
      (limit.onUnavailable === 'deny' && old.onUnavailable !== 'deny')
    );
  });
}

/** A rate limit that verifications of a key ask. */
export interface LimitInForce extends RateLimitView {
  /** It is the identity's, and counts what all of its keys take. */
  readonly shared: boolean;
}

/** The rate limits of a key, and those of its identity that none of the key's own hides by its name. */
export async function readLimitsInForce(
  rows: Rows,
  keyId: string,
  identityId: string | null,
): Promise<readonly LimitInForce[]> {
  const own = await readRateLimits(rows, { keyId });
  const names = new Set(own.map(({ name }) => name));
  const shared = identityId === null ? [] : await readRateLimits(rows, { identityId });
  return [
    ...own.map((limit) => ({ ...limit, shared: false })),
    ...shared.filter(({ name }) => !names.has(name)).map((limit) => ({ ...limit, shared: true })),
  ];
}

/**
 * True where what is in force afterwards may let less through, as `limitsMore` has it, or comes out of a count that others share: whatever
 * its numbers are, they may have used it up.
 */
export function limitsInForceMore(before: readonly LimitInForce[], after: readonly LimitInForce[]): boolean {
  const known = new Set(before.map(({ id }) => id));
  return limitsMore(before, after) || after.some(({ id, shared }) => shared && !known.has(id));
}
