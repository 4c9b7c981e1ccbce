import type { RandomBytes } from '../domain/ids.ts';
import { Problem } from '../domain/problem.ts';
import type { Revision } from '../domain/revision.ts';
import type { ManageDeps } from './deps.ts';
import type { WriteTransaction } from './ports.ts';
import type { Idempotency, WriteContext, Written } from './types.ts';

/** For so long a repeat is recognised. */
const IDEMPOTENCY_HOURS = 24;
const SALT_BYTES = 32;

/** One management write. `Remembered` is what is stored for a repeat: JSON, and never a secret. */
export interface Write<Data, Remembered> {
  /** `entropy` gives bytes that `recall` will be given again. */
  run(transaction: WriteTransaction, entropy: RandomBytes): Promise<Outcome<Data, Remembered>>;
  /** The answer of the write that was done before. */
  recall(remembered: Remembered, entropy: RandomBytes): Data;
}

export interface Outcome<Data, Remembered> {
  readonly data: Data;
  readonly revokes: boolean;
  readonly remembered: Remembered;
}

interface Result<Data> {
  readonly data: Data;
  readonly revokes: boolean;
  /** Of a repeat: the revision of the write that was done before. */
  readonly before: Revision | null;
}

/**
 * Does a write at home once. With an idempotency key its row is the transaction's first: a request with the same key at the same
 * time waits for this one to end, and then repeats its answer. A write that was refused leaves no row, so trying again is a new
 * try. Refuses with `Problem`: what `run` refuses, `idempotency_key_reused`, and what the writer refuses.
 */
export async function writeOnce<Data, Remembered>(
  deps: ManageDeps,
  context: WriteContext,
  write: Write<Data, Remembered>,
): Promise<Written<Data>> {
  const { idempotency } = context;
  const { value, revision } = await deps.writer.write(async (transaction): Promise<Result<Data>> => {
    if (idempotency === null) return { ...(await write.run(transaction, deps.randomBytes)), before: null };
    return await runOrRepeat(
      transaction,
      deps.randomBytes(SALT_BYTES),
      context.principal.rootKeyId,
      idempotency,
      write,
    );
  });
  const { data, revokes, before } = value;
  return { data, revokes, revision: before ?? revision, replayed: before !== null };
}

const TAKE = `
insert into idempotency_keys (root_key_id, key, request_hash, salt, epoch, epoch_id)
values ($1, $2, $3, $4, $5, $6)
on conflict (root_key_id, key) do update
set request_hash = excluded.request_hash, salt = excluded.salt, epoch = excluded.epoch, epoch_id = excluded.epoch_id,
  xid = excluded.xid, revokes = false, answer = null, created_at = now()
where idempotency_keys.created_at < now() - interval '${IDEMPOTENCY_HOURS} hours'
returning true as taken`;

interface StoredRow<Remembered> {
  readonly request_hash: string;
  readonly salt: Uint8Array;
  readonly epoch: number;
  readonly epoch_id: string;
  readonly xid: string;
  readonly revokes: boolean;
  readonly answer: Remembered;
}

async function runOrRepeat<Data, Remembered>(
  transaction: WriteTransaction,
  salt: Uint8Array,
  rootKeyId: string,
  idempotency: Idempotency,
  write: Write<Data, Remembered>,
): Promise<Result<Data>> {
  const { key, requestHash } = idempotency;
  const { epoch } = transaction.revision;
  const taken = await transaction.query(TAKE, [rootKeyId, key, requestHash, salt, epoch.counter, epoch.id]);
  if (taken.length === 0) return await repeat(transaction, rootKeyId, idempotency, write);
  const outcome = await write.run(transaction, (length) => idempotency.deriveBytes(salt, length));
  await transaction.query(
    'update idempotency_keys set answer = $3, revokes = $4 where root_key_id = $1 and key = $2',
    [rootKeyId, key, JSON.stringify(outcome.remembered), outcome.revokes],
  );
  return { data: outcome.data, revokes: outcome.revokes, before: null };
}

async function repeat<Data, Remembered>(
  transaction: WriteTransaction,
  rootKeyId: string,
  idempotency: Idempotency,
  write: Write<Data, Remembered>,
): Promise<Result<Data>> {
  const [stored] = await transaction.query<StoredRow<Remembered>>(
    `select request_hash, salt, epoch, epoch_id, xid::text, revokes, answer from idempotency_keys
     where root_key_id = $1 and key = $2`,
    [rootKeyId, idempotency.key],
  );
  if (stored === undefined) {
    // It was pruned between the two statements; the caller's next try is a new one.
    throw new Problem('database_unavailable', 'The idempotency key has just expired; nothing was changed.', {
      retryAfterS: 1,
    });
  }
  if (stored.request_hash !== idempotency.requestHash) {
    throw new Problem('idempotency_key_reused', 'This Idempotency-Key was used for another request.');
  }
  const data = write.recall(stored.answer, (length) => idempotency.deriveBytes(stored.salt, length));
  const before = { epoch: { counter: stored.epoch, id: stored.epoch_id }, xid: BigInt(stored.xid) };
  return { data, revokes: stored.revokes, before };
}
