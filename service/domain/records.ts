import type { ApiId, KeyHash, KeyId, RootKeyId, WorkspaceId } from './brands.ts';

/** A CIDR block or a single address, as text that has been validated at the border. */
export type IpRule = string;

/** What many records refer to. A change replaces one of these; the records that refer to it stay. */
export type SharedObject = WorkspaceObject | ApiObject | IdentityObject | RoleObject | PermissionObject;
export type SharedKind = SharedObject['kind'];

export interface WorkspaceObject {
  readonly kind: 'workspace';
  readonly id: WorkspaceId;
  readonly enabled: boolean;
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

/** One record and every shared object that it refers to, read in one statement. */
export interface RecordRead<Row> {
  readonly row: Row;
  readonly shared: readonly SharedObject[];
}

/** Answer of one read: found records by hash; a hash that isn't there has no record. */
export interface RecordReads {
  readonly keys: ReadonlyMap<KeyHash, RecordRead<KeyRow>>;
  readonly rootKeys: ReadonlyMap<KeyHash, RecordRead<RootKeyRow>>;
}
