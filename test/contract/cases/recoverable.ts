import type { Workspace } from '../workspace.ts';

/** Lets the workspace's API keep texts of keys. */
export async function allowRecoverableKeys(workspace: Workspace): Promise<void> {
  await workspace.must('apis.updateApi', { apiId: await workspace.apiId(), recoverableKeys: true });
}
