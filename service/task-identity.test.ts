import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { identifyTask } from './task-identity.ts';

const ARN = 'arn:aws:ecs:eu-west-1:111122223333:task/keyhearth/158d1c8083dd49d6b527399fd6414f5c';
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** Stands for ECS's metadata endpoint. */
async function startEndpoint(answer: RequestListener): Promise<{ uri: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  // A listening server has an address with a port.
  return { uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v4/abc`, asked };
}

async function identify(ecsMetadataUri: string, taskId = '') {
  const warnings: string[] = [];
  const name = await identifyTask({
    region: 'eu-west-1',
    taskId,
    ecsMetadataUri,
    unique: () => 'a1b2c3',
    log: { warn: (_fields, message) => warnings.push(message) },
    timeoutMs: 300,
  });
  return { name, warnings };
}

test('on ECS a task has the id that ECS tells of when the task has stopped', async () => {
  const { uri, asked } = await startEndpoint((_request, response) => {
    response.end(JSON.stringify({ Cluster: 'keyhearth', TaskARN: ARN, Family: 'verify' }));
  });
  expect(await identify(uri)).toEqual({
    name: 'eu-west-1/158d1c8083dd49d6b527399fd6414f5c',
    warnings: [],
  });
  expect(asked).toEqual(['/v4/abc/task']);
});

test.each<[what: string, answer: RequestListener]>([
  ['fails', (_request, response) => response.writeHead(500).end()],
  ['tells no ARN', (_request, response) => response.end('{}')],
  ['tells something else', (_request, response) => response.end('{"TaskARN":"arn:aws:s3:::bucket"}')],
  ['tells no JSON', (_request, response) => response.end('<html>')],
  ['never answers', () => {}],
])('an endpoint that %s: the name is made up, with a warning', async (_what, answer) => {
  const { uri } = await startEndpoint(answer);
  const { name, warnings } = await identify(uri);
  expect(name).toBe('eu-west-1/a1b2c3');
  expect(warnings).toEqual(['ECS did not tell the id of this task, so its name is made up']);
});

test('an endpoint that is not there: the same', async () => {
  expect(await identify('http://127.0.0.1:1/v4/abc')).toMatchObject({ name: 'eu-west-1/a1b2c3' });
});

test('a name that is given counts more, and without ECS one is made up; nobody is asked', async () => {
  const { uri, asked } = await startEndpoint((_request, response) => response.end('{}'));
  expect(await identify(uri, 'canary')).toEqual({ name: 'canary/a1b2c3', warnings: [] });
  expect(await identify('')).toEqual({ name: 'eu-west-1/a1b2c3', warnings: [] });
  expect(asked).toEqual([]);
});
