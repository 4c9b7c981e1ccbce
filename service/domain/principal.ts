import type { RootKeyId, WorkspaceId } from './brands.ts';

/** Who calls: an authenticated root key. */
export interface Principal {
  readonly rootKeyId: RootKeyId;
  readonly workspaceId: WorkspaceId;
  /** Tuples such as `api.*.verify_key`, matched exactly; `*` is a literal of its own. */
  readonly permissions: ReadonlySet<string>;
}
