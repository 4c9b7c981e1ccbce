import type { KeyHash } from '../domain/brands.ts';
import type {
  KeyRow,
  NamespaceRow,
  RecordRead,
  RecordReads,
  RootKeyRow,
  SharedKind,
  SharedObject,
  SharedRef,
} from '../domain/records.ts';

type Body<Kind extends SharedKind> = Omit<Extract<SharedObject, { kind: Kind }>, 'kind'>;

/** A row of the statements in record-sql.ts. */
export type RecordRow =
  | { readonly kind: 'key'; readonly body: KeyRow & { readonly createdAt: string; readonly place: number } }
  | { readonly kind: 'rootKey'; readonly body: RootKeyRow }
  | { readonly kind: 'namespace'; readonly body: NamespaceRow }
  | { readonly kind: 'floor'; readonly body: { readonly reached: boolean } }
  | SharedRow;

type SharedRow = {
  readonly [Kind in SharedKind]: { readonly kind: Kind; readonly body: Body<Kind> };
}[SharedKind];

export function isShared(row: RecordRow): row is SharedRow {
  return row.kind !== 'key' && row.kind !== 'rootKey' && row.kind !== 'namespace' && row.kind !== 'floor';
}

export function toShared(row: SharedRow): SharedObject {
  switch (row.kind) {
    case 'workspace':
      return { kind: 'workspace', id: row.body.id, enabled: row.body.enabled, rateLimit: row.body.rateLimit };
    case 'api': {
      const { id, workspaceId, name, ipAllowlist } = row.body;
      return { kind: 'api', id, workspaceId, name, ipAllowlist };
    }
    case 'identity': {
      const { id, externalId, meta, ratelimits } = row.body;
      return { kind: 'identity', id, externalId, meta, ratelimits };
    }
    case 'role':
      return { kind: 'role', id: row.body.id, name: row.body.name, permissions: row.body.permissions };
    case 'permission':
      return { kind: 'permission', id: row.body.id, slug: row.body.slug };
    case 'credits':
      return { kind: 'credits', id: row.body.id, generation: row.body.generation, free: row.body.free };
  }
}

/** Puts the rows of one statement together: each record with the shared objects that it refers to. */
export function toRecordReads(rows: readonly RecordRow[]): RecordReads {
  const shared = new Map<string, SharedObject>();
  const keyRows: KeyRow[] = [];
  const rootKeyRows: RootKeyRow[] = [];
  const namespaceRows: NamespaceRow[] = [];
  for (const row of rows) {
    if (row.kind === 'key') keyRows.push(toKeyRow(row.body));
    else if (row.kind === 'rootKey') rootKeyRows.push(row.body);
    else if (row.kind === 'namespace') namespaceRows.push(row.body);
    else if (isShared(row)) shared.set(`${row.kind} ${row.body.id}`, toShared(row));
  }
  const pick = (refs: readonly SharedRef[]): SharedObject[] => {
    const objects: SharedObject[] = [];
    for (const { kind, id } of refs) {
      const object = shared.get(`${kind} ${id}`);
      if (object !== undefined) objects.push(object);
    }
    return objects;
  };
  const keys = new Map<KeyHash, RecordRead<KeyRow>>();
  for (const row of keyRows) keys.set(row.hash, { row, shared: pick(refsOf(row)) });
  const rootKeys = new Map<KeyHash, RecordRead<RootKeyRow>>();
  for (const row of rootKeyRows) {
    rootKeys.set(row.hash, { row, shared: pick([{ kind: 'workspace', id: row.workspaceId }]) });
  }
  const namespaces = new Map<KeyHash, RecordRead<NamespaceRow>>();
  for (const row of namespaceRows) {
    namespaces.set(row.hash, { row, shared: pick([{ kind: 'workspace', id: row.workspaceId }]) });
  }
  return { keys, rootKeys, namespaces };
}

function toKeyRow(body: KeyRow): KeyRow {
  const {
    hash,
    keyId,
    workspaceId,
    apiId,
    identityId,
    name,
    meta,
    enabled,
    expiresAtMs,
    roleIds,
    permissionIds,
    ratelimits,
    creditAccountId,
  } = body;
  return {
    hash,
    keyId,
    workspaceId,
    apiId,
    identityId,
    name,
    meta,
    enabled,
    expiresAtMs,
    roleIds,
    permissionIds,
    ratelimits,
    creditAccountId,
  };
}

function refsOf(row: KeyRow): SharedRef[] {
  const refs: SharedRef[] = [
    { kind: 'workspace', id: row.workspaceId },
    { kind: 'api', id: row.apiId },
  ];
  if (row.identityId !== null) refs.push({ kind: 'identity', id: row.identityId });
  for (const id of row.roleIds) refs.push({ kind: 'role', id });
  for (const id of row.permissionIds) refs.push({ kind: 'permission', id });
  if (row.creditAccountId !== null) refs.push({ kind: 'credits', id: row.creditAccountId });
  return refs;
}
