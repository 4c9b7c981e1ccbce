import type { Pool, PoolClient } from 'pg';
import { ADVISORY_LOCKS } from '../domain/advisory-locks.ts';
import type { KeyHash } from '../domain/brands.ts';
import type { ChangeKind, RecordKind } from '../domain/change.ts';
import { newId, type RandomBytes } from '../domain/ids.ts';
import { Problem } from '../domain/problem.ts';
import type { Epoch, Revision } from '../domain/revision.ts';
import type { AuditEntry, WriteTransaction } from '../manage/ports.ts';

interface NotedChange {
  readonly kind: ChangeKind;
  readonly id: string;
  readonly hash: string | null;
}

/** Both statements see a snapshot of their own: the second one sees whatever epoch was started before the lock was given. */
const BEGIN = `begin; select pg_advisory_xact_lock_shared(${ADVISORY_LOCKS.epoch});
select counter, id, pg_current_xact_id()::text as xid from epochs order by counter desc limit 1`;

const WRITE_CHANGES = `
insert into changes (epoch, kind, id, hash)
select $1::integer, kind, id, decode(hash, 'hex') from json_to_recordset($2::json) as noted (kind text, id text, hash text)`;

const WRITE_AUDIT = `
insert into audit_log (epoch, id, workspace_id, actor_kind, actor_id, request_id, client_address, action, target_kind,
  target_id, detail)
select $1::integer, "auditId", "workspaceId", "actorKind", "actorId", "requestId", "clientAddress", action, "targetKind",
  "targetId", detail
from json_to_recordset($2::json) as noted ("auditId" text, "workspaceId" text, "actorKind" text, "actorId" text,
  "requestId" text, "clientAddress" text, action text, "targetKind" text, "targetId" text, detail json)`;

/**
 * One transaction of one epoch on one connection. Change rows and audit lines are noted while it runs and written by `flush`,
 * just before the commit. Errors are the database's own, apart from the refusal by the fence.
 */
export class EpochTransaction implements WriteTransaction {
  readonly revision: Revision;
  readonly #client: PoolClient;
  readonly #randomBytes: RandomBytes;
  readonly #changes: NotedChange[] = [];
  readonly #audit: (AuditEntry & { readonly auditId: string })[] = [];

  private constructor(client: PoolClient, revision: Revision, randomBytes: RandomBytes) {
    this.#client = client;
    this.revision = revision;
    this.#randomBytes = randomBytes;
  }

  /**
   * Begins. The shared lock keeps another epoch from starting until this transaction has ended; the look at the epoch after it
   * refuses (`no_home`) where one has started already.
   */
  static async begin(client: PoolClient, epoch: Epoch, randomBytes: RandomBytes): Promise<EpochTransaction> {
    const results: unknown = await client.query(BEGIN);
    // A text of several statements is answered with one result each.
    const [, , fence] = results as readonly {
      rows: readonly { counter: number; id: string; xid: string }[];
    }[];
    const found = fence?.rows[0];
    if (found === undefined || found.counter !== epoch.counter || found.id !== epoch.id) {
      throw new Problem('no_home', 'The home has moved to another region; nothing was changed.', {
        retryAfterS: 1,
      });
    }
    return new EpochTransaction(client, { epoch, xid: BigInt(found.xid) }, randomBytes);
  }

  /** An audit line of this transaction: who finds it in the database knows that it was committed. Null: it wrote none. */
  get witness(): string | null {
    return this.#audit[0]?.auditId ?? null;
  }

  async query<Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const result = await this.#client.query(text, [...values]);
    // The statement beside each call names the columns that its row type has.
    return result.rows as Row[];
  }

  changed(kind: Exclude<ChangeKind, RecordKind>, id: string): void {
    this.#changes.push({ kind, id, hash: null });
  }

  changedRecord(kind: RecordKind, id: string, hash: KeyHash): void {
    this.#changes.push({ kind, id, hash });
  }

  audit(entry: AuditEntry): void {
    this.#audit.push({ ...entry, auditId: newId('audit', this.#randomBytes) });
  }

  /** Writes what was noted. A change without an audit line is a fault of ours. */
  async flush(): Promise<void> {
    const { counter } = this.revision.epoch;
    if (this.#changes.length > 0) {
      if (this.#audit.length === 0) throw new Error('a write noted changes but no audit line');
      await this.query(WRITE_CHANGES, [counter, JSON.stringify(this.#changes)]);
    }
    if (this.#audit.length > 0) await this.query(WRITE_AUDIT, [counter, JSON.stringify(this.#audit)]);
  }
}

export type CommitOutcome = 'committed' | 'notApplied' | 'unknown';

interface OutcomeRow {
  readonly witnessed: boolean;
  readonly standby: boolean;
  readonly counter: number | null;
  readonly id: string | null;
}

const LOOK_FOR_WITNESS = `
select exists (select from audit_log where id = $1) as witnessed, pg_is_in_recovery() as standby, e.counter, e.id
from (select 1) as one left join (select counter, id from epochs order by counter desc limit 1) e on true`;

/**
 * What became of a commit that got no answer, as one look on another connection tells. `committed` only where the audit line is
 * there: a transaction's number alone isn't proof, since after a failover it may have been given out again. `notApplied` only
 * where the same epoch's writer says that the transaction was aborted.
 */
export async function lookUpCommit(pool: Pool, revision: Revision, witness: string): Promise<CommitOutcome> {
  const { rows } = await pool.query<OutcomeRow>(LOOK_FOR_WITNESS, [witness]);
  const [row] = rows;
  if (row === undefined) return 'unknown';
  if (row.witnessed) return 'committed';
  if (row.standby || row.counter !== revision.epoch.counter || row.id !== revision.epoch.id) return 'unknown';
  const status = await pool.query<{ status: string | null }>('select pg_xact_status($1::xid8) as status', [
    revision.xid.toString(),
  ]);
  return status.rows[0]?.status === 'aborted' ? 'notApplied' : 'unknown';
}
