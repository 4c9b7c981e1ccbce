import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import type { LocalZone } from '../local/local-file.ts';
import { Spending } from './credit-spending.ts';

/** Two tasks that spend of the same balances; the second one knows a key only when it is asked for it the second time, and cuts one call. */
async function fakeZone(balances: Map<string, number>): Promise<LocalZone> {
  const asked = { first: 0, second: 0 };
  const listen = async (task: 'first' | 'second'): Promise<string> => {
    const server = createServer((request, response) => {
      const answer = async (): Promise<unknown> => {
        const { key } = JSON.parse(await text(request)) as { key: string };
        asked[task] += 1;
        if (task === 'second' && asked.second === 3) return request.socket.destroy();
        if (task === 'second' && asked.second === 1)
          return response.end(JSON.stringify({ data: { valid: false, code: 'NOT_FOUND' } }));
        const left = balances.get(key) ?? 0;
        if (left > 0) balances.set(key, left - 1);
        const data = left > 0 ? { valid: true, code: 'VALID' } : { valid: false, code: 'USAGE_EXCEEDED' };
        return response.end(JSON.stringify({ data }));
      };
      void answer();
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
  const urls = [await listen('first'), await listen('second')];
  const regions = urls.map((url, at): [string, LocalZone['regions'][string]] => [
    `region-${at}`,
    {
      url,
      role: 'home',
      pid: 1,
      tasks: [{ url, pid: 1 }],
      postgres: { port: 1, pid: 1 },
      valkey: null,
    },
  ]);
  return {
    url: urls[0] ?? '',
    rootKey: 'kh_root',
    workspaceId: 'ws',
    apiId: 'api',
    sampleKey: 's',
    clients: {},
    regions: Object.fromEntries(regions),
  };
}

const keys = [
  { key: 'a', keyId: 'key_a' },
  { key: 'b', keyId: 'key_b' },
];

function spendingOn(zone: LocalZone, signal = new AbortController().signal): Spending {
  const spending = new Spending({ zone, keys, connections: 4, rate: 2_000, signal });
  onTestFinished(() => spending.close());
  return spending;
}

test('every key is spent at every task until all refuse it, and each answer is counted for its key', async () => {
  const zone = await fakeZone(
    new Map([
      ['a', 30],
      ['b', 12],
    ]),
  );
  const spending = spendingOn(zone);
  expect(await spending.exhaust()).toBe(42);
  expect(Object.fromEntries(spending.admittedOf)).toEqual({ key_a: 30, key_b: 12 });
  expect(spending.outcomes).toMatchObject({ admitted: 42, unknown: 1, notTaken: 1, unreached: 0 });
  expect(spending.outcomes.exceeded).toBeGreaterThanOrEqual(4);
  // Nothing is left, and asking again finds nothing.
  expect(await spending.exhaust()).toBe(0);
});

test('it ends when it is told to, whatever is left', async () => {
  const endless = await fakeZone(
    new Map([
      ['a', Infinity],
      ['b', Infinity],
    ]),
  );
  const spending = spendingOn(endless, AbortSignal.timeout(300));
  expect(await spending.exhaust()).toBeGreaterThan(0);
  expect(spending.outcomes.exceeded).toBe(0);
});
