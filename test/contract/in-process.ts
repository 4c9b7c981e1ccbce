import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { freePort } from '../../scripts/lib/ports.ts';
import { runEntry } from '../../scripts/local/credentials.ts';
import { readEnv } from '../../service/env.ts';
import { Task } from '../../service/task.ts';
import { startTestPostgres } from '../postgres.ts';
import { type ContractTarget, makeTarget } from './target.ts';

export interface InProcessService {
  readonly target: ContractTarget;
  stop(): Promise<void>;
}

/** A zone of one region whose only task runs in this process, on real Postgres. It knows another zone by its name. */
export async function startInProcess(): Promise<InProcessService> {
  const dir = mkdtempSync(join(tmpdir(), 'keyhearth-contract-'));
  const vaultKey = join(dir, 'vault-key.json');
  const [postgres, port] = await Promise.all([
    startTestPostgres(),
    freePort(),
    runEntry('vault-key', {}, [vaultKey]),
  ]);
  const databaseUrl = await postgres.createDatabase();
  const url = `http://127.0.0.1:${port}`;
  const task = new Task(
    readEnv({
      KEYHEARTH_ZONE: 'global',
      KEYHEARTH_REGION: 'us-east-1',
      KEYHEARTH_ORIGIN: 'us-east-1',
      KEYHEARTH_ZONE_URLS: `global=${url},eu=https://keys.eu.example.com`,
      KEYHEARTH_HOST: '127.0.0.1',
      KEYHEARTH_PORT: String(port),
      KEYHEARTH_WRITER_URL: databaseUrl,
      KEYHEARTH_READER_URLS: databaseUrl,
      KEYHEARTH_PEER_SECRET: randomBytes(24).toString('hex'),
      KEYHEARTH_VAULT: `file:${vaultKey}`,
      KEYHEARTH_HEARTBEAT_MS: '200',
    }),
    pino({ level: process.env['TEST_LOG'] ?? 'silent' }),
  );
  await task.start();
  const target = await makeTarget({
    zone: 'global',
    urls: { home: url, replica: null, any: url },
    paths: { manage: 'home', verify: 'home' },
    databaseUrl,
  });
  return {
    target,
    stop: async () => {
      await target.end();
      await task.stop();
      await postgres.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
