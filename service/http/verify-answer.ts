import { type HotKey, KEPT_TAIL_MAX } from '../domain/hot-records.ts';
import type { AppliedLimit } from '../domain/key-limits.ts';
import type { IdentityObject, StoredRateLimit } from '../domain/records.ts';
import type { RateLimitState } from '../verify/ports.ts';
import type { Verdict } from '../verify/verifier.ts';

/**
 * The answer of a verification as JSON text. What it says of the key is made once and kept with the record, and what it says of a limit
 * with the limit, so that a hot verification joins texts and, but for very long ones, turns nothing into JSON. Empty fields are left out.
 */
export function verifyAnswer(verdict: Verdict, requestId: string): string {
  const head = `{"meta":{"requestId":"${requestId}"},"data":{"valid":`;
  const { key, code } = verdict;
  if (key === null) return `${head}false,"code":"${code}"}}`;
  const tail = key.answerTail ?? makeTail(key);
  const spent = spentText(verdict);
  return code === 'VALID'
    ? `${head}true,"code":"VALID"${spent}${tail}`
    : `${head}false,"code":"${code}"${spent}${tail}`;
}

/** What this call took, and left. */
function spentText({ credits, limits, states }: Verdict): string {
  const left = credits === null ? '' : `,"credits":${credits}`;
  if (limits.length === 0 || states.length === 0) return left;
  let list = '';
  for (const [index, limit] of limits.entries()) {
    const state = states[index];
    if (state !== undefined) list += `${list === '' ? '' : ','}${limitText(limit, state)}`;
  }
  return `${left},"ratelimits":[${list}]`;
}

function limitText(limit: AppliedLimit, { exceeded, remaining, resetMs }: RateLimitState): string {
  limit.answerHead ??= storedText(limit);
  return `${limit.answerHead},"reset":${resetMs},"remaining":${remaining},"exceeded":${exceeded}}`;
}

function makeTail(key: HotKey): string {
  const tail = answerTail(key);
  if (tail.length <= KEPT_TAIL_MAX) key.answerTail = tail;
  return tail;
}

function answerTail(key: HotKey): string {
  const { row, view } = key;
  const fields = [`"enabled":${row.enabled}`, `"keyId":${JSON.stringify(row.keyId)}`];
  if (row.name !== null) fields.push(`"name":${JSON.stringify(row.name)}`);
  if (row.meta !== null) fields.push(`"meta":${row.meta}`);
  if (row.expiresAtMs !== null) fields.push(`"expires":${row.expiresAtMs}`);
  const permissions = [...view.permissions];
  if (permissions.length > 0) fields.push(`"permissions":${JSON.stringify(permissions)}`);
  if (view.roles.length > 0) fields.push(`"roles":${JSON.stringify(view.roles)}`);
  if (view.identity !== null) fields.push(`"identity":${identityText(view.identity)}`);
  return `,${fields.join(',')}}}`;
}

function identityText({ id, externalId, meta, ratelimits }: IdentityObject): string {
  const fields = [`"id":${JSON.stringify(id)}`, `"externalId":${JSON.stringify(externalId)}`];
  if (meta !== null) fields.push(`"meta":${meta}`);
  if (ratelimits.length > 0) {
    const list = ratelimits.map((stored) => `${storedText(stored)}}`).join(',');
    fields.push(`"ratelimits":[${list}]`);
  }
  return `{${fields.join(',')}}`;
}

/** A limit as it is stored; the object is left open. */
function storedText({ id, name, limit, durationMs, autoApply }: StoredRateLimit): string {
  return `{"id":${JSON.stringify(id)},"name":${JSON.stringify(name)},"limit":${limit},"duration":${durationMs},"autoApply":${autoApply}`;
}
