import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { basicEnvironment } from '../scripts/lib/environment.ts';
import { freePort } from '../scripts/lib/ports.ts';
import { createKey, startTestZone, type TestZone } from '../test/zone.ts';

/** The process itself: how it stops, and what it says when it can't start. */
let zone: TestZone;
const started: ChildProcess[] = [];
/** Of a busy machine. */
const PATIENT = { timeout: 20_000, interval: 30 };

beforeAll(async () => {
  zone = await startTestZone();
}, 60_000);

afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await zone.stop();
});

interface Service {
  readonly url: string;
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly ended: Promise<number | null>;
}

async function startService(settings: Record<string, string> = {}): Promise<Service> {
  const port = await freePort();
  const env = {
    ...basicEnvironment(),
    KEYHEARTH_ZONE: 'global',
    KEYHEARTH_REGION: 'us-east-1',
    KEYHEARTH_HOST: '127.0.0.1',
    KEYHEARTH_PORT: String(port),
    KEYHEARTH_WRITER_URL: zone.urlOf('us-east-1'),
    KEYHEARTH_READER_URLS: zone.urlOf('us-east-1'),
    KEYHEARTH_PEER_SECRET: 'x'.repeat(32),
    ...settings,
  };
  const child = spawn(process.execPath, ['service/main.ts'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  started.push(child);
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'exit').then(([code]: (number | null)[]) => code ?? null);
  return { url: `http://127.0.0.1:${port}`, child, said: () => said, ended };
}

async function untilReady(service: Service): Promise<void> {
  await vi.waitFor(async () => expect((await fetch(`${service.url}/readyz`)).status).toBe(200), {
    timeout: 20_000,
  });
}

function post(service: Service, route: string, body: object): Promise<Response> {
  return fetch(`${service.url}/v2/${route}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${zone.rootKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

test('SIGTERM: unready at once, what runs is finished, exit 0; no key’s text was logged', async () => {
  const service = await startService({ KEYHEARTH_DRAIN_MS: '500', KEYHEARTH_LOG_LEVEL: 'trace' });
  await untilReady(service);
  const { key } = await createKey(zone, 'us-east-1');
  await vi.waitFor(async () => {
    const answer = await post(service, 'keys.verifyKey', { key });
    expect(await answer.json()).toMatchObject({ data: { valid: true } });
  }, PATIENT);
  // It runs for a second, and the service is told to stop meanwhile.
  const slow = post(service, 'revisions.wait', { revision: '1.aaaaaaaa.1', timeoutMs: 1000 });
  await new Promise((resolve) => setTimeout(resolve, 200));
  service.child.kill('SIGTERM');
  await vi.waitFor(async () => expect((await fetch(`${service.url}/readyz`)).status).toBe(503), PATIENT);
  expect((await fetch(`${service.url}/livez`)).headers.get('connection')).toBe('close');
  expect((await slow).status).toBe(200);
  expect(await service.ended).toBe(0);
  expect(service.said()).not.toContain(key);
  expect(service.said()).not.toContain(zone.rootKey);
});

test('the end of the process that started it stops it like SIGTERM', async () => {
  const service = await startService();
  await untilReady(service);
  service.child.disconnect();
  expect(await service.ended).toBe(0);
});

test('a stop that arrives in several ways is one stop; the same signal twice ends it at once', async () => {
  const service = await startService({ KEYHEARTH_DRAIN_MS: '500' });
  await untilReady(service);
  const slow = post(service, 'revisions.wait', { revision: '1.aaaaaaaa.1', timeoutMs: 1000 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  service.child.kill('SIGINT');
  await vi.waitFor(() => expect(service.said()).toContain('stopping'));
  service.child.kill('SIGTERM');
  service.child.disconnect();
  await vi.waitFor(() => expect(service.said().match(/stopping already/g)).toHaveLength(2));
  expect((await slow).status).toBe(200);
  expect(await service.ended).toBe(0);

  const impatient = await startService({ KEYHEARTH_DRAIN_MS: '20000' });
  await untilReady(impatient);
  impatient.child.kill('SIGTERM');
  await vi.waitFor(() => expect(impatient.said()).toContain('stopping'));
  impatient.child.kill('SIGTERM');
  expect(await impatient.ended).toBe(1);
});

test('a parent that is gone before the task is ready stops it in order', async () => {
  const service = await startService();
  await vi.waitFor(async () => expect((await fetch(`${service.url}/livez`)).status).toBe(200), {
    timeout: 20_000,
    interval: 5,
  });
  service.child.disconnect();
  expect(await service.ended).toBe(0);
});

test('a stop while it still waits for its database ends in order, too', async () => {
  const service = await startService({ KEYHEARTH_READER_URLS: 'postgres://app@127.0.0.1:1/none' });
  await vi.waitFor(async () => {
    const answer = await fetch(`${service.url}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('no reader of this region answers yet');
  }, PATIENT);
  service.child.kill('SIGTERM');
  expect(await service.ended).toBe(0);
});

test.each([
  [{ KEYHEARTH_ZONE: 'nowhere' }, 'there is no zone "nowhere"; known are global, eu'],
  [{ KEYHEARTH_REGION: 'eu-west-3' }, 'zone "global" has no region eu-west-3; it has us-east-1'],
  [{ KEYHEARTH_PORT: '0' }, 'KEYHEARTH_PORT must be a whole number from 1 to 65535'],
])('with %j it says what is wrong in one line and exits 1', async (settings, sentence) => {
  const service = await startService(settings);
  expect(await service.ended).toBe(1);
  expect(service.said()).toContain(sentence);
  expect(service.said().trim().split('\n')).toHaveLength(1);
});
