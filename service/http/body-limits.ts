/** Largest body, in bytes, of a call that sets no limit of its own: verifications, and calls that take a few short fields. */
export const BODY_BYTES = 64 * 1024;

/**
 * Of the calls that create or update a key. The bounds of their fields allow 281 kB: 1000 permissions of 128 characters, 100 roles of
 * 128 characters of 4 bytes, 64 KiB of metadata, 50 rate limits, and some short fields.
 */
export const KEY_BODY_BYTES = 320 * 1024;

/** Of a call that sends an identity with its metadata, which may be 1 MiB as JSON text and longer as it was sent. */
export const IDENTITY_BODY_BYTES = 1280 * 1024;

/** Of an import of keys: 5000 of them with 400 bytes each. Parsing more would keep a task from everything else for too long. */
export const MIGRATE_BODY_BYTES = 2 * 1024 * 1024;

/** Of what the zone's tasks ask each other: a report lists transactions, a read lists hashes, tens of thousands at worst. */
export const PEER_BODY_BYTES = 2 * 1024 * 1024;
