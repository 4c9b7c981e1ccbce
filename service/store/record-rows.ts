import type { KeyHash } from '../domain/brands.ts';
import type {
  KeyRow,
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
  | { readonly kind: 'floor'; readonly body: { readonly reached: boolean } }
  | { readonly [Kind in SharedKind]: { readonly kind: Kind; readonly body: Body<Kind> } }[SharedKind];

export function toShared(row: Exclude<RecordRow, { kind: 'key' | 'rootKey' | 'floor' }>): SharedObject {
  switch (row.kind) {
    case 'workspace':
      return { kind: 'workspace', id: row.body.id, enabled: row.body.enabled };
    case 'api': {
      const { id, workspaceId, name, ipAllowlist } = row.body;
      return { kind: 'api', id, workspaceId, name, ipAllowlist };
    }
    case 'identity':
      return { kind: 'identity', id: row.body.id, externalId: row.body.externalId, meta: row.body.meta };
    case 'role':
      return { kind: 'role', id: row.body.id, name: row.body.name, permissions: row.body.permissions };
    case 'permission':
      return { kind: 'permission', id: row.body.id, slug: row.body.slug };
  }
}

/** Puts the rows of one statement together: each record with the shared objects that it refers to. */
export function toRecordReads(rows: readonly RecordRow[]): RecordReads {
  const shared = new Map<string, SharedObject>();
  const keyRows: KeyRow[] = [];
  const rootKeyRows: RootKeyRow[] = [];
  for (const row of rows) {
    if (row.kind === 'key') keyRows.push(toKeyRow(row.body));
    else if (row.kind === 'rootKey') rootKeyRows.push(row.body);
    else if (row.kind !== 'floor') shared.set(`${row.kind} ${row.body.id}`, toShared(row));
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
  return { keys, rootKeys };
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
  return refs;
}
