import type { Rows } from '../ports.ts';

/** Whether a key spends credits of its identity, a deleted one's too: it has none of its own. */
export async function spendsOfIdentity(rows: Rows, keyId: string): Promise<boolean> {
  const found = await rows.query(
    `select from keys k join identities i on i.id = k.identity_id
     where k.id = $1 and k.credit_account_id is null and i.credit_account_id is not null`,
    [keyId],
  );
  return found.length > 0;
}
