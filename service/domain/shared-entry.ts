import type { SharedKind, SharedObject } from './records.ts';

/**
 * The place where one shared object (workspace, API, identity, role, permission) is held. Records refer to the entry, so that a
 * change replaces one object and not the records that refer to it.
 *
 * `fresh` false: a change was announced and the object hasn't been read again; nobody may decide by it.
 * `object` null and `fresh`: the object no longer exists.
 */
export class SharedEntry {
  readonly kind: SharedKind;
  readonly id: string;
  object: SharedObject | null;
  fresh = true;
  /** Generation of the shared objects at which the object was last replaced. */
  changedGeneration = 0;
  /** Estimated heap of the object. */
  bytes = 0;
  /** Generation of the writer's epoch under which it was read; what an earlier writer said is replaced at the next read. */
  epochGeneration: number;
  /** Number of held records that refer to it; at 0 the entry is let go. */
  references = 0;

  constructor(kind: SharedKind, id: string, object: SharedObject | null, epochGeneration: number) {
    this.kind = kind;
    this.id = id;
    this.object = object;
    this.epochGeneration = epochGeneration;
  }
}
