import type { KeyHash } from './brands.ts';

/**
 * What can change under a verification. `key` and `rootKey` are records of their own; the others are shared objects that
 * many records refer to. `probe` changes nothing: it is written to measure the feed itself.
 */
export type ChangeKind =
  | 'key'
  | 'rootKey'
  | 'workspace'
  | 'api'
  | 'identity'
  | 'role'
  | 'permission'
  | 'probe';

/** One row of the change feed. */
export interface Change {
  /** Unique in its epoch; says nothing about the order of commits. */
  readonly seq: bigint;
  /** The transaction that wrote it. */
  readonly xid: bigint;
  readonly kind: ChangeKind;
  /** Id of the changed object. */
  readonly id: string;
  /** Of keys and root keys: the hash under which their record is held. Null for shared objects. */
  readonly hash: KeyHash | null;
}
