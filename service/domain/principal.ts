import type { RootKeyId, WorkspaceId } from './brands.ts';
import type { RateLimitRule } from './records.ts';

/** Who calls: an authenticated root key. */
export interface Principal {
  readonly rootKeyId: RootKeyId;
  readonly workspaceId: WorkspaceId;
  /** Tuples such as `api.*.verify_key`, matched exactly; `*` is a literal of its own. */
  readonly permissions: ReadonlySet<string>;
  /** Calls that the root keys of its workspace may make altogether. Absent: as many as they like. */
  readonly rateLimit?: RateLimitRule;
}
