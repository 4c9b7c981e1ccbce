import { createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { RootKeyId, WorkspaceId } from '../service/domain/brands.ts';
import { newEpochId, newId } from '../service/domain/ids.ts';
import type { Principal } from '../service/domain/principal.ts';
import type { Epoch } from '../service/domain/revision.ts';
import { ROOT_PERMISSIONS } from '../service/domain/root-permissions.ts';
import { startEpoch } from '../service/home/epochs.ts';
import { createManage } from '../service/manage/create-manage.ts';
import type { Idempotency, Manage, WriteContext } from '../service/manage/types.ts';
import { databaseOf } from '../service/store/database.ts';
import { EpochWriter } from '../service/store/epoch-writer.ts';
import { createPool } from '../service/store/pool.ts';
import { homeRows } from '../service/store/rows.ts';
import { FileVault } from '../service/vault/file-vault.ts';

const TEST_ZONE = 'global';
const TEST_REGION = 'us-east-1';

/** A home on a database of its own: epoch 1 is started, and one workspace has a root key with every permission. */
export interface WriteSide {
  readonly pool: pg.Pool;
  readonly writer: EpochWriter;
  readonly manage: Manage;
  /** The calls as another task of the region offers them: what each task bounds for itself, it bounds anew. */
  manageOfATask(): Manage;
  readonly principal: Principal;
  /** Epoch in which this side believes to be at home; tests may change it. */
  epoch: Epoch | null;
  /** Errors of idle connections, which tests of lost connections expect. */
  readonly idleErrors: Error[];
  /** Epoch ms; tests may change it. */
  nowMs: () => number;
  end(): Promise<void>;
}

export async function makeWriteSide(url: string, pools: { connections?: number } = {}): Promise<WriteSide> {
  const idleErrors: Error[] = [];
  const pool = createPool({
    url,
    applicationName: 'test',
    onIdleError: (error) => idleErrors.push(error),
    ...pools,
  });
  const epoch: Epoch = { counter: 1, id: newEpochId(randomBytes) };
  await startEpoch(databaseOf(pool), { expected: null, next: { epoch, region: TEST_REGION } });
  const writer = new EpochWriter({ pool, epoch: () => side.epoch, resolveTimeoutMs: 1000 });
  const rows = homeRows(pool, () => side.epoch);
  const vault = makeVault();
  const manageOfATask = (): Manage =>
    createManage({ writer, rows, zone: TEST_ZONE, randomBytes, vault, nowMs: () => side.nowMs() });
  const side: WriteSide = {
    pool,
    writer,
    manage: manageOfATask(),
    manageOfATask,
    nowMs: () => Date.now(),
    principal: await makePrincipal(pool),
    epoch,
    idleErrors,
    end: () => pool.end(),
  };
  return side;
}

/** The vault of a zone with a key file, its key kept in memory. */
function makeVault(): FileVault {
  const keys = new Map([['test', createSecretKey(randomBytes(32))]]);
  return new FileVault({ zone: TEST_ZONE, keyFile: { current: 'test', keys } });
}

/** A root key of a new workspace; its permissions are what the test says, whatever the database holds. */
export async function makePrincipal(
  pool: pg.Pool,
  permissions: readonly string[] = ROOT_PERMISSIONS,
): Promise<Principal> {
  const workspaceId = newId('ws', randomBytes);
  const rootKeyId = newId('rootkey', randomBytes);
  await pool.query('insert into workspaces (id, name) values ($1, $2)', [workspaceId, 'test']);
  await pool.query('insert into root_keys (id, workspace_id, hash, start) values ($1, $2, $3, $4)', [
    rootKeyId,
    workspaceId,
    randomBytes(32),
    'kh_root_test',
  ]);
  // Made here, so the brands are given here.
  return {
    rootKeyId: rootKeyId as RootKeyId,
    workspaceId: workspaceId as WorkspaceId,
    permissions: new Set(permissions),
  };
}

export function contextOf(principal: Principal, idempotency: Idempotency | null = null): WriteContext {
  return { principal, requestId: 'req_test', clientAddress: '192.0.2.1', idempotency };
}

/** An idempotency key as the HTTP layer would make it; the root key's text is a fixed one. */
export function idempotencyOf(key: string, requestHash: string): Idempotency {
  return {
    key,
    requestHash,
    deriveBytes: (salt, length) =>
      new Uint8Array(hkdfSync('sha256', 'kh_root_text', salt, 'createKey', length)),
  };
}

export interface ChangeRow {
  readonly epoch: number;
  readonly xid: string;
  readonly kind: string;
  readonly id: string;
  readonly hash: string | null;
}

export async function readChanges(pool: pg.Pool): Promise<readonly ChangeRow[]> {
  const { rows } = await pool.query<ChangeRow>(
    `select epoch, xid::text, kind, id, encode(hash, 'hex') as hash from changes order by seq`,
  );
  return rows;
}
