import { afterEach, expect, test } from 'vitest';
import { AUTHORIZED, REVISION, REVISION_TEXT, testDeps } from '../../../test/http/app-deps.ts';
import { buildApp } from '../../app.ts';
import { Problem } from '../../domain/problem.ts';
import type { Revision } from '../../domain/revision.ts';
import type { TaskStatus } from '../../home/types.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
});

function start(wait: TaskStatus['wait']) {
  const app = buildApp(testDeps({ taskStatus: { wait } }));
  open.push(app);
  return async (payload: object, headers: Record<string, string> = AUTHORIZED) =>
    await app.inject({ method: 'POST', url: '/v2/revisions.wait', headers, payload });
}

test('tells each region apart: applied, pending, unknown', async () => {
  const asked: [Revision, string, number][] = [];
  const post = start((revision, until, timeoutMs) => {
    asked.push([revision, until, timeoutMs]);
    return Promise.resolve([
      { region: 'us-east-1', state: 'applied', afterMs: 12 },
      { region: 'eu-west-1', state: 'pending' },
      { region: 'ap-southeast-1', state: 'unknown', reason: 'silent for 9 s' },
    ]);
  });
  const answer = await post({ revision: REVISION_TEXT, timeoutMs: 30_000 });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({
    data: {
      regions: {
        'us-east-1': { state: 'applied', afterMs: 12 },
        'eu-west-1': { state: 'pending' },
        'ap-southeast-1': { state: 'unknown', reason: 'silent for 9 s' },
      },
    },
  });
  await post({ revision: REVISION_TEXT });
  await post({ revision: REVISION_TEXT, timeoutMs: 0 });
  expect(asked).toEqual([
    [REVISION, 'all', 30_000],
    [REVISION, 'all', 2000],
    [REVISION, 'all', 0],
  ]);
});

test.each([
  [{}, 'body.revision'],
  [{ revision: 'latest' }, 'body.revision'],
  [{ revision: '1.abcd1234' }, 'body.revision'],
  [{ revision: REVISION_TEXT, timeoutMs: 30_001 }, 'body.timeoutMs'],
  [{ revision: REVISION_TEXT, timeoutMs: -1 }, 'body.timeoutMs'],
  [{ revision: REVISION_TEXT, region: 'x' }, 'body.region'],
])('%j: 400', async (payload, location) => {
  const answer = await start(() => Promise.resolve([]))(payload);
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ error: { errors: [{ location }] } });
});

test('needs a root key', async () => {
  const post = start(() => Promise.resolve([]));
  expect((await post({ revision: REVISION_TEXT }, {})).statusCode).toBe(400);
  expect((await post({ revision: REVISION_TEXT }, { authorization: 'Bearer unknown' })).statusCode).toBe(401);
});

test('503 where the database of the reports is down', async () => {
  const post = start(() => Promise.reject(new Problem('database_unavailable', 'down', { retryAfterS: 1 })));
  const answer = await post({ revision: REVISION_TEXT });
  expect(answer.statusCode).toBe(503);
  expect(answer.headers['retry-after']).toBe('1');
});
