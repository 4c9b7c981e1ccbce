import type { ApiId, KeyHash, KeyId, NamespaceId, RootKeyId, WorkspaceId } from './brands.ts';

/** A CIDR block or a single address, as text that has been validated at the border. */
export type IpRule = string;

/** What many records refer to. A change replaces one of these; the records that refer to it stay. */
export type SharedObject =
  | WorkspaceObject
  | ApiObject
  | IdentityObject
  | RoleObject
  | PermissionObject
  | CreditsObject;
export type SharedKind = SharedObject['kind'];

export interface WorkspaceObject {
  readonly kind: 'workspace';
  readonly id: WorkspaceId;
  readonly enabled: boolean;
  /** Calls that its root keys may make altogether; null: as many as they like. */
  readonly rateLimit: RateLimitRule | null;
}

/** So many units in a sliding window of so many ms. A limit of 0 lets nothing through. */
export interface RateLimitRule {
  readonly limit: number;
  readonly durationMs: number;
}

/** What an exact limit does where the region's shared counter can't be asked: count in the task alone, or refuse. */
export type OnUnavailable = 'local' | 'deny';

/** A rate limit of a key, or of an identity, whose keys share it. Its name is unique there. */
export interface StoredRateLimit extends RateLimitRule {
  readonly id: string;
  readonly name: string;
  /** Applied to each verification, also where the request doesn't name it. */
  readonly autoApply: boolean;
  /** Given: exact, so the tasks of a region share its counter. Absent: each task decides. */
  readonly exact?: OnUnavailable;
}

export interface ApiObject {
  readonly kind: 'api';
  readonly id: ApiId;
  readonly workspaceId: WorkspaceId;
  readonly name: string;
  /** Addresses that keys of this API may be used from; empty: from anywhere. */
  readonly ipAllowlist: readonly IpRule[];
}

export interface IdentityObject {
  readonly kind: 'identity';
  readonly id: string;
  readonly externalId: string;
  /** JSON text of an object, or null. */
  readonly meta: string | null;
  /** Sorted by name. */
  readonly ratelimits: readonly StoredRateLimit[];
}

export interface RoleObject {
  readonly kind: 'role';
  readonly id: string;
  readonly name: string;
  /** Slugs of the role's permissions, sorted. */
  readonly permissions: readonly string[];
}

export interface PermissionObject {
  readonly kind: 'permission';
  readonly id: string;
  readonly slug: string;
}

/** An account of credits, which a key and those that it was rerolled to share. */
export interface CreditsObject {
  readonly kind: 'credits';
  readonly id: string;
  /** Moves when the balance is set or refilled. */
  readonly generation: number;
  /** What the ledger had when this was read. Spending writes no change: only the ledger knows the balance of this moment. */
  readonly free: number;
}

export interface SharedRef {
  readonly kind: SharedKind;
  readonly id: string;
}

/** A key as it is stored, its shared objects by id. */
export interface KeyRow {
  readonly hash: KeyHash;
  readonly keyId: KeyId;
  readonly workspaceId: WorkspaceId;
  readonly apiId: ApiId;
  readonly identityId: string | null;
  readonly name: string | null;
  /** JSON text of an object, or null. */
  readonly meta: string | null;
  readonly enabled: boolean;
  /** Epoch ms, or null: never. */
  readonly expiresAtMs: number | null;
  /** Roles and permissions given to the key itself. */
  readonly roleIds: readonly string[];
  readonly permissionIds: readonly string[];
  /** Sorted by name. */
  readonly ratelimits: readonly StoredRateLimit[];
  /** Null: unlimited. */
  readonly creditAccountId: string | null;
}

/** A root key as it is stored. */
export interface RootKeyRow {
  readonly hash: KeyHash;
  readonly rootKeyId: RootKeyId;
  readonly workspaceId: WorkspaceId;
  readonly enabled: boolean;
  /** Epoch ms, or null: never. */
  readonly expiresAtMs: number | null;
  /** Tuples such as `api.*.verify_key`. */
  readonly permissions: readonly string[];
}

/** A rate limit that replaces those that callers ask for; `*` in its identifier stands for any text. */
export interface RateLimitOverride extends RateLimitRule {
  readonly id: string;
  readonly identifier: string;
}

/** A namespace of `ratelimit.limit`, held under a hash of its workspace and name. */
export interface NamespaceRow {
  readonly hash: KeyHash;
  readonly namespaceId: NamespaceId;
  readonly workspaceId: WorkspaceId;
  readonly name: string;
  /** Calls that name it are answered with 410. */
  readonly deleted: boolean;
  /** Sorted by id. */
  readonly overrides: readonly RateLimitOverride[];
}

/** One record and every shared object that it refers to, read in one statement. */
export interface RecordRead<Row> {
  readonly row: Row;
  readonly shared: readonly SharedObject[];
}

/** Answer of one read: found records by hash; a hash that isn't there has no record. */
export interface RecordReads {
  readonly keys: ReadonlyMap<KeyHash, RecordRead<KeyRow>>;
  readonly rootKeys: ReadonlyMap<KeyHash, RecordRead<RootKeyRow>>;
  readonly namespaces: ReadonlyMap<KeyHash, RecordRead<NamespaceRow>>;
}
