import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Pool } from 'pg';
import { accessFrom } from './database-access.ts';
import { newEpochId, newId } from './domain/ids.ts';
import { generateKeyText, hashKey } from './domain/key-text.ts';
import type { Epoch } from './domain/revision.ts';
import { ROOT_PERMISSIONS } from './domain/root-permissions.ts';
import { readSettings } from './env.ts';
import { readLatestEpoch, startEpoch } from './home/epochs.ts';
import { sentenceOf } from './sentence.ts';
import { SETTINGS } from './settings.ts';
import { databaseOf } from './store/database.ts';
import { EpochWriter } from './store/epoch-writer.ts';
import { createPool } from './store/pool.ts';
import { rowsOf } from './store/rows.ts';
import { isSupportedSchema, readSchemaVersion } from './store/schema-version.ts';

/**
 * One-off entry: makes a workspace and a root key with every permission. Prints one JSON line, the only time that the root key's
 * text is seen; a failure is one sentence on stderr and exit code 1.
 */

const ROOT_KEY_PREFIX = 'kh_root';
const ROOT_KEY_BYTES = 24;
const EPOCH_TIMEOUT_MS = 10_000;
const EPOCH_PAUSE_MS = 100;

interface Setup {
  readonly zone: string;
  readonly region: string;
  readonly workspaceName: string;
}

interface Bootstrapped {
  readonly workspaceId: string;
  readonly rootKeyId: string;
  readonly rootKey: string;
}

try {
  const { values } = parseArgs({ options: { workspace: { type: 'string' } } });
  const { zone, region, writerUrl } = SETTINGS;
  const settings = readSettings({ zone, region, writerUrl }, process.env);
  const setup: Setup = { ...settings, workspaceName: values.workspace ?? 'default' };
  const pool = createPool({
    url: settings.writerUrl,
    access: accessFrom(process.env),
    applicationName: 'keyhearth bootstrap',
    connections: 2,
    onIdleError: (error) => void process.stderr.write(`${error.message}\n`),
  });
  try {
    process.stdout.write(`${JSON.stringify(await bootstrap(pool, setup))}\n`);
  } finally {
    await pool.end();
  }
} catch (error) {
  process.stderr.write(`No workspace was made: ${sentenceOf(error)}\n`);
  process.exitCode = 1;
}

async function bootstrap(pool: Pool, { zone, region, workspaceName }: Setup): Promise<Bootstrapped> {
  const version = await readSchemaVersion(rowsOf(pool));
  if (!isSupportedSchema(version)) {
    throw new Error(
      `the database has schema ${version}, which this version can't work with; migrate it first.`,
    );
  }
  const epoch = await findOrStartEpoch(pool, region);
  const writer = new EpochWriter({ pool, epoch: () => epoch });
  const workspaceId = newId('ws', randomBytes);
  const rootKeyId = newId('rootkey', randomBytes);
  const rootKey = generateKeyText({ prefix: ROOT_KEY_PREFIX, bytes: randomBytes(ROOT_KEY_BYTES), zone });
  const hash = hashKey(rootKey);
  await writer.write(async (transaction) => {
    await transaction.query('insert into workspaces (id, name) values ($1, $2)', [
      workspaceId,
      workspaceName,
    ]);
    await transaction.query(
      `insert into root_keys (id, workspace_id, hash, start, name) values ($1, $2, decode($3, 'hex'), $4, 'bootstrap')`,
      [rootKeyId, workspaceId, hash, rootKey.slice(0, ROOT_KEY_PREFIX.length + 5)],
    );
    await transaction.query(
      'insert into root_key_permissions (root_key_id, permission) select $1, unnest($2::text[])',
      [rootKeyId, ROOT_PERMISSIONS],
    );
    transaction.changed('workspace', workspaceId);
    transaction.changedKey('rootKey', rootKeyId, hash);
    transaction.audit({
      workspaceId,
      actorKind: 'system',
      actorId: 'bootstrap',
      requestId: '',
      clientAddress: '',
      action: 'workspace.create',
      targetKind: 'workspace',
      targetId: workspaceId,
      detail: { name: workspaceName, rootKeyId },
    });
  });
  return { workspaceId, rootKeyId, rootKey };
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
