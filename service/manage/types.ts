import type { Principal } from '../domain/principal.ts';
import type { OnUnavailable } from '../domain/records.ts';
import type { Revision } from '../domain/revision.ts';
import type { ApiCalls } from './apis/types.ts';
import type { IdentityCalls } from './identities/types.ts';
import type { KeyCalls } from './keys/types.ts';
import type { PermissionCalls } from './permissions/types.ts';
import type { RatelimitCalls } from './ratelimits/types.ts';

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

/** The answer of a write that has nothing to say. */
export type Nothing = Readonly<Record<string, never>>;

/** Which part of a list. Pages follow the ids, so that what is made meanwhile neither repeats nor hides anything. */
export interface PageInput {
  /** Most that are answered, 1–100. */
  readonly limit?: number;
  /** Where the last page ended. */
  readonly cursor?: string;
}

/** A part of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null: this was the last one. */
  readonly cursor: string | null;
}

/** A rate limit as management calls take it. Its name is unique in its key or identity. */
export interface RateLimitInput {
  readonly name: string;
  /** Units per window, at least 1. */
  readonly limit: number;
  /** Length of the window in ms, at least 1000. */
  readonly duration: number;
  readonly autoApply: boolean;
  /** Decided by a counter that the tasks of a region share. @default false: each task decides */
  readonly exact?: boolean;
  /** What becomes of an exact one while the shared counter can't be asked; goes with `exact: true` only. @default 'local' */
  readonly onUnavailable?: OnUnavailable;
}

/** A rate limit as management calls show it; `exact` and `onUnavailable` of exact ones only. */
export interface RateLimitView extends RateLimitInput {
  readonly id: string;
}

/** Metadata of the caller's own: a JSON object. */
export type Meta = Readonly<Record<string, unknown>>;

export type Read<Input, Output> = (principal: Principal, input: Input) => Promise<Output>;
export type Write<Input, Output> = (context: WriteContext, input: Input) => Promise<Written<Output>>;

/** Management calls, in groups. All run at home only; every refusal is a thrown `Problem`. Inputs were validated by the routes. */
export interface Manage {
  readonly keys: KeyCalls;
  readonly apis: ApiCalls;
  readonly identities: IdentityCalls;
  readonly permissions: PermissionCalls;
  readonly ratelimits: RatelimitCalls;
}
