import { fork, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { basicEnvironment } from '../../scripts/lib/environment.ts';
import { freePort } from '../../scripts/lib/ports.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { findPostgres } from '../../scripts/local/postgres/binaries.ts';
import { makeDataRoot } from '../../scripts/local/postgres/data-root.ts';
import { PostgresNode } from '../../scripts/local/postgres/node.ts';
import { newPasswords } from '../../scripts/local/postgres/passwords.ts';
import { makeStandby } from '../../scripts/local/postgres/replication.ts';

const REGIONS = { home: 'us-east-1', next: 'eu-west-1', third: 'ap-southeast-1' } as const;
type Place = keyof typeof REGIONS;
const PLACES: readonly Place[] = ['home', 'next', 'third'];

export interface BenchZone {
  readonly nodes: Record<Place, PostgresNode>;
  readonly rootKey: string;
  /** Service of the third region. */
  readonly thirdUrl: string;
  /** Bodies of verifications, one per key. */
  readonly bodies: readonly string[];
  thirdMetric(name: string): Promise<number>;
  stop(): Promise<void>;
}

const SERVICE = join(import.meta.dirname, '../../service');
const READY_TIMEOUT_MS = 60_000;

/** Keys go in by one statement, without change rows, before the replicas' services start and read them into memory. */
const SEED = `
  insert into keys (id, workspace_id, api_id, hash, start)
  select 'key_bench' || n, workspace_id, id, sha256(convert_to('bench-' || n, 'UTF8')), 'bench'
  from apis, generate_series(1, $1) as n`;

export async function startZone(keys: number): Promise<BenchZone> {
  const scratch = mkdtempSync(join(tmpdir(), 'keyhearth-promotion-'));
  const root = makeDataRoot(scratch).path;
  const services: ChildProcess[] = [];
  const started: PostgresNode[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(services.map(end));
    await Promise.all(started.map((node) => node.stop('immediate')));
    for (const path of [root, scratch]) rmSync(path, { recursive: true, force: true });
  };
  try {
    const nodes = await startNodes(root, started);
    const ports = { home: await freePort(), next: await freePort(), third: await freePort() };
    const secret = randomBytes(24).toString('hex');
    const zone = {
      KEYHEARTH_ZONE: 'global',
      KEYHEARTH_REGION: REGIONS.home,
      KEYHEARTH_WRITER_URL: nodes.home.url,
    };
    await oneOff('migrate.ts', zone);
    // The entry prints this one line of JSON, and exits 0 only then.
    const { rootKey } = JSON.parse(await oneOff('bootstrap.ts', zone)) as { rootKey: string };
    const startService = async (place: Place): Promise<void> => {
      const peers = PLACES.filter((other) => other !== place).map(
        (other) => `${REGIONS[other]}=${urlOf(ports[other])}`,
      );
      services.push(
        serviceOf({
          KEYHEARTH_ZONE: 'global',
          KEYHEARTH_REGION: REGIONS[place],
          KEYHEARTH_HOST: '127.0.0.1',
          KEYHEARTH_PORT: String(ports[place]),
          KEYHEARTH_WRITER_URL: nodes[place].url,
          KEYHEARTH_READER_URLS: nodes[place].url,
          KEYHEARTH_PEERS: peers.join(','),
          KEYHEARTH_PEER_SECRET: secret,
          KEYHEARTH_WARM_KEYS: String(keys),
          KEYHEARTH_LOG_LEVEL: 'error',
        }),
      );
      await waitFor(async () => await isReady(urlOf(ports[place])), {
        what: `the service of ${REGIONS[place]} to be ready`,
        timeoutMs: READY_TIMEOUT_MS,
      });
    };
    await startService('home');
    await createApi(urlOf(ports.home), rootKey);
    await seed(nodes.home.url, keys);
    for (const place of ['next', 'third'] as const) {
      await makeStandby(nodes.home, nodes[place]);
      await startService(place);
    }
    const thirdUrl = urlOf(ports.third);
    const bodies = Array.from({ length: keys }, (_, at) => JSON.stringify({ key: `bench-${at + 1}` }));
    return {
      nodes,
      rootKey,
      thirdUrl,
      bodies,
      stop,
      thirdMetric: async (name) => await metric(thirdUrl, name),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startNodes(root: string, started: PostgresNode[]): Promise<Record<Place, PostgresNode>> {
  const binaries = findPostgres(root);
  const passwords = newPasswords();
  const make = async (name: Place): Promise<PostgresNode> => {
    const node = new PostgresNode({
      name,
      port: await freePort(),
      binaries,
      passwords,
      dataDir: join(root, name),
      logFile: join(root, `${name}.log`),
    });
    started.push(node);
    return node;
  };
  const nodes = { home: await make('home'), next: await make('next'), third: await make('third') };
  await nodes.home.init();
  await nodes.home.start();
  return nodes;
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

function serviceOf(settings: Record<string, string>): ChildProcess {
  return fork(join(SERVICE, 'main.ts'), {
    env: { ...basicEnvironment(), ...settings },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

async function oneOff(file: string, settings: Record<string, string>): Promise<string> {
  const env = { ...basicEnvironment(), ...settings };
  const child = spawn(process.execPath, [join(SERVICE, file)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`${file} failed`);
  return out;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function isReady(url: string): Promise<boolean> {
  return await fetch(`${url}/readyz`).then(
    ({ status }) => status === 200,
    () => false,
  );
}

async function createApi(url: string, rootKey: string): Promise<void> {
  const answer = await fetch(`${url}/v2/apis.createApi`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rootKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench' }),
  });
  if (answer.status !== 200) throw new Error(`apis.createApi: ${answer.status} ${await answer.text()}`);
}

async function seed(url: string, keys: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(SEED, [keys]);
  } finally {
    await client.end();
  }
}

async function metric(url: string, name: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)`, 'm').exec(page)?.[1] ?? 0);
}
