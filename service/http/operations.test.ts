import { afterEach, expect, test } from 'vitest';
import { testDeps } from '../../test/http/app-deps.ts';
import { buildApp } from '../app.ts';
import type { HttpDeps } from './deps.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
});

function start(overrides: Partial<HttpDeps> = {}) {
  const app = buildApp(testDeps(overrides));
  open.push(app);
  return app;
}

test('liveness and livez answer whatever the state', async () => {
  const app = start({ readiness: () => ({ ready: false, reasons: ['no reader'] }), closing: () => true });
  const liveness = await app.inject('/v2/liveness');
  expect(liveness.statusCode).toBe(200);
  expect(liveness.json()).toMatchObject({ meta: { requestId: expect.any(String) }, data: { message: 'OK' } });
  expect((await app.inject('/livez')).statusCode).toBe(200);
});

test('readyz: 200 when ready, 503 with the reasons when not', async () => {
  const ready = await start({
    readiness: () => ({ ready: true, reasons: [], checks: { stalenessMs: 120 } }),
  }).inject('/readyz');
  expect(ready.statusCode).toBe(200);
  expect(ready.json()).toEqual({ ready: true, reasons: [], checks: { stalenessMs: 120 } });
  const waiting = await start({
    readiness: () => ({ ready: false, reasons: ['the first poll has not ended'] }),
  }).inject('/readyz');
  expect(waiting.statusCode).toBe(503);
  expect(waiting.json()).toEqual({ ready: false, reasons: ['the first poll has not ended'] });
});

test('readyz: 503 once the task is stopping', async () => {
  const answer = await start({ closing: () => true }).inject('/readyz');
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toEqual({ ready: false, reasons: ['the task is stopping'] });
});

test('metrics are handed out as they come', async () => {
  const answer = await start().inject('/metrics');
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4');
  expect(answer.body).toBe('up 1\n');
});

test('metrics that fail are a 500', async () => {
  const app = start({ metrics: () => Promise.reject(new Error('a collector failed')) });
  expect((await app.inject('/metrics')).statusCode).toBe(500);
});
