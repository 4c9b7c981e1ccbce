import type { ApiId, KeyHash, KeyId, RootKeyId, WorkspaceId } from '../service/domain/brands.ts';
import type { Change } from '../service/domain/change.ts';
import type {
  ApiObject,
  KeyRow,
  NamespaceRow,
  RecordReads,
  RootKeyRow,
  SharedObject,
  SharedRef,
} from '../service/domain/records.ts';
import type { RecordSource } from '../service/verify/ports.ts';

/** Casts text to ids and hashes: the brands are given at the border, and a test is one. */
export const asHash = (text: string): KeyHash => text as KeyHash;
export const asWorkspaceId = (text: string): WorkspaceId => text as WorkspaceId;

export function buildKeyRow(hash: string, change: Partial<KeyRow> = {}): KeyRow {
  return {
    hash: asHash(hash),
    keyId: `key_${hash}` as KeyId,
    workspaceId: asWorkspaceId('ws_1'),
    apiId: 'api_1' as ApiId,
    identityId: null,
    name: null,
    meta: null,
    enabled: true,
    expiresAtMs: null,
    roleIds: [],
    permissionIds: [],
    ratelimits: [],
    creditAccountId: null,
    ...change,
  };
}

export function buildRootKeyRow(hash: string, change: Partial<RootKeyRow> = {}): RootKeyRow {
  return {
    hash: asHash(hash),
    rootKeyId: `root_${hash}` as RootKeyId,
    workspaceId: asWorkspaceId('ws_1'),
    enabled: true,
    expiresAtMs: null,
    permissions: ['api.*.verify_key'],
    ...change,
  };
}

export function buildApi(change: Partial<ApiObject> = {}): ApiObject {
  return {
    kind: 'api',
    id: 'api_1' as ApiId,
    workspaceId: asWorkspaceId('ws_1'),
    name: 'payments',
    ipAllowlist: [],
    ...change,
  };
}

export function keyChange(hash: string, seq = 1n): Change {
  return { seq, xid: seq, kind: 'key', id: `key_${hash}`, hash: asHash(hash) };
}

/** A database in memory whose answers can be held back: the snapshot is taken when a read begins, as a database does it. */
export class FakeSource implements RecordSource {
  readonly keys = new Map<KeyHash, KeyRow>();
  readonly rootKeys = new Map<KeyHash, RootKeyRow>();
  readonly namespaces = new Map<KeyHash, NamespaceRow>();
  readonly shared = new Map<string, SharedObject>();
  readonly asked: (readonly KeyHash[])[] = [];
  failure: Error | null = null;
  #held: (() => void)[] | null = null;

  constructor() {
    this.put(buildApi());
    this.put({ kind: 'workspace', id: asWorkspaceId('ws_1'), enabled: true, rateLimit: null });
  }

  put(object: SharedObject): void {
    this.shared.set(`${object.kind}:${object.id}`, object);
  }

  putKey(row: KeyRow): void {
    this.keys.set(row.hash, row);
  }

  /** From now on answers wait for `release`. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const answer of held) answer();
  }

  async readRecords(hashes: readonly KeyHash[]): Promise<RecordReads> {
    this.asked.push(hashes);
    const keys = new Map(
      hashes.flatMap((hash) => {
        const row = this.keys.get(hash);
        return row === undefined ? [] : [[hash, { row, shared: this.#sharedOf(row) }] as const];
      }),
    );
    const rootKeys = new Map(
      hashes.flatMap((hash) => {
        const row = this.rootKeys.get(hash);
        return row === undefined ? [] : [[hash, { row, shared: this.#find([workspaceRef(row)]) }] as const];
      }),
    );
    const namespaces = new Map(
      hashes.flatMap((hash) => {
        const row = this.namespaces.get(hash);
        return row === undefined ? [] : [[hash, { row, shared: this.#find([workspaceRef(row)]) }] as const];
      }),
    );
    await this.#answer();
    return { keys, rootKeys, namespaces };
  }

  async readShared(refs: readonly SharedRef[]): Promise<readonly SharedObject[]> {
    const found = this.#find(refs);
    await this.#answer();
    return found;
  }

  async #answer(): Promise<void> {
    const { failure } = this;
    const held = this.#held;
    if (held !== null) await new Promise<void>((resolve) => held.push(resolve));
    if (failure !== null) throw failure;
  }

  #sharedOf(row: KeyRow): SharedObject[] {
    return this.#find([
      workspaceRef(row),
      { kind: 'api', id: row.apiId },
      ...(row.identityId === null ? [] : [{ kind: 'identity', id: row.identityId } as const]),
      ...row.roleIds.map((id) => ({ kind: 'role', id }) as const),
      ...row.permissionIds.map((id) => ({ kind: 'permission', id }) as const),
      ...(row.creditAccountId === null ? [] : [{ kind: 'credits', id: row.creditAccountId } as const]),
    ]);
  }

  #find(refs: readonly SharedRef[]): SharedObject[] {
    return refs.flatMap((ref) => this.shared.get(`${ref.kind}:${ref.id}`) ?? []);
  }
}

function workspaceRef(row: { readonly workspaceId: WorkspaceId }): SharedRef {
  return { kind: 'workspace', id: row.workspaceId };
}
