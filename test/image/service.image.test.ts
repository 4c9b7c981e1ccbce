import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { freePort } from '../../scripts/lib/ports.ts';
import { startTestPostgres, type TestPostgres } from '../postgres.ts';
import { type MasteredDatabase, MasteredServer } from '../prepared-database.ts';
import { makeBaseImage } from './base-image.ts';
import { NOFILE, type Ran, run, tryRun } from './podman.ts';

/**
 * The image as Fargate runs it, as far as one machine can: built by `npm run image`, unprivileged, without capabilities, on a read-only
 * root with a volume at /tmp, beside a real Postgres. Only these tests need podman and mmdebstrap.
 */
const ROOT = join(import.meta.dirname, '../..');
const IMAGE = 'localhost/keyhearth-test';
/** Names of containers must not meet those of another run. */
const RUN = randomBytes(4).toString('hex');
const MEMORY_MB = 512;
/** Of a busy machine. */
const PATIENT = { timeout: 30_000, interval: 50 };

let base: string;
let postgres: TestPostgres;
let database: MasteredDatabase;
const containers: string[] = [];

beforeAll(async () => {
  base = makeBaseImage();
  run(process.execPath, [join(ROOT, 'image/make.ts'), '--tag', IMAGE, '--node-image', base]);
  postgres = await startTestPostgres();
  database = await (await MasteredServer.on(postgres)).createDatabase();
}, 300_000);

afterAll(async () => {
  if (containers.length > 0) tryRun('podman', ['rm', '--force', '--volumes', '--time', '0', ...containers]);
  await postgres?.stop();
});

/** How a task definition would have it. */
const HARDENED = [
  '--read-only',
  '--read-only-tmpfs=false',
  '--cap-drop',
  'all',
  '--security-opt',
  'no-new-privileges',
  '--ulimit',
  `nofile=${NOFILE}:${NOFILE}`,
  '--ulimit',
  'nproc=4096:4096',
  '--memory',
  `${MEMORY_MB}m`,
  '--network',
  'host',
];

function variables(settings: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
}

/** Runs one entry of the image to its end. */
function runOnce(settings: Readonly<Record<string, string>>, ...command: readonly string[]): Ran {
  return tryRun('podman', ['run', '--rm', ...HARDENED, ...variables(settings), IMAGE, ...command]);
}

/** What a script sees inside a container of the image. */
function inside(script: string): unknown {
  const { status, stdout, stderr } = runOnce({}, '--eval', `console.log(JSON.stringify(${script}))`);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

interface Service {
  readonly name: string;
  readonly url: string;
  logs(): readonly Record<string, unknown>[];
}

async function startService(): Promise<Service> {
  const port = await freePort();
  const name = `keyhearth-test-${RUN}-${containers.length}`;
  const settings = {
    KEYHEARTH_ENVIRONMENT: 'trial',
    KEYHEARTH_ZONE: 'somewhere',
    KEYHEARTH_REGION: 'eu-north-1',
    KEYHEARTH_ORIGIN: 'eu-north-1',
    KEYHEARTH_ZONE_URLS: 'somewhere=keys.example.com',
    KEYHEARTH_PORT: String(port),
    KEYHEARTH_WRITER_URL: database.appUrl,
    KEYHEARTH_READER_URLS: database.appUrl,
    KEYHEARTH_PEER_SECRET: 'x'.repeat(32),
    KEYHEARTH_CLOUDWATCH_METRICS_MS: '1000',
  };
  containers.push(name);
  run('podman', ['run', '--detach', '--name', name, ...HARDENED, ...variables(settings), IMAGE]);
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    logs: () =>
      run('podman', ['logs', name])
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  };
}

async function call(service: Service, rootKey: string, verb: string, body: object) {
  const answer = await fetch(`${service.url}/v2/${verb}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rootKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, ...((await answer.json()) as { data: Record<string, string> }) };
}

function inspect(name: string, format: string): unknown {
  return JSON.parse(run('podman', ['inspect', '--format', `{{json ${format}}}`, name]));
}

test('the image adds a few MB to its base, and holds nothing but the service', () => {
  const size = (name: string): number =>
    Number(run('podman', ['image', 'inspect', '--format', '{{.Size}}', name]));
  const ownMb = (size(IMAGE) - size(base)) / 1e6;
  process.stdout.write(`image: ${ownMb.toFixed(1)} MB on a base of ${(size(base) / 1e6).toFixed(0)} MB\n`);
  expect(ownMb).toBeLessThan(20);

  const files = inside(
    "fs.readdirSync('/app', { recursive: true }).filter((name) => !name.endsWith('.map')).sort()",
  ) as string[];
  expect(files.filter((name) => !/^(chunk-\w+\.mjs|migrations\/\d{4}_[\w-]+\.sql)$/.test(name))).toEqual([
    'LICENSE',
    'THIRD-PARTY.txt',
    'bootstrap.mjs',
    'feed-trial.mjs',
    'healthcheck.mjs',
    'main.mjs',
    'migrate.mjs',
    'migrations',
    'prepare.mjs',
    'root-key.mjs',
    'tasks.mjs',
    'vault-key.mjs',
  ]);
  expect(files.filter((name) => name.endsWith('.sql')).length).toBeGreaterThan(0);
  // Whatever the build made outside /app must not have come along.
  const others = inside(
    "['/build', '/manifest', '/regions.config.ts', '/root/.npm', '/root/.npmrc', '/.npm', '/.npmrc'].filter((path) => fs.existsSync(path))",
  );
  expect(others).toEqual([]);
  const changed = inspect(IMAGE, '.Config') as { Env: string[] };
  const known = new Set(inspect(base, '.Config.Env') as string[]);
  expect(changed.Env.filter((variable) => !known.has(variable))).toEqual(['NODE_ENV=production']);
  expect(changed).toMatchObject({ User: '1000:1000', Entrypoint: ['node'], Cmd: ['/app/main.mjs'] });
});

test('it runs as nobody who may write anything but /tmp, on the pinned Node', () => {
  const write = (path: string): string =>
    `(() => { try { fs.writeFileSync('${path}', 'x'); return true } catch { return false } })()`;
  const seen = inside(
    `{ uid: process.getuid(), gid: process.getgid(), version: process.version, tmp: ${write('/tmp/x')}, app: ${write('/app/x')}, heapMb: Math.round(require('node:v8').getHeapStatistics().heap_size_limit / 2 ** 20) }`,
  );
  expect(seen).toMatchObject({ uid: 1000, gid: 1000, version: process.version, tmp: true, app: false });
  // Node looks at the container's limit, not the machine's memory.
  expect((seen as { heapMb: number }).heapMb).toBeLessThan(MEMORY_MB);
});

test('a wrong setting is one sentence and exit code 1', () => {
  const { status, stderr } = runOnce({ KEYHEARTH_REGION: 'eu-north-1' });
  expect(status).toBe(1);
  expect(stderr).toContain('KEYHEARTH_ZONE is missing');
  for (const line of stderr.trim().split('\n')) expect(line).toMatch(/^keyhearth: KEYHEARTH_\w+ is missing/);
});

test('prepared by its own migrator, it serves, tells CloudWatch, and stops in order', async () => {
  const prepared = runOnce(database.settings, '/app/prepare.mjs');
  expect(prepared).toMatchObject({ status: 0, stderr: '' });
  expect(JSON.parse(prepared.stdout)).toMatchObject({ applied: expect.arrayContaining(['0101_base']) });
  const bootstrapped = runOnce(
    {
      KEYHEARTH_WRITER_URL: database.appUrl,
      KEYHEARTH_ZONE: 'somewhere',
      KEYHEARTH_REGION: 'eu-north-1',
    },
    '/app/bootstrap.mjs',
    '--workspace',
    'trial',
  );
  expect(bootstrapped).toMatchObject({ status: 0, stderr: '' });
  const { rootKey } = JSON.parse(bootstrapped.stdout) as { rootKey: string };

  const startedMs = performance.now();
  const service = await startService();
  await vi.waitFor(async () => expect((await fetch(`${service.url}/livez`)).status).toBe(200), PATIENT);
  const liveMs = performance.now() - startedMs;
  await vi.waitFor(async () => expect((await fetch(`${service.url}/readyz`)).status).toBe(200), PATIENT);
  const readyMs = performance.now() - startedMs;
  process.stdout.write(`live after ${liveMs.toFixed(0)} ms, ready after ${readyMs.toFixed(0)} ms\n`);

  const pid = String(inspect(service.name, '.State.Pid'));
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  expect(status).toMatch(/^Uid:\s+1000\s+1000\s+1000\s+1000$/m);
  expect(status).toMatch(/^CapEff:\s+0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(new RegExp(`Max open files\\s+${NOFILE}`));

  const api = await call(service, rootKey, 'apis.createApi', { name: 'trial' });
  expect(api.status).toBe(200);
  const key = await call(service, rootKey, 'keys.createKey', { apiId: api.data['apiId'] });
  const verdict = await call(service, rootKey, 'keys.verifyKey', { key: key.data['key'] });
  expect(verdict).toMatchObject({ status: 200, data: { valid: true, code: 'VALID' } });

  const healthcheck = ['exec', service.name, 'node', '/app/healthcheck.mjs'];
  expect(tryRun('podman', healthcheck)).toMatchObject({ status: 0, stderr: '' });
  const elsewhere = tryRun('podman', healthcheck.toSpliced(1, 0, '--env', 'KEYHEARTH_PORT=1'));
  expect(elsewhere.status).toBe(1);
  expect(elsewhere.stderr).toContain('/livez: connect ECONNREFUSED');

  await vi.waitFor(
    () => expect(service.logs().some((line) => line['Verifications'] === 1)).toBe(true),
    PATIENT,
  );
  const stoppingMs = performance.now();
  // Longer than it takes: what isn't stopped by then is killed, which shows as exit code 137.
  run('podman', ['stop', '--time', '15', service.name]);
  process.stdout.write(`stopped after ${(performance.now() - stoppingMs).toFixed(0)} ms\n`);
  expect(inspect(service.name, '.State.ExitCode')).toBe(0);
  const logs = service.logs();
  expect(logs.at(-1)).toMatchObject({ msg: 'stopped' });
  const metrics = logs.filter((line) => '_aws' in line);
  const total = metrics.reduce((sum, line) => sum + Number(line['Verifications']), 0);
  expect(total).toBe(1);
  expect(metrics.at(-1)).toMatchObject({
    Environment: 'trial',
    Zone: 'somewhere',
    Region: 'eu-north-1',
  });
  expect(metrics.some((line) => line['HomeKnown'] === 1)).toBe(true);
});
