import { type HotKey, type HotNamespace, KEPT_TAIL_MAX } from '../domain/hot-records.ts';
import type { SharedObject } from '../domain/records.ts';

/**
 * Heap of a record apart from its texts and references. Measured on Node 26 with 100,000 keys of one role, one permission and a short name:
 * 760 B each while only held, 1,310 B each once verified, which is what counts.
 */
const RECORD_BYTES = 900;
/** An id in the row, a reference to its entry, and a name in the kept answer. */
const REFERENCE_BYTES = 100;
/** A stored rate limit, as it was read and as it is applied: five fields, two of them texts, and what the answer says of it. */
const RATE_LIMIT_BYTES = 600;
/** A shared object, its entry, and their places in maps. */
const SHARED_BYTES = 500;
/** A slug beside its characters: in the role's list, and in the set that is made of it. */
const SLUG_BYTES = 50;
/** A rule for addresses, as text and compiled. */
const IP_RULE_BYTES = 400;
const NAMESPACE_BYTES = 1000;
/** An override beside the characters of its identifier: its id and numbers, and its place among those that are looked through. */
const OVERRIDE_BYTES = 220;

/** Estimated heap of a hot key, in bytes, at the moment when it is taken in; what it shares with others is counted there. */
export function sizeOf(record: HotKey): number {
  const { row } = record;
  return (
    RECORD_BYTES +
    // Name and metadata stand in the row and in the kept answer.
    2 * ((row.name?.length ?? 0) + (row.meta?.length ?? 0)) +
    REFERENCE_BYTES * record.dependencies.length +
    RATE_LIMIT_BYTES * row.ratelimits.length +
    answerBytes(record)
  );
}

/** What the kept answer repeats of shared objects, names apart. */
function answerBytes({ dependencies }: HotKey): number {
  let length = 0;
  for (const { object } of dependencies) {
    if (object?.kind === 'identity') length += (object.meta?.length ?? 0) + 150 * object.ratelimits.length;
    if (object?.kind === 'role') length += lengthOf(object.permissions);
  }
  return Math.min(KEPT_TAIL_MAX, length);
}

/** Estimated heap of a namespace, in bytes. An identifier may be of characters that take two. */
export function namespaceSizeOf({ row }: HotNamespace): number {
  let length = 0;
  for (const { identifier } of row.overrides) length += identifier.length;
  return NAMESPACE_BYTES + OVERRIDE_BYTES * row.overrides.length + 2 * length;
}

/** Estimated heap of a shared object and of what is made of it once for all records, in bytes; null: one that no longer exists. */
export function sharedSizeOf(object: SharedObject | null): number {
  return SHARED_BYTES + (object === null ? 0 : contentBytes(object));
}

function contentBytes(object: SharedObject): number {
  switch (object.kind) {
    case 'identity':
      return (object.meta?.length ?? 0) + RATE_LIMIT_BYTES * object.ratelimits.length;
    case 'role':
      return SLUG_BYTES * object.permissions.length + lengthOf(object.permissions);
    case 'api':
      return IP_RULE_BYTES * object.ipAllowlist.length;
    case 'workspace':
    case 'permission':
    case 'credits':
      return 0;
  }
}

function lengthOf(texts: readonly string[]): number {
  let length = 0;
  for (const text of texts) length += text.length;
  return length;
}
