import { type ImportFormat, importedHash } from '../../domain/held-under.ts';
import { newId } from '../../domain/ids.ts';
import type { Principal } from '../../domain/principal.ts';
import { Problem } from '../../domain/problem.ts';
import { mayRoot } from '../../domain/root-permissions.ts';
import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import { findOrMakeIdentities } from '../identities/find-or-make-identities.ts';
import type { WriteTransaction } from '../ports.ts';
import { apiNotFound, lacksPermission, refuseNul } from '../refusals.ts';
import type { WriteContext, Written } from '../types.ts';
import { readBroughtHashes } from './brought-hash.ts';
import { permissionsBySlug, rolesByName } from './grants.ts';
import { insertImported, type PreparedKey } from './insert-imported.ts';
import type { ImportedKey, MigrateKeysData, MigrateKeysInput } from './types.ts';

/**
 * Imports keys by their hashes. What the workspace has already, or what came before in the same call, is named as failed and keeps
 * nothing else from being imported; everything else that is wrong refuses the whole call. Takes the same permission as making keys.
 *
 * Refuses with `Problem`: `invalid_input` for a hash that is none, or a format that isn't the migration's; `api_not_found`;
 * `role_not_found`; `insufficient_permissions`, also where permissions would have to be made.
 */
export async function migrateKeys(
  deps: ManageDeps,
  context: WriteContext,
  input: MigrateKeysInput,
): Promise<Written<MigrateKeysData>> {
  const { apiId, migrationId, keys } = input;
  const hashes = readBroughtHashes(keys);
  refuseNul('migrationId', migrationId);
  const { principal } = context;
  if (!mayRoot(principal, 'api.*.create_key', apiId)) {
    throw lacksPermission('api.*.create_key', `api.${apiId}.create_key`);
  }
  return await writeOnce<MigrateKeysData, MigrateKeysData>(deps, context, {
    async run(transaction) {
      await requireApi(transaction, principal, apiId);
      const format = await formatOf(transaction, principal, input);
      // The first of several with the same hash counts.
      const firsts = new Map(hashes.map((hash, index) => [hash, index] as const).toReversed());
      const wanted = keys.flatMap((fields, index) => {
        const hash = hashes[index];
        return hash === undefined || firsts.get(hash) !== index ? [] : [{ fields, hash }];
      });
      const held = wanted.map(({ fields, hash }) => ({
        fields,
        hash: importedHash(principal.workspaceId, format, migrationId, hash),
      }));
      const prepared = await prepare(deps, principal, transaction, held);
      const target = { workspaceId: principal.workspaceId, apiId, migrationId };
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
          detail: { apiId, format, migrated: migrated.length, failed: failed.length },
        }),
      );
      const data = { migrated, failed };
      return { data, revokes: false, remembered: data };
    },
    recall: (data) => data,
  });
}

async function requireApi(
  transaction: WriteTransaction,
  { workspaceId }: Principal,
  apiId: string,
): Promise<void> {
  const api = await transaction.query(
    'select from apis where id = $1 and workspace_id = $2 and deleted_at is null for key share',
    [apiId, workspaceId],
  );
  if (api.length === 0) throw apiNotFound();
}

/**
 * The format of all hashes of the migration: what its first call said, or `sha256`. A later call may leave it out. Verifications are told
 * the migration's id only, so that it has to have one format.
 */
async function formatOf(
  transaction: WriteTransaction,
  { workspaceId }: Principal,
  { migrationId, format }: MigrateKeysInput,
): Promise<ImportFormat> {
  await transaction.query(
    'insert into key_migrations (workspace_id, id, format) values ($1, $2, $3) on conflict do nothing',
    [workspaceId, migrationId, format ?? 'sha256'],
  );
  const [row] = await transaction.query<{ format: ImportFormat }>(
    'select format from key_migrations where workspace_id = $1 and id = $2',
    [workspaceId, migrationId],
  );
  if (row === undefined) throw new Error('a migration was neither made nor found');
  if (format === undefined || format === row.format) return row.format;
  const location = 'body.format';
  const message = `is not the format of this migration, which is "${row.format}"`;
  const fix = `Send "${row.format}", or use another migrationId for other hashes.`;
  throw new Problem('invalid_input', `${location} ${message}.`, { errors: [{ location, message, fix }] });
}

/** Finds what the keys refer to, or makes it, all at once. */
async function prepare(
  { randomBytes }: ManageDeps,
  principal: Principal,
  transaction: WriteTransaction,
  keys: readonly Pick<PreparedKey, 'hash' | 'fields'>[],
): Promise<readonly PreparedKey[]> {
  const all = (list: (fields: ImportedKey) => readonly string[] | undefined): readonly string[] => [
    ...new Set(keys.flatMap(({ fields }) => list(fields) ?? [])),
  ];
  const roles = await rolesByName(
    transaction,
    principal,
    all((key) => key.roles),
  );
  const permissions = await permissionsBySlug(
    transaction,
    principal,
    all((key) => key.permissions),
    randomBytes,
  );
  const identities = await findOrMakeIdentities(
    transaction,
    principal.workspaceId,
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
