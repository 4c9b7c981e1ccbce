import { afterEach, expect, test } from 'vitest';
import { PEER_SECRET, testDeps } from '../../test/http/app-deps.ts';
import { buildApp } from '../app.ts';
import { Problem } from '../domain/problem.ts';
import { PEER_HEADER, sign } from '../peers/signature.ts';
import type { PeerEndpoint } from '../peers/types.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
});

function start(answer: PeerEndpoint['answer']) {
  const deps = testDeps({ peerEndpoint: { answer } });
  const app = buildApp(deps);
  open.push(app);
  return { app, deps };
}

interface Signed {
  readonly path?: string;
  readonly body?: string;
  readonly secret?: string;
  readonly to?: string;
  readonly timeMs?: number;
}

function signature({
  path = '/internal/state',
  body = '{}',
  secret = PEER_SECRET,
  to = 'us-east-1',
  timeMs,
}: Signed = {}) {
  const origin = { region: 'eu-west-1', clientAddress: 'none', requestId: 'none' };
  const stamp = { origin, to, timeMs: timeMs ?? Date.now(), nonce: crypto.randomUUID() };
  return { [PEER_HEADER]: sign(secret, { method: 'POST', path, body, headers: {} }, stamp) };
}

const JSON_TYPE = { 'content-type': 'application/json' };

test('a signed call is answered', async () => {
  const { app } = start((call, body) => Promise.resolve(JSON.stringify({ call, body })));
  const answer = await app.inject({
    method: 'POST',
    url: '/internal/state',
    headers: { ...signature(), ...JSON_TYPE },
    payload: '{}',
  });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({ call: 'state', body: '{}' });
});

test('whatever is not signed rightly looks like an unknown route, and is not looked into', async () => {
  const { app } = start(() => Promise.reject(new Error('must not be asked')));
  const unknown = await app.inject({ method: 'POST', url: '/nowhere', headers: JSON_TYPE, payload: '{}' });
  const variants = {
    unsigned: {},
    'another secret': signature({ secret: 'another secret of 32 characters..' }),
    'another path': signature({ path: '/internal/records' }),
    'another body': signature({ body: '{"a":1}' }),
    'another region': signature({ to: 'eu-west-1' }),
    expired: signature({ timeMs: Date.now() - 31_000 }),
    'from the future': signature({ timeMs: Date.now() + 31_000 }),
    nonsense: { [PEER_HEADER]: 'nonsense' },
  };
  for (const headers of Object.values(variants)) {
    const answer = await app.inject({
      method: 'POST',
      url: '/internal/state',
      headers: { ...headers, ...JSON_TYPE },
      payload: '{}',
    });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toHaveProperty('error', unknown.json<{ error: unknown }>().error);
  }
});

test('an unsigned request is turned away before its body is read', async () => {
  const { app } = start(() => Promise.resolve('{}'));
  const answer = await app.inject({
    method: 'POST',
    url: '/internal/state',
    headers: { 'content-type': 'application/octet-stream' },
    payload: Buffer.alloc(11 * 1024 * 1024),
  });
  expect(answer.statusCode).toBe(404);
});

test('calls that are not signed rightly do not flood the log', async () => {
  const { app, deps } = start(() => Promise.resolve('{}'));
  const headers = { [PEER_HEADER]: 'nonsense', ...JSON_TYPE };
  for (let request = 0; request < 20; request += 1) {
    await app.inject({ method: 'POST', url: '/internal/state', headers, payload: '{}' });
  }
  expect(deps.logged.length).toBeGreaterThan(0);
  expect(deps.logged.length).toBeLessThan(5);
});

test('a signature works once', async () => {
  const { app, deps } = start(() => Promise.resolve('{}'));
  const request = {
    method: 'POST',
    url: '/internal/state',
    headers: { ...signature(), ...JSON_TYPE },
    payload: '{}',
  } as const;
  expect((await app.inject(request)).statusCode).toBe(200);
  expect((await app.inject(request)).statusCode).toBe(404);
  expect(deps.logged.join('')).toContain('used before');
});

test('an unknown call is a 404, a refused body a 400, a failing dependency its own status', async () => {
  const answers: PeerEndpoint['answer'][] = [
    () => Promise.resolve(undefined),
    () => Promise.reject(new Problem('invalid_input', 'not readable')),
    () => Promise.reject(new Problem('database_unavailable', 'down')),
    () => Promise.reject(new Error('a fault')),
  ];
  const statuses = await Promise.all(
    answers.map(async (answer) => {
      const { app } = start(answer);
      const headers = { ...signature(), ...JSON_TYPE };
      return (await app.inject({ method: 'POST', url: '/internal/state', headers, payload: '{}' }))
        .statusCode;
    }),
  );
  expect(statuses).toEqual([404, 400, 503, 500]);
});
