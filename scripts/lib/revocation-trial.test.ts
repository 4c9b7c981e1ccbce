import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { expect, onTestFinished, test } from 'vitest';

import type { LocalZone } from '../local/local-file.ts';
import { runTrials } from './revocation-trial.ts';
import { UserError } from './user-error.ts';

/** A zone of which a deleted key is refused at once in one region, and after some more verifications in the other. */
class FakeZone {
  readonly deleted = new Map<string, number>();
  status = 200;
  #made = 0;

  async start(verificationsLeft: number): Promise<LocalZone> {
    const [home, replica] = [await this.#listen(0), await this.#listen(verificationsLeft)];
    const parts = { pid: null, tasks: [], postgres: { port: 1, pid: null }, valkey: null };
    return {
      url: home,
      rootKey: 'kh_root_test',
      workspaceId: 'ws_test',
      apiId: 'api_test',
      sampleKey: 'sample',
      clients: {},
      regions: {
        'us-east-1': { url: home, role: 'home', ...parts },
        'eu-west-1': { url: replica, role: 'replica', ...parts },
      },
    };
  }

  async #listen(verificationsLeft: number): Promise<string> {
    const left = new Map<string, number>();
    const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const body = JSON.parse(await text(request)) as Record<string, string>;
      response.setHeader('keyhearth-revocation', 'confirmed');
      response.statusCode = this.status;
      const data = this.#answer(request.url ?? '', body, left, verificationsLeft);
      response.end(JSON.stringify({ data }));
    };
    const server = createServer((request, response) => void handle(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    // A listening server's address is an object.
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  #answer(
    url: string,
    body: Record<string, string>,
    left: Map<string, number>,
    verificationsLeft: number,
  ): object {
    const id = body['keyId'] ?? body['key'] ?? '';
    if (url.endsWith('createKey')) return { keyId: `${++this.#made}`, key: `${this.#made}` };
    if (url.endsWith('deleteKey')) {
      this.deleted.set(id, performance.now());
      return {};
    }
    if (!this.deleted.has(id)) return { valid: true };
    const rest = left.get(id) ?? verificationsLeft;
    left.set(id, rest - 1);
    return { valid: rest > 0 };
  }
}

test('a region that refuses at once counts as 0, a later one with the time until its refusal', async () => {
  const fake = new FakeZone();
  const zone = await fake.start(3);
  const progress: number[] = [];
  const { trials, behind } = await runTrials({
    zone,
    count: 6,
    signal: new AbortController().signal,
    onProgress: (done) => progress.push(done),
  });
  expect(trials).toHaveLength(6);
  expect(behind.size).toBe(0);
  expect(progress).toEqual([1, 2, 3, 4, 5, 6]);
  expect(fake.deleted.size).toBe(6);
  for (const { refusedAfterMs, deleteAnswerMs, isConfirmed } of trials) {
    expect(refusedAfterMs['us-east-1']).toBe(0);
    expect(refusedAfterMs['eu-west-1']).toBeGreaterThan(0);
    expect(deleteAnswerMs).toBeGreaterThan(0);
    expect(isConfirmed).toBe(true);
  }
});

test('an abort ends it after the keys that are under way, and none of them is left behind', async () => {
  const fake = new FakeZone();
  const zone = await fake.start(1);
  const stop = new AbortController();
  const { trials } = await runTrials({
    zone,
    count: 1000,
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  expect(trials.length).toBeLessThanOrEqual(8);
  expect(fake.deleted.size).toBe(trials.length);
});

test('an unexpected answer is told, without the root key', async () => {
  const fake = new FakeZone();
  const zone = await fake.start(1);
  fake.status = 503;
  const failed = runTrials({ zone, count: 1, signal: new AbortController().signal });
  await expect(failed).rejects.toThrow(UserError);
  await expect(failed).rejects.toThrow(/^keys.createKey was answered with 503/);
  await expect(failed).rejects.not.toThrow(/kh_root/);
});

test('a region that does not answer is left out, and the others are measured', async () => {
  const fake = new FakeZone();
  const zone = await fake.start(1);
  const gone = { ...zone.regions['us-east-1'], url: 'http://127.0.0.1:1' } as LocalZone['regions'][string];
  const { trials, behind } = await runTrials({
    zone: { ...zone, regions: { ...zone.regions, 'ap-southeast-1': gone } },
    count: 3,
    signal: new AbortController().signal,
  });
  expect([...behind]).toEqual([['ap-southeast-1', "doesn't answer"]]);
  expect(trials.map(({ refusedAfterMs }) => Object.keys(refusedAfterMs))).toEqual(
    Array.from({ length: 3 }, () => ['us-east-1', 'eu-west-1']),
  );
});
