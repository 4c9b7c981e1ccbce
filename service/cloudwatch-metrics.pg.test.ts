import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { basicEnvironment } from '../scripts/lib/environment.ts';
import { freePort } from '../scripts/lib/ports.ts';
import { createKey, startTestZone, type TestZone } from '../test/zone.ts';

/** A task as a process: what comes out of its stdout is what CloudWatch Logs gets. */
let zone: TestZone;

beforeAll(async () => {
  zone = await startTestZone();
}, 60_000);
afterAll(async () => await zone.stop());

function start(port: number, settings: Record<string, string>) {
  return spawn(process.execPath, ['service/main.ts'], {
    env: {
      ...basicEnvironment(),
      KEYHEARTH_ZONE: 'global',
      KEYHEARTH_REGION: 'us-east-1',
      KEYHEARTH_HOST: '127.0.0.1',
      KEYHEARTH_PORT: String(port),
      KEYHEARTH_WRITER_URL: zone.urlOf('us-east-1'),
      KEYHEARTH_READER_URLS: zone.urlOf('us-east-1'),
      KEYHEARTH_PEER_SECRET: 'x'.repeat(32),
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function untilReady(port: number): Promise<void> {
  await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200), {
    timeout: 20_000,
  });
}

test('each verification is told once, in whole lines among those of the log, however little is logged', async () => {
  const port = await freePort();
  const child = start(port, {
    KEYHEARTH_CLOUDWATCH_METRICS_MS: '1000',
    KEYHEARTH_LOG_LEVEL: 'silent',
    KEYHEARTH_ENVIRONMENT: 'production',
  });
  const output = text(child.stdout);
  const ended = once(child, 'exit');
  await untilReady(port);
  const { key } = await createKey(zone, 'us-east-1');
  const verify = async (presented: string): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/keys.verifyKey`, {
      method: 'POST',
      headers: { authorization: `Bearer ${zone.rootKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ key: presented }),
    });
    return await answer.json();
  };
  // It may not be there yet; how often it wasn't doesn't matter, as long as each verification is told.
  let asked = 0;
  await vi.waitFor(
    async () => {
      asked += 1;
      expect(await verify(key)).toMatchObject({ data: { valid: true } });
    },
    { timeout: 20_000, interval: 30 },
  );
  child.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
  const lines = (await output)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const sum = (name: string): number => lines.reduce((total, line) => total + (line[name] ?? 0), 0);
  expect(sum('Verifications')).toBe(asked);
  expect(sum('VerdictValid')).toBe(1);
  expect(sum('VerdictNotFound')).toBe(asked - 1);
  expect(sum('HotMisses')).toBeGreaterThan(0);
  const timed = lines.flatMap((line) => (line.VerifyMs === undefined ? [] : [line.VerifyMs.Count]));
  expect(timed.reduce((total, count) => total + count, 0)).toBe(asked);
  const last = lines.at(-1);
  expect(last).toMatchObject({
    _aws: {
      CloudWatchMetrics: [{ Namespace: 'Keyhearth', Dimensions: [['Environment', 'Zone', 'Region']] }],
    },
    Environment: 'production',
    Zone: 'global',
    Region: 'us-east-1',
    TaskId: expect.stringMatching(/^us-east-1\//),
    HotKeys: expect.any(Number),
    HomeKnown: expect.any(Number),
    // It has no Valkey.
    RateLimitsAlone: 1,
    ExactLimitsAlone: 0,
    CreditLeases: 0,
    EventLoopDelayMsP99: expect.any(Number),
    RssMb: expect.any(Number),
    HeapUsedMb: expect.any(Number),
  });
});

test('a reader of stdout that is gone ends nothing but the lines', async () => {
  const port = await freePort();
  const child = start(port, { KEYHEARTH_CLOUDWATCH_METRICS_MS: '300000' });
  const ended = once(child, 'exit');
  await untilReady(port);
  child.stdout.destroy();
  // It logs that it stops, and writes its last metrics.
  child.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
});
