import type { HotKey } from '../domain/hot-records.ts';
import type { Verdict } from '../verify/verifier.ts';

/**
 * The answer of a verification as JSON text. What it says of the key is made once and kept with the record, so that a hot
 * verification joins texts and, but for very long ones, turns nothing into JSON. Empty fields are left out.
 */
export function verifyAnswer(verdict: Verdict, requestId: string): string {
  const head = `{"meta":{"requestId":"${requestId}"},"data":{"valid":`;
  const { key, code } = verdict;
  if (key === null) return `${head}false,"code":"${code}"}}`;
  const tail = key.answerTail ?? makeTail(key);
  return code === 'VALID' ? `${head}true,"code":"VALID"${tail}` : `${head}false,"code":"${code}"${tail}`;
}

/** A longer one is made each time: what identities and many permissions add isn't in the estimate of a record's size. */
const KEPT_TAIL_MAX = 4096;

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
  if (view.permissions.size > 0) fields.push(`"permissions":${JSON.stringify([...view.permissions])}`);
  if (view.roles.length > 0) fields.push(`"roles":${JSON.stringify(view.roles)}`);
  if (view.identity !== null) fields.push(`"identity":${identityText(view.identity)}`);
  return `,${fields.join(',')}}}`;
}

function identityText(identity: { id: string; externalId: string; meta: string | null }): string {
  const meta = identity.meta === null ? '' : `,"meta":${identity.meta}`;
  return `{"id":${JSON.stringify(identity.id)},"externalId":${JSON.stringify(identity.externalId)}${meta}}`;
}
