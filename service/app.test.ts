import { once } from 'node:events';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { AUTHORIZED, fakeManage, type ManageCall, ROOT_KEY, testDeps } from '../test/http/app-deps.ts';
import { buildApp } from './app.ts';
import { Problem } from './domain/problem.ts';
import type { HttpDeps } from './http/deps.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
});

function start(overrides: Partial<HttpDeps> = {}) {
  const deps = testDeps(overrides);
  const app = buildApp(deps);
  open.push(app);
  return { app, deps };
}

const CREATE_API = { method: 'POST', url: '/v2/apis.createApi' } as const;

test('a success is the envelope of request id and data', async () => {
  const { app } = start();
  const answer = await app.inject({ ...CREATE_API, headers: AUTHORIZED, payload: { name: 'payments' } });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toBe('application/json');
  expect(answer.json()).toEqual({
    meta: { requestId: expect.stringMatching(/^req_\w+$/) },
    data: { apiId: 'api_1' },
  });
});

test('request ids differ', async () => {
  const { app } = start();
  const ids = await Promise.all(
    Array.from(
      { length: 20 },
      async () => (await app.inject('/v2/liveness')).json<{ meta: { requestId: string } }>().meta.requestId,
    ),
  );
  expect(new Set(ids).size).toBe(20);
});

test.each([
  ['GET', '/'],
  ['GET', '/v2/keys.createKey'],
  ['POST', '/v2/keys.unknown'],
  ['DELETE', '/v2/keys.createKey'],
  ['POST', '/internal/state'],
  ['GET', '/%c0%af'],
] as const)('%s %s is an unknown route', async (method, url) => {
  const { app } = start();
  const answer = await app.inject({ method, url });
  expect(answer.statusCode).toBe(404);
  expect(answer.json()).toEqual({
    meta: { requestId: expect.stringMatching(/^req_/) },
    error: {
      title: 'Not Found',
      detail: expect.any(String),
      status: 404,
      type: expect.stringMatching(/^https:.*\/application\/route_not_found$/),
    },
  });
});

test.each([
  ['malformed JSON', 'application/json', '{"name":', 'body'],
  ['an empty body', 'application/json', '', 'body'],
  ['a poisoned body', 'application/json', '{"__proto__":{"x":1},"name":"payments"}', 'body'],
  ['another content type', 'text/plain', '{"name":"payments"}', 'header.content-type'],
  ['a form', 'application/x-www-form-urlencoded', 'name=payments', 'header.content-type'],
  ['an array', 'application/json', '[]', 'body'],
  ['null', 'application/json', 'null', 'body'],
  ['a text', 'application/json', '"payments"', 'body'],
])('%s is a 400 that says where', async (_what, contentType, payload, location) => {
  const { app } = start();
  const answer = await app.inject({
    ...CREATE_API,
    headers: { ...AUTHORIZED, 'content-type': contentType },
    payload,
  });
  expect(answer.statusCode).toBe(400);
  const { error } = answer.json<{ error: { type: string; errors: unknown[] } }>();
  expect(error.type).toMatch(/\/application\/invalid_input$/);
  expect(error.errors).toEqual([{ location, message: expect.any(String), fix: expect.any(String) }]);
});

test('no body at all is a 400', async () => {
  const { app } = start();
  const answer = await app.inject({ ...CREATE_API, headers: AUTHORIZED });
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ error: { errors: [{ location: 'body' }] } });
});

test('a JSON content type with a charset is JSON', async () => {
  const { app } = start();
  const answer = await app.inject({
    ...CREATE_API,
    headers: { ...AUTHORIZED, 'content-type': 'application/json; charset=utf-8' },
    payload: '{"name":"payments"}',
  });
  expect(answer.statusCode).toBe(200);
});

test('problem+json where Accept asks for it', async () => {
  const { app } = start();
  const answer = await app.inject({ url: '/nowhere', headers: { accept: 'application/problem+json' } });
  expect(answer.headers['content-type']).toBe('application/problem+json');
  const plain = await app.inject({ url: '/nowhere', headers: { accept: '*/*' } });
  expect(plain.headers['content-type']).toBe('application/json');
});

test('a fault of ours is a bare 500, and a log line that knows the request', async () => {
  const { app, deps } = start({
    manage: fakeManage([], { createApi: () => Promise.reject(new TypeError('the secret inside')) }),
  });
  const answer = await app.inject({ ...CREATE_API, headers: AUTHORIZED, payload: { name: 'payments' } });
  expect(answer.statusCode).toBe(500);
  expect(answer.body).not.toContain('inside');
  expect(answer.json()).not.toHaveProperty('error.errors');
  const { requestId } = answer.json<{ meta: { requestId: string } }>().meta;
  expect(deps.logged.map((line): unknown => JSON.parse(line))).toContainEqual(
    expect.objectContaining({
      level: 50,
      requestId,
      route: '/v2/apis.createApi',
      fault: expect.objectContaining({ type: 'TypeError', message: 'the secret inside' }),
    }),
  );
});

test('something thrown that is no error is a 500 too', async () => {
  const { app } = start({
    readiness: () => {
      // oxlint-disable-next-line typescript/only-throw-error -- what a careless library might do
      throw 'a text';
    },
  });
  expect((await app.inject('/readyz')).statusCode).toBe(500);
});

test("a dependency's failure is logged and carries Retry-After", async () => {
  const { app, deps } = start({
    authenticate: () => {
      throw new Problem('database_unavailable', 'The database does not answer.', {
        retryAfterS: 2,
        cause: new Error('connection refused'),
      });
    },
  });
  const answer = await app.inject({ ...CREATE_API, headers: AUTHORIZED, payload: { name: 'payments' } });
  expect(answer.statusCode).toBe(503);
  expect(answer.headers['retry-after']).toBe('2');
  expect(deps.logged.join('')).toContain('connection refused');
});

test('a dependency that fails for every request does not flood the log', async () => {
  const { app, deps } = start({
    authenticate: () => {
      throw new Problem('too_stale', 'Too far behind.', { retryAfterS: 1 });
    },
  });
  for (let request = 0; request < 20; request += 1) {
    const answer = await app.inject({ ...CREATE_API, headers: AUTHORIZED, payload: { name: 'payments' } });
    expect(answer.statusCode).toBe(503);
  }
  expect(deps.logged.length).toBeLessThan(5);
});

test('logs hold no root key, no key text and no body', async () => {
  const { app, deps } = start({
    manage: fakeManage([], { whoami: () => Promise.reject(new Error('broken')) }),
  });
  const payload = { key: 'kh_presented_key_text' };
  await app.inject({ method: 'POST', url: '/v2/keys.whoami', headers: AUTHORIZED, payload });
  await app.inject({
    method: 'POST',
    url: '/v2/keys.whoami',
    headers: AUTHORIZED,
    payload: '{"key":"kh_presented',
  });
  await app.inject({ method: 'POST', url: `/v2/nowhere?key=${payload.key}`, headers: AUTHORIZED, payload });
  expect(deps.logged.length).toBeGreaterThan(0);
  expect(deps.logged.join('')).not.toContain(ROOT_KEY);
  expect(deps.logged.join('')).not.toContain('presented');
});

async function addressSeen(overrides: Partial<HttpDeps>, remoteAddress: string, forwarded: string) {
  const calls: ManageCall[] = [];
  const { app } = start({ ...overrides, manage: fakeManage(calls) });
  await app.inject({
    ...CREATE_API,
    remoteAddress,
    headers: { ...AUTHORIZED, 'x-forwarded-for': forwarded },
    payload: { name: 'payments' },
  });
  const [call] = calls;
  return call !== undefined && 'clientAddress' in call.caller ? call.caller.clientAddress : undefined;
}

test('X-Forwarded-For is believed only behind configured proxies', async () => {
  const behind = { trustedProxies: ['10.0.0.0/8'] };
  expect(await addressSeen({}, '10.1.2.3', '203.0.113.7')).toBe('10.1.2.3');
  expect(await addressSeen(behind, '198.51.100.1', '203.0.113.7')).toBe('198.51.100.1');
  expect(await addressSeen(behind, '10.1.2.3', '203.0.113.7')).toBe('203.0.113.7');
  expect(await addressSeen(behind, '10.1.2.3', '1.1.1.1, 203.0.113.7, 10.9.9.9')).toBe('203.0.113.7');
  expect(await addressSeen(behind, '10.1.2.3', '203.0.113.7:4711')).toBe('203.0.113.7');
  expect(await addressSeen(behind, '10.1.2.3', '[2001:db8::1]:4711')).toBe('2001:db8::1');
  expect(await addressSeen(behind, '10.1.2.3', 'nonsense here')).toBe('10.1.2.3');
});

test('answers close their connection once the task is stopping', async () => {
  let closing = false;
  const { app } = start({ closing: () => closing });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const before = await fetch(`${url}/livez`);
  expect(before.headers.get('connection')).toBe('keep-alive');
  closing = true;
  const after = await fetch(`${url}/livez`);
  expect(after.headers.get('connection')).toBe('close');
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
});

test('a management call under way when the task is told to stop closes its connection too', async () => {
  let closing = false;
  const { app } = start({
    closing: () => closing,
    waitForRevision: () => {
      closing = true;
      return Promise.resolve(true);
    },
  });
  const answer = await app.inject({ ...CREATE_API, headers: AUTHORIZED, payload: { name: 'payments' } });
  expect(answer.headers.connection).toBe('close');
});

async function sendRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(text);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return app.addresses().map((address) => (typeof address === 'string' ? 0 : address.port))[0] ?? 0;
}

test('what is no HTTP, or has headers without end, is answered in the envelope', async () => {
  const { app } = start();
  const port = await listen(app);
  const garbage = await sendRaw(port, 'hello there\r\n\r\n');
  expect(garbage).toMatch(/^HTTP\/1\.1 400 .*application\/invalid_input","errors":\[\]/s);
  const huge = await sendRaw(port, `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`);
  expect(huge).toMatch(/^HTTP\/1\.1 431 .*application\/headers_too_large"/s);
  expect(huge).not.toContain('"errors"');
});

const LIVENESS = 'GET /v2/liveness HTTP/1.1\r\nhost: x\r\n\r\n';

test('a broken request behind others on its connection leaves their answers whole, and gets none', async () => {
  const { app } = start({
    metrics: async () => {
      // Longer than it takes to read what is broken, which arrives with this request.
      await new Promise((resolve) => setImmediate(resolve));
      return { contentType: 'text/plain', body: 'up 1\n' };
    },
  });
  const metrics = 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n';
  const answers = await sendRaw(await listen(app), `${metrics}${LIVENESS}${metrics}hello there\r\n\r\n`);
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(Array.from({ length: 3 }, () => 'HTTP/1.1 200'));
  expect(answers).toMatch(/^HTTP.*up 1\nHTTP.*"OK"\}\}HTTP.*up 1\n$/s);
});

test('a broken request after an answered one is answered itself', async () => {
  const { app } = start();
  const socket = connect(await listen(app), '127.0.0.1');
  let answers = '';
  socket.on('data', (chunk: Buffer) => (answers += chunk.toString()));
  socket.write(LIVENESS);
  await once(socket, 'data');
  socket.write('hello there\r\n\r\n');
  await once(socket, 'close');
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
});

test('a body that breaks off is answered, and ends its connection', async () => {
  const { app } = start();
  const head = 'POST /v2/apis.getApi HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  const answer = await sendRaw(await listen(app), `${head}transfer-encoding: chunked\r\n\r\nnonsense\r\n`);
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
});

test('timeouts are set, and idle connections outlive those of load balancers', () => {
  const { app } = start();
  expect(app.server.requestTimeout).toBeGreaterThan(0);
  expect(app.server.keepAliveTimeout).toBeGreaterThan(60_000);
  // Longer than the longest wait that a call allows.
  expect(app.server.timeout).toBeGreaterThan(50_000);
});
