import { randomBytes } from 'node:crypto';
import { newId } from '../../service/domain/ids.ts';
import { formatRevision } from '../../service/domain/revision.ts';
import { newRootKey } from '../../service/domain/root-key.ts';
import { ROOT_PERMISSIONS } from '../../service/domain/root-permissions.ts';
import { readLatestEpoch } from '../../service/home/epochs.ts';
import type { WriteTransaction } from '../../service/manage/ports.ts';
import { databaseOf } from '../../service/store/database.ts';
import { EpochWriter } from '../../service/store/epoch-writer.ts';
import { createPool } from '../../service/store/pool.ts';
import { post } from './answer.ts';
import { Workspace } from './workspace.ts';

/** Where a service is asked. */
export interface TargetUrls {
  readonly home: string;
  /** A region that isn't the home; null where the zone has one region. */
  readonly replica: string | null;
  /** Whatever clients are given. */
  readonly any: string;
}

/** Which of them a workspace's calls go to. */
export interface Paths {
  readonly manage: keyof TargetUrls;
  /** Verifications, and checks of rate limits. */
  readonly verify: keyof TargetUrls;
}

/** A running zone that the contract's cases are run against. */
export interface ContractTarget {
  readonly zone: string;
  readonly urls: TargetUrls;
  readonly paths: Paths;
  /** A new workspace with a root key of exactly these permissions. @default every permission there is */
  workspace(permissions?: readonly string[]): Promise<Workspace>;
  /** One more root key of a workspace; its text. */
  rootKey(workspaceId: string, permissions: readonly string[], state?: RootKeyState): Promise<string>;
  /** What no call can do: a transaction at home, with the change rows that `work` notes. Returns once every region shows it. */
  sql(work: (transaction: WriteTransaction) => Promise<void>): Promise<void>;
  /** Waits until every region has applied a write, by what its answer's header says. */
  settled(revision: string): Promise<void>;
  /** The same zone, asked in another way. */
  via(paths: Paths): ContractTarget;
  end(): Promise<void>;
}

/** The target is there once `beforeAll` has run; cases ask for it when they run. */
export type TargetOf = () => ContractTarget;

export interface RootKeyState {
  readonly enabled?: boolean;
  /** Epoch ms. */
  readonly expiresAt?: number;
}

export interface TargetOptions {
  readonly zone: string;
  readonly urls: TargetUrls;
  readonly paths: Paths;
  /** Home's writer. */
  readonly databaseUrl: string;
}

const SETTLE_TIMEOUT_MS = 10_000;

export async function makeTarget(options: TargetOptions): Promise<ContractTarget> {
  const { zone, urls } = options;
  const pool = createPool({
    url: options.databaseUrl,
    applicationName: 'contract',
    connections: 4,
    onIdleError: () => {},
  });
  const latest = await readLatestEpoch(databaseOf(pool));
  if (latest === null) throw new Error('the zone has no epoch yet');
  const writer = new EpochWriter({ pool, epoch: () => latest.epoch });

  async function write(work: (transaction: WriteTransaction) => Promise<void>): Promise<string> {
    const { revision } = await writer.write(async (transaction) => {
      await work(transaction);
      transaction.audit(audit());
    });
    return formatRevision(revision);
  }

  async function settled(revision: string): Promise<void> {
    const body = { revision, timeoutMs: SETTLE_TIMEOUT_MS };
    const answer = await post(urls.home, 'revisions.wait', await watcher, body);
    const regions = (answer.data['regions'] ?? {}) as Record<string, { readonly state: string }>;
    const areApplied = Object.values(regions).every(({ state }) => state === 'applied');
    if (answer.status !== 200 || !areApplied)
      throw new Error(`a write was not applied everywhere: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  async function rootKey(
    workspaceId: string,
    permissions: readonly string[],
    state: RootKeyState = {},
  ): Promise<string> {
    const made = await storeRootKey(workspaceId, permissions, state);
    // A region that doesn't show it yet would remember that there is no such key.
    if (urls.replica !== null) await settled(made.revision);
    return made.text;
  }

  async function storeRootKey(
    workspaceId: string,
    permissions: readonly string[],
    { enabled = true, expiresAt }: RootKeyState,
    isNew = false,
  ): Promise<{ text: string; revision: string }> {
    const { text, hash, start } = newRootKey(zone, randomBytes);
    const id = newId('rootkey', randomBytes);
    const revision = await write(async (transaction) => {
      if (isNew) {
        await transaction.query(`insert into workspaces (id, name) values ($1, 'contract')`, [workspaceId]);
        transaction.changed('workspace', workspaceId);
      }
      await transaction.query(
        `insert into root_keys (id, workspace_id, hash, start, enabled, expires_at)
         values ($1, $2, decode($3, 'hex'), $4, $5, to_timestamp($6::bigint / 1000.0))`,
        [id, workspaceId, hash, start, enabled, expiresAt ?? null],
      );
      await transaction.query(
        'insert into root_key_permissions (root_key_id, permission) select $1, unnest($2::text[])',
        [id, permissions],
      );
      transaction.changedRecord('rootKey', id, hash);
    });
    return { text, revision };
  }

  /** Asks which regions have applied what; any root key may. */
  const watcher = storeRootKey(newId('ws', randomBytes), [], {}, true).then(({ text }) => text);
  await watcher;

  const targetVia = (paths: Paths): ContractTarget => {
    const target: ContractTarget = {
      zone,
      urls,
      paths,
      rootKey,
      settled,
      async workspace(permissions = ROOT_PERMISSIONS) {
        const id = newId('ws', randomBytes);
        const { text, revision } = await storeRootKey(id, permissions, {}, true);
        if (urls.replica !== null) await settled(revision);
        return new Workspace(target, id, text);
      },
      sql: async (work) => await settled(await write(work)),
      via: targetVia,
      end: async () => await pool.end(),
    };
    return target;
  };
  return targetVia(options.paths);
}

function audit(): Parameters<WriteTransaction['audit']>[0] {
  return {
    workspaceId: '',
    actorKind: 'system',
    actorId: 'contract',
    requestId: '',
    clientAddress: '',
    action: 'contract',
    targetKind: 'workspace',
    targetId: '',
    detail: {},
  };
}
