import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { freePort } from '../scripts/lib/ports.ts';
import type { PostgresNode } from '../scripts/local/postgres/node.ts';
import { readEnv } from '../service/env.ts';
import { Task } from '../service/task.ts';
import { databaseUrl, startTestPostgres, type TestPostgres } from './postgres.ts';

const REGIONS = ['us-east-1', 'eu-west-1', 'ap-southeast-1'] as const;
export type TestRegion = (typeof REGIONS)[number];

/** An answer of a task. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // The shapes that tests look into differ from call to call; each test names what it expects.
  readonly body: { data?: Record<string, unknown>; error?: Record<string, unknown> };
}

export interface TestTask {
  readonly region: TestRegion;
  readonly url: string;
  readonly task: Task;
  call(verb: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  verify(key: string, headers?: Record<string, string>): Promise<Answer>;
  get(path: string): Promise<Response>;
  stop(): Promise<void>;
}

/** Zone `global` with real Postgres: a primary at its origin and a standby in each other region; tasks run in this process. */
export interface TestZone {
  readonly postgres: TestPostgres;
  readonly nodes: Record<TestRegion, PostgresNode>;
  readonly rootKey: string;
  readonly apiId: string;
  readonly tasks: TestTask[];
  task(region: TestRegion): TestTask;
  /** Starts one more task, ready when this returns. */
  startTask(region: TestRegion, settings?: Record<string, string>): Promise<TestTask>;
  urlOf(region: TestRegion): string;
  stop(): Promise<void>;
}

/** `started`: regions in which a task runs from the beginning. */
export async function startTestZone(
  settings: Record<string, string> = {},
  started: readonly TestRegion[] = REGIONS,
): Promise<TestZone> {
  const postgres = await startTestPostgres();
  const url = await postgres.createDatabase();
  const [eu, ap] = [await postgres.addStandby('eu-west-1'), await postgres.addStandby('ap-southeast-1')];
  const nodes = { 'us-east-1': postgres.primary, 'eu-west-1': eu, 'ap-southeast-1': ap };
  const name = new URL(url).pathname.slice(1);
  const urlOf = (region: TestRegion): string => databaseUrl(nodes[region].url, name);
  const ports = new Map<TestRegion, number>();
  for (const region of REGIONS) ports.set(region, await freePort());
  const peerSecret = randomBytes(24).toString('hex');
  const { rootKey } = await bootstrap(urlOf('us-east-1'));
  const tasks: TestTask[] = [];

  async function startTask(region: TestRegion, more: Record<string, string> = {}): Promise<TestTask> {
    const taken = tasks.some((one) => one.region === region);
    const port = taken ? await freePort() : (ports.get(region) ?? 0);
    const env = readEnv({
      KEYHEARTH_ZONE: 'global',
      KEYHEARTH_REGION: region,
      KEYHEARTH_HOST: '127.0.0.1',
      KEYHEARTH_PORT: String(port),
      KEYHEARTH_WRITER_URL: urlOf(region),
      KEYHEARTH_READER_URLS: urlOf(region),
      KEYHEARTH_PEERS: REGIONS.filter((one) => one !== region)
        .map((one) => `${one}=http://127.0.0.1:${ports.get(one)}`)
        .join(','),
      KEYHEARTH_PEER_SECRET: peerSecret,
      KEYHEARTH_POLL_MS: '20',
      KEYHEARTH_HEARTBEAT_MS: '200',
      ...settings,
      ...more,
    });
    const task = new Task(env, pino({ level: process.env['TEST_LOG'] ?? 'silent', base: { region } }));
    await task.start();
    const running = makeTestTask(region, `http://127.0.0.1:${port}`, task, rootKey, () => {
      tasks.splice(tasks.indexOf(running), 1);
    });
    tasks.push(running);
    return running;
  }

  for (const region of started) await startTask(region);
  const zone: TestZone = {
    postgres,
    nodes,
    rootKey,
    apiId: '',
    tasks,
    urlOf,
    startTask,
    task(region) {
      const found = tasks.find((one) => one.region === region);
      if (found === undefined) throw new Error(`no task runs in ${region}`);
      return found;
    },
    async stop() {
      await Promise.all([...tasks].map(async (task) => await task.stop()));
      await postgres.stop();
    },
  };
  const created = await zone.task('us-east-1').call('apis.createApi', { name: 'test api' });
  return Object.assign(zone, { apiId: String(created.body.data?.['apiId']) });
}

/** Creates a key through a region and returns its id and text. */
export async function createKey(
  zone: TestZone,
  region: TestRegion,
  input: Record<string, unknown> = {},
): Promise<{ keyId: string; key: string }> {
  const answer = await zone.task(region).call('keys.createKey', { apiId: zone.apiId, ...input });
  const { keyId, key } = answer.body.data ?? {};
  if (typeof keyId !== 'string' || typeof key !== 'string')
    throw new Error(`no key: ${JSON.stringify(answer.body)}`);
  return { keyId, key };
}

async function bootstrap(url: string): Promise<{ rootKey: string }> {
  const child = spawn(process.execPath, ['service/bootstrap.ts'], {
    env: { KEYHEARTH_WRITER_URL: url, KEYHEARTH_ZONE: 'global', KEYHEARTH_REGION: 'us-east-1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [out] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  const { rootKey } = JSON.parse(out) as { rootKey: string };
  return { rootKey };
}

function makeTestTask(
  region: TestRegion,
  url: string,
  task: Task,
  rootKey: string,
  onStop: () => void,
): TestTask {
  async function call(verb: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${url}/v2/${verb}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${rootKey}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Answer['body'],
    };
  }
  return {
    region,
    url,
    task,
    call,
    verify: async (key, headers = {}) => await call('keys.verifyKey', { key }, headers),
    get: async (path) => await fetch(`${url}${path}`),
    async stop() {
      onStop();
      await task.stop();
    },
  };
}
