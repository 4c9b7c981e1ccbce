import type { Principal } from '../domain/principal.ts';
import type { Revision } from '../domain/revision.ts';

/** What a write needs to know of the request that asked for it. */
export interface WriteContext {
  readonly principal: Principal;
  /** `req_…`; stands in the audit log. */
  readonly requestId: string;
  /** For the audit log. */
  readonly clientAddress: string;
  readonly idempotency: Idempotency | null;
}

/** A caller's `Idempotency-Key` and what makes a retry recognisable. */
export interface Idempotency {
  /** 1–255 visible ASCII characters, scoped to the root key. */
  readonly key: string;
  /** SHA-256 (hex) of route and body: the same key with another request is refused (422). */
  readonly requestHash: string;
  /**
   * Random bytes that the same caller can derive again, and nobody else: HKDF-SHA-256 over the root key's text with the stored
   * salt. So a repeated createKey answers with the same key although its text was never stored.
   */
  readonly deriveBytes: (salt: Uint8Array, length: number) => Uint8Array;
}

/** A committed write (or the repeat of one, by its idempotency key). */
export interface Written<T> {
  readonly data: T;
  readonly revision: Revision;
  /** It takes something away (delete, disable, earlier expiry, lost permission): answered once another region applied it. */
  readonly revokes: boolean;
  readonly replayed: boolean;
}

export interface CreateKeyInput {
  readonly apiId: string;
  readonly prefix?: string;
  readonly name?: string;
  /** Random bytes of the key, 16–255; 16 where not given. */
  readonly byteLength?: number;
  readonly externalId?: string;
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  /** Epoch ms. */
  readonly expires?: number;
  readonly enabled?: boolean;
}

export interface CreateKeyData {
  readonly keyId: string;
  readonly key: string;
}

/** Absent keeps, null clears, a value sets. */
export interface UpdateKeyInput {
  readonly keyId: string;
  readonly name?: string | null;
  readonly externalId?: string | null;
  readonly meta?: Readonly<Record<string, unknown>> | null;
  readonly expires?: number | null;
  readonly enabled?: boolean;
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
}

export interface DeleteKeyInput {
  readonly keyId: string;
  /** True removes the row; otherwise the key is marked deleted. Both make it unknown to verification. */
  readonly permanent?: boolean;
}

/** A key as management calls show it; empty fields are left out. Times in epoch ms. */
export interface KeyView {
  readonly keyId: string;
  readonly start: string;
  readonly enabled: boolean;
  readonly name?: string;
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly updatedAt?: number;
  readonly expires?: number;
  readonly permissions?: readonly string[];
  readonly roles?: readonly string[];
  readonly identity?: {
    readonly id: string;
    readonly externalId: string;
    readonly meta?: Readonly<Record<string, unknown>>;
  };
}

/** Management calls. All run at home only; every refusal is a thrown `Problem`. */
export interface Manage {
  createKey(context: WriteContext, input: CreateKeyInput): Promise<Written<CreateKeyData>>;
  updateKey(context: WriteContext, input: UpdateKeyInput): Promise<Written<Record<string, never>>>;
  deleteKey(context: WriteContext, input: DeleteKeyInput): Promise<Written<Record<string, never>>>;
  getKey(principal: Principal, input: { readonly keyId: string }): Promise<KeyView>;
  whoami(principal: Principal, input: { readonly key: string }): Promise<KeyView>;
  createApi(
    context: WriteContext,
    input: { readonly name: string },
  ): Promise<Written<{ readonly apiId: string }>>;
  getApi(
    principal: Principal,
    input: { readonly apiId: string },
  ): Promise<{ readonly id: string; readonly name: string }>;
}
