import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import { BOOTSTRAP_USE, type BootstrapArguments, readBootstrapArguments } from './bootstrap-arguments.ts';
import { accessFrom } from './database-access.ts';
import type { KeyHash } from './domain/brands.ts';
import { newEpochId, newId } from './domain/ids.ts';
import type { Epoch } from './domain/revision.ts';
import { newRootKey, ROOT_KEY_START, type RootKey } from './domain/root-key.ts';
import { readSettings } from './env.ts';
import { readLatestEpoch, startEpoch } from './home/epochs.ts';
import type { Rows } from './manage/ports.ts';
import { sentenceOf } from './sentence.ts';
import { SETTINGS } from './settings.ts';
import { databaseOf } from './store/database.ts';
import { EpochWriter } from './store/epoch-writer.ts';
import { createPool } from './store/pool.ts';
import { rowsOf } from './store/rows.ts';
import { isSupportedSchema, readSchemaVersion } from './store/schema-version.ts';

/**
 * One-off entry: makes a workspace and a root key, or one more root key of a workspace that is there (bootstrap-arguments.ts has all
 * that it can be told). Prints one JSON line. Without `--root-key-hash` and `--root-key-start` it makes the key's text, and that line is
 * the only time that it is seen; with them, the text was made where its owner is (service/root-key.ts) and never comes here. A failure is
 * one sentence on stderr and exit code 1.
 */

const EPOCH_TIMEOUT_MS = 10_000;
const EPOCH_PAUSE_MS = 100;

interface Setup extends Pick<BootstrapArguments, 'workspace' | 'permissions'> {
  readonly region: string;
  readonly rootKey: RootKey;
}

interface Bootstrapped {
  readonly workspaceId: string;
  readonly rootKeyId: string;
  /** Absent where its text was made elsewhere. */
  readonly rootKey?: string;
}

let what = 'workspace';
try {
  const given = readBootstrapArguments(process.argv.slice(2));
  if ('id' in given.workspace) what = 'root key';
  process.stdout.write(given.help ? BOOTSTRAP_USE : `${JSON.stringify(await make(given))}\n`);
} catch (error) {
  process.stderr.write(`No ${what} was made: ${sentenceOf(error)}\n`);
  process.exitCode = 1;
}

async function make(given: BootstrapArguments): Promise<Bootstrapped> {
  const { zone, region, writerUrl, databaseAuth } = SETTINGS;
  const settings = readSettings({ zone, region, writerUrl, databaseAuth }, process.env);
  const setup: Setup = {
    region: settings.region,
    workspace: given.workspace,
    permissions: given.permissions,
    rootKey: rootKeyFrom(given.rootKeyHash, given.rootKeyStart, settings),
  };
  const pool = createPool({
    url: settings.writerUrl,
    access: accessFrom(process.env),
    applicationName: 'keyhearth bootstrap',
    connections: 2,
    onIdleError: (error) => void process.stderr.write(`${error.message}\n`),
  });
  try {
    return await bootstrap(pool, setup);
  } finally {
    await pool.end();
  }
}

/** Throws an Error that says what to give instead. */
function rootKeyFrom(
  hash: string | undefined,
  start: string | undefined,
  { zone, databaseAuth }: { readonly zone: string; readonly databaseAuth: string },
): RootKey {
  const how = `make it where you are with \`node scripts/pinned-node.mjs node service/root-key.ts --zone ${zone}\`, and give its hash as --root-key-hash and its start as --root-key-start`;
  if (hash === undefined && start === undefined) {
    // A task in AWS: what it prints is kept in a log.
    if (databaseAuth === 'iam') throw new Error(`the root key's text would be kept in a log: ${how}.`);
    return newRootKey(zone, randomBytes);
  }
  if (hash === undefined || !/^[0-9a-f]{64}$/.test(hash))
    throw new Error(`--root-key-hash must be the key's SHA-256, 64 hex digits: ${how}.`);
  if (start === undefined || !ROOT_KEY_START.test(start))
    throw new Error(`--root-key-start must be the key's first 12 characters: ${how}.`);
  // Checked above: what a SHA-256 looks like in hex.
  return { text: null, hash: hash as KeyHash, start };
}

async function bootstrap(pool: Pool, setup: Setup): Promise<Bootstrapped> {
  const { region, workspace, permissions, rootKey } = setup;
  const version = await readSchemaVersion(rowsOf(pool));
  if (!isSupportedSchema(version)) {
    throw new Error(
      `the database has schema ${version}, which this version can't work with; migrate it first.`,
    );
  }
  const epoch = await findOrStartEpoch(pool, region);
  const writer = new EpochWriter({ pool, epoch: () => epoch });
  const isNew = 'name' in workspace;
  const workspaceId = isNew ? newId('ws', randomBytes) : workspace.id;
  const rootKeyId = newId('rootkey', randomBytes);
  const { text, hash, start } = rootKey;
  await writer.write(async (transaction) => {
    if (isNew) {
      await transaction.query('insert into workspaces (id, name) values ($1, $2)', [
        workspaceId,
        workspace.name,
      ]);
      transaction.changed('workspace', workspaceId);
    } else {
      await requireWorkspace(transaction, workspaceId);
    }
    await transaction.query(
      `insert into root_keys (id, workspace_id, hash, start, name) values ($1, $2, decode($3, 'hex'), $4, 'bootstrap')`,
      [rootKeyId, workspaceId, hash, start],
    );
    await transaction.query(
      'insert into root_key_permissions (root_key_id, permission) select $1, unnest($2::text[])',
      [rootKeyId, permissions],
    );
    transaction.changedRecord('rootKey', rootKeyId, hash);
    transaction.audit({
      workspaceId,
      actorKind: 'system',
      actorId: 'bootstrap',
      requestId: '',
      clientAddress: '',
      ...(isNew
        ? { action: 'workspace.create', targetKind: 'workspace', targetId: workspaceId }
        : { action: 'rootKey.create', targetKind: 'rootKey', targetId: rootKeyId }),
      detail: { ...(isNew ? { name: workspace.name } : {}), rootKeyId, permissions },
    });
  });
  return { workspaceId, rootKeyId, ...(text === null ? {} : { rootKey: text }) };
}

/** Throws where there is no such workspace; none is ever deleted. */
async function requireWorkspace(rows: Rows, workspaceId: string): Promise<void> {
  const found = await rows.query('select from workspaces where id = $1', [workspaceId]);
  if (found.length === 0) {
    throw new Error(`there is no workspace ${workspaceId} here: without --workspace-id a new one is made.`);
  }
}

/** A zone that was only just migrated has no epoch yet; a service may be starting the first one at this very moment. */
async function findOrStartEpoch(pool: Pool, region: string): Promise<Epoch> {
  const database = databaseOf(pool);
  const deadline = performance.now() + EPOCH_TIMEOUT_MS;
  for (;;) {
    const latest = await readLatestEpoch(database);
    if (latest !== null) return latest.epoch;
    const next = { epoch: { counter: 1, id: newEpochId(randomBytes) }, region };
    if (await startEpoch(database, { expected: null, next })) return next.epoch;
    if (performance.now() > deadline) throw new Error('no epoch could be started in time.');
    await delay(EPOCH_PAUSE_MS);
  }
}
