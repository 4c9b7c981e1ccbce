import type { KeyHash } from '../../../service/domain/brands.ts';
import type { Workspace } from '../workspace.ts';

/** Marks a namespace as deleted, for which there is no call. */
export async function deleteNamespace(workspace: Workspace, name: string): Promise<void> {
  await workspace.target.sql(async (transaction) => {
    const [row] = await transaction.query<{ id: string; hash: string }>(
      `update ratelimit_namespaces set deleted_at = now() where workspace_id = $1 and name = $2
       returning id, encode(hash, 'hex') as hash`,
      [workspace.id, name],
    );
    if (row === undefined) throw new Error(`there is no namespace ${name}`);
    // As the database gave it.
    transaction.changedRecord('namespace', row.id, row.hash as KeyHash);
  });
}
