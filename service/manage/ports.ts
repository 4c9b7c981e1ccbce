import type { KeyHash } from '../domain/brands.ts';
import type { ChangeKind, RecordKind } from '../domain/change.ts';
import type { Revision } from '../domain/revision.ts';

/** Reads rows. `Row` names the statement's columns; bigint columns come as text, timestamps as `Date`. */
export interface Rows {
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** One line of the audit log. `detail` never holds a secret. */
export interface AuditEntry {
  readonly workspaceId: string;
  readonly actorKind: 'rootKey' | 'system';
  readonly actorId: string;
  readonly requestId: string;
  readonly clientAddress: string;
  /** E.g. `key.create`. */
  readonly action: string;
  readonly targetKind: string;
  readonly targetId: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A transaction at home, fenced by the epoch. What is noted here is written with it, or not at all. */
export interface WriteTransaction extends Rows {
  readonly revision: Revision;
  /** Notes a row of the change feed for a shared object. */
  changed(kind: Exclude<ChangeKind, RecordKind>, id: string): void;
  /** Notes a row of the change feed for a record, under the hash that it is held under. */
  changedRecord(kind: RecordKind, id: string, hash: KeyHash): void;
  audit(entry: AuditEntry): void;
}

export interface Committed<T> {
  readonly value: T;
  readonly revision: Revision;
}

/**
 * Runs `work` in one transaction of the present epoch and commits it. `work` may run again after a deadlock. Whatever it throws
 * rolls everything back. Refuses with `Problem`: `no_home` (this isn't the home, or no longer) and `database_unavailable` where
 * certainly nothing was applied, `outcome_unknown` where the commit got no answer and none could be found out.
 */
export interface Writer {
  write<T>(work: (transaction: WriteTransaction) => Promise<T>): Promise<Committed<T>>;
}
