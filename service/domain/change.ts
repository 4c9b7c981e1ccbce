import type { KeyHash } from './brands.ts';

/**
 * What can change under a verification. `key`, `rootKey` and `namespace` are records of their own; the others are shared objects that
 * many records refer to. `probe` changes nothing: it is written to measure the feed itself.
 */
export type ChangeKind =
  | 'key'
  | 'rootKey'
  | 'namespace'
  | 'workspace'
  | 'api'
  | 'identity'
  | 'role'
  | 'permission'
  | 'credits'
  | 'probe';

/** Kinds of records, which are held under a hash. */
export type RecordKind = 'key' | 'rootKey' | 'namespace';

/** One row of the change feed. */
export interface Change {
  /** Unique in its epoch; says nothing about the order of commits. */
  readonly seq: bigint;
  /** The transaction that wrote it. */
  readonly xid: bigint;
  readonly kind: ChangeKind;
  /** Id of the changed object. */
  readonly id: string;
  /** Of records: the hash under which they are held. Null for shared objects. */
  readonly hash: KeyHash | null;
}
