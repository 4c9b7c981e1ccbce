import { importedHash } from '../../domain/held-under.ts';
import { newId } from '../../domain/ids.ts';
import { findOpenApi } from '../apis/find-open-api.ts';
import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import { findOrMakeIdentities } from '../identities/find-or-make-identities.ts';
import type { WriteTransaction } from '../ports.ts';
import { refuseNul, requireFor } from '../refusals.ts';
import type { WriteContext, Written } from '../types.ts';
import { readBroughtHashes } from './brought-hash.ts';
import { permissionsBySlug, rolesByName } from './grants.ts';
import { insertImported, type PreparedKey } from './insert-imported.ts';
import type { ImportedKey, MigrateKeysData, MigrateKeysInput } from './types.ts';

/**
 * Imports keys by their hashes. What the workspace has already, or what came before in the same call, is named as failed and keeps
 * nothing else from being imported; everything else that is wrong refuses the whole call. A key that was deleted can be imported
 * again. Takes the same permission as making keys.
 *
 * Refuses with `Problem`: `invalid_input` for a hash that is none; `api_not_found`; `role_not_found`; `permission_not_found`
 * (what looks like an id and is none); `insufficient_permissions`, also where permissions would have to be made.
 */
export async function migrateKeys(
  deps: ManageDeps,
  context: WriteContext,
  { apiId, migrationId, keys }: MigrateKeysInput,
): Promise<Written<MigrateKeysData>> {
  const brought = readBroughtHashes(keys);
  refuseNul('migrationId', migrationId);
  const { principal } = context;
  const { workspaceId } = principal;
  requireFor(principal, 'api.*.create_key', apiId);
  return await writeOnce<MigrateKeysData, MigrateKeysData>(deps, context, {
    async run(transaction) {
      await findOpenApi(transaction, workspaceId, apiId);
      const own = await ownHashes(
        transaction,
        workspaceId,
        brought.flatMap(({ format, hex }) => (format === 'sha256' ? hex : [])),
      );
      const held = brought
        .filter(({ hex }) => !own.has(hex))
        .map(({ format, hex, fields }) => ({
          fields,
          hash: importedHash(workspaceId, format, migrationId, hex),
        }));
      // The first of several with the same hash counts.
      const firsts = new Map(held.map((key) => [key.hash, key] as const).toReversed());
      const wanted = held.filter((key) => firsts.get(key.hash) === key);
      const prepared = await prepare(deps, context, transaction, wanted);
      const target = { workspaceId, apiId, migrationId };
      const stored = await insertImported(transaction, deps, target, prepared);
      const done = prepared.filter(({ keyId }) => stored.has(keyId));
      const migrated = done.map(({ keyId, fields }) => ({ hash: fields.hash, keyId }));
      const doneFields = new Set(done.map(({ fields }) => fields));
      const failed = keys.filter((fields) => !doneFields.has(fields)).map(({ hash }) => hash);
      transaction.audit(
        auditOf(context, {
          action: 'key.migrate',
          targetKind: 'migration',
          targetId: migrationId,
          detail: { apiId, migrated: migrated.length, failed: failed.length },
        }),
      );
      const data = { migrated, failed };
      return { data, revokes: false, remembered: data };
    },
    recall: (data) => data,
  });
}

/**
 * Of these hashes of whole texts, those of keys that the workspace has by its own making. Imported beside such a key, the same text would
 * outlive its deletion.
 */
async function ownHashes(
  transaction: WriteTransaction,
  workspaceId: string,
  hashes: readonly string[],
): Promise<ReadonlySet<string>> {
  const found = await transaction.query<{ hash: string }>(
    `select encode(k.hash, 'hex') as hash from keys k join apis a on a.id = k.api_id and a.deleted_at is null
     where k.hash = any(array(select decode(hash, 'hex') from unnest($2::text[]) as brought (hash)))
       and k.workspace_id = $1 and k.deleted_at is null`,
    [workspaceId, hashes],
  );
  return new Set(found.map(({ hash }) => hash));
}

/** Finds what the keys refer to, or makes it, all at once. */
async function prepare(
  { randomBytes }: ManageDeps,
  context: WriteContext,
  transaction: WriteTransaction,
  keys: readonly Pick<PreparedKey, 'hash' | 'fields'>[],
): Promise<readonly PreparedKey[]> {
  const all = (list: (fields: ImportedKey) => readonly string[] | undefined): readonly string[] => [
    ...new Set(keys.flatMap(({ fields }) => list(fields) ?? [])),
  ];
  const roles = await rolesByName(
    transaction,
    context.principal,
    all((key) => key.roles),
  );
  const permissions = await permissionsBySlug(
    transaction,
    context,
    all((key) => key.permissions),
    randomBytes,
  );
  const identities = await findOrMakeIdentities(
    transaction,
    context,
    keys.flatMap(({ fields }) => fields.externalId ?? []),
    randomBytes,
  );
  return keys.map(({ hash, fields }) => ({
    keyId: newId('key', randomBytes),
    hash,
    fields,
    identityId: fields.externalId === undefined ? null : (identities.get(fields.externalId) ?? null),
    roleIds: (fields.roles ?? []).flatMap((name) => roles.get(name) ?? []),
    permissionIds: (fields.permissions ?? []).flatMap((slug) => permissions.get(slug) ?? []),
  }));
}
