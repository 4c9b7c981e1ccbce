import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { LocalRegion, LocalZone } from '../local/local-file.ts';
import { rateOf, runRateLimitTrial } from './ratelimit-trial.ts';

const LIMIT = 20;
const DURATION_MS = 1_000;

/** A region of three tasks that allow 20 in a second: together, or each for itself. */
async function fakeZone(
  counting: 'together' | 'alone',
  failsEachLook = 0,
): Promise<LocalZone & { readonly left: () => number }> {
  const counts = new Map<string, number>();
  let keys = 0;
  const listen = async (name: string): Promise<string> => {
    let failed = 7;
    const server = createServer((request, response) => {
      if (request.url === '/metrics') {
        failed += failsEachLook;
        const exchanges = `keyhearth_rate_limit_exchanges_total{outcome="failed",zone="eu"} ${failed}`;
        return void response.end(`keyhearth_rate_limit_exchange_max_ms{zone="eu"} 25\n${exchanges}\n`);
      }
      if (request.url === '/v2/keys.createKey') keys += 1;
      if (request.url === '/v2/keys.deleteKey') keys -= 1;
      const resetMs = (Math.floor(Date.now() / DURATION_MS) + 1) * DURATION_MS;
      const counter = `${resetMs} ${counting === 'alone' ? name : ''}`;
      const before = counts.get(counter) ?? 0;
      const valid = before < LIMIT;
      if (request.url === '/v2/keys.verifyKey' && valid) counts.set(counter, before + 1);
      const data = { valid, key: 'k', keyId: 'key_1', ratelimits: [{ name: 'measured', reset: resetMs }] };
      response.end(JSON.stringify({ data }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    // A listening server's address is an object.
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const tasks = await Promise.all(['a', 'b', 'c'].map(async (name) => ({ url: await listen(name), pid: 1 })));
  const url = tasks[0]?.url ?? '';
  const region: LocalRegion = {
    url,
    role: 'home',
    pid: 1,
    tasks,
    postgres: { port: 1, pid: 1 },
    valkey: { port: 2, pid: 2 },
  };
  const zone = { url, rootKey: 'kh_root', workspaceId: 'ws', apiId: 'api', sampleKey: 's', clients: {} };
  return { ...zone, regions: { 'eu-west-3': region }, left: () => keys };
}

function trialOf(zone: LocalZone, kind: 'shared' | 'exact', valkeyPid: number | null = 2) {
  const [region] = Object.values(zone.regions);
  if (region === undefined) throw new Error('no region');
  return runRateLimitTrial({
    zone,
    region: { ...region, valkey: { port: 2, pid: valkeyPid } },
    kind,
    limit: LIMIT,
    durationMs: DURATION_MS,
    times: 4,
    seconds: 2,
    signal: new AbortController().signal,
  });
}

test('tasks that count together hold the bound, and the key is gone afterwards', async () => {
  const zone = await fakeZone('together');
  const trial = await trialOf(zone, 'exact');
  expect(trial).toMatchObject({ tasks: 3, overshoot: 0, bound: 0, held: true, unanswered: 0, heldBack: 0 });
  expect(trial.asked).toBeGreaterThanOrEqual(160);
  expect(trial.admitted).toBeLessThanOrEqual(trial.allowed);
  expect(zone.left()).toBe(0);
});

test('tasks that count alone although they share counters are found', async () => {
  const trial = await trialOf(await fakeZone('alone'), 'shared');
  // 80 a second, and tasks that don't know of each other for a quarter of it: some 20 above the limit, not 40.
  expect(trial).toMatchObject({
    exchangeMs: 25,
    failedExchanges: 0,
    isExchangeAssumed: false,
    overshoot: 40,
    held: false,
  });
});

test('while exchanges have no answers each task may let through as much as the limit', async () => {
  const trial = await trialOf(await fakeZone('alone', 1), 'shared');
  expect(trial).toMatchObject({ exchangeMs: 25, failedExchanges: 3, overshoot: 40, bound: 40, held: true });
});

test('without shared counters each task may let through as much as the limit', async () => {
  const trial = await trialOf(await fakeZone('alone'), 'shared', null);
  expect(trial).toMatchObject({ exchangeMs: null, overshoot: 40, bound: 40, held: true });
});

test('more than a machine should get isn’t asked', () => {
  expect(rateOf({ limit: 100, durationMs: 10_000, times: 10 })).toBe(100);
  expect(() => rateOf({ limit: 100, durationMs: 10, times: 10 })).toThrow('lower --limit or --times');
});
