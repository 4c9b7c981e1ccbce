import type { IdentityView } from '../identities/types.ts';
import type { PermissionView, RoleView } from '../permissions/types.ts';
import type { Meta, Nothing, RateLimitInput, RateLimitView, Read, Write } from '../types.ts';

/** When a balance is set anew, always at 00:00 UTC: every day, or on a day of each month (its last day where it is shorter). */
export interface Refill {
  readonly interval: 'daily' | 'monthly';
  /** The balance that it is set to, at least 1. */
  readonly amount: number;
  /** 1–31; with `monthly` only. */
  readonly refillDay?: number;
}

export interface CreditsView {
  /** Null: unlimited. */
  readonly remaining: number | null;
  readonly refill?: Refill;
}

/** Absent keeps, null clears, a value sets. `remaining: null` makes credits unlimited, and drops the refill. */
export interface CreditsUpdate {
  readonly remaining?: number | null;
  readonly refill?: Refill | null;
}

/** What a key has, however it comes to be. */
export interface KeyFields {
  readonly name?: string;
  readonly externalId?: string;
  readonly meta?: Meta;
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  /** Epoch ms. */
  readonly expires?: number;
  readonly enabled?: boolean;
  readonly credits?: CreditsView;
  readonly ratelimits?: readonly RateLimitInput[];
}

export interface CreateKeyInput extends KeyFields {
  readonly apiId: string;
  readonly prefix?: string;
  /** Random bytes of the key, 16–255; 16 where not given. */
  readonly byteLength?: number;
  /** Keep the text, encrypted by the zone's vault. */
  readonly recoverable?: boolean;
}

/** A key that was just made. */
export interface NewKeyData {
  readonly keyId: string;
  /** Its text, which is answered here and never again, but for recoverable keys. */
  readonly key: string;
}

/** Absent keeps, null clears, a value sets. Lists are replaced. */
export interface UpdateKeyInput {
  readonly keyId: string;
  readonly name?: string | null;
  readonly externalId?: string | null;
  readonly meta?: Meta | null;
  readonly expires?: number | null;
  readonly enabled?: boolean;
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  /** Null: unlimited. */
  readonly credits?: CreditsUpdate | null;
  readonly ratelimits?: readonly RateLimitInput[];
}

export interface DeleteKeyInput {
  readonly keyId: string;
  /** True removes the row, also of a key that is marked deleted; otherwise the key is marked deleted. Verification knows neither. */
  readonly permanent?: boolean;
}

export interface GetKeyInput {
  readonly keyId: string;
  /** Answer the text of a recoverable key. */
  readonly decrypt?: boolean;
}

export interface UpdateCreditsInput {
  readonly keyId: string;
  readonly operation: 'set' | 'increment' | 'decrement';
  /** Required with increment and decrement; `set` to null makes credits unlimited. */
  readonly value?: number | null;
}

export interface RerollKeyInput {
  readonly keyId: string;
  /** How long the old key stays valid, in ms; 0 ends it at once. Its end is never later than it was. */
  readonly expiration: number;
}

/** One key of an import: its hash, and what it has. */
export interface ImportedKey extends KeyFields {
  /**
   * SHA-256 as 64 hex digits, or as base64 or base64url of its 32 bytes; of the whole text, or, after `prefixedApiKey:`, of what
   * follows its last underscore. `sha256:` before it says what is meant without.
   */
  readonly hash: string;
}

export interface MigrateKeysInput {
  /** Names the import within the workspace. Verifications give it for keys whose hash is a `prefixedApiKey`. */
  readonly migrationId: string;
  readonly apiId: string;
  readonly keys: readonly ImportedKey[];
}

export interface MigrateKeysData {
  readonly migrated: readonly { readonly hash: string; readonly keyId: string }[];
  /** Hashes that the workspace has already, or that came twice; as they were sent. */
  readonly failed: readonly string[];
}

export interface KeyPermissionsInput {
  readonly keyId: string;
  readonly permissions: readonly string[];
}

export interface KeyRolesInput {
  readonly keyId: string;
  readonly roles: readonly string[];
}

/** A key as management calls show it; empty fields are left out. Times in epoch ms. */
export interface KeyView {
  readonly keyId: string;
  readonly start: string;
  readonly enabled: boolean;
  readonly name?: string;
  readonly meta?: Meta;
  readonly createdAt: number;
  readonly updatedAt?: number;
  readonly expires?: number;
  readonly permissions?: readonly string[];
  readonly roles?: readonly string[];
  readonly credits?: CreditsView;
  readonly identity?: IdentityView;
  readonly ratelimits?: readonly RateLimitView[];
  /** Of a recoverable key, where it was asked for. */
  readonly plaintext?: string;
}

/** Calls of `keys`. */
export interface KeyCalls {
  readonly createKey: Write<CreateKeyInput, NewKeyData>;
  readonly updateKey: Write<UpdateKeyInput, Nothing>;
  readonly deleteKey: Write<DeleteKeyInput, Nothing>;
  readonly updateCredits: Write<UpdateCreditsInput, CreditsView>;
  readonly rerollKey: Write<RerollKeyInput, NewKeyData>;
  readonly migrateKeys: Write<MigrateKeysInput, MigrateKeysData>;
  /** These six answer what the key has directly afterwards, sorted by slug or name. */
  readonly addPermissions: Write<KeyPermissionsInput, readonly PermissionView[]>;
  readonly removePermissions: Write<KeyPermissionsInput, readonly PermissionView[]>;
  readonly setPermissions: Write<KeyPermissionsInput, readonly PermissionView[]>;
  readonly addRoles: Write<KeyRolesInput, readonly RoleView[]>;
  readonly removeRoles: Write<KeyRolesInput, readonly RoleView[]>;
  readonly setRoles: Write<KeyRolesInput, readonly RoleView[]>;
  readonly getKey: Read<GetKeyInput, KeyView>;
  readonly whoami: Read<{ readonly key: string }, KeyView>;
}
