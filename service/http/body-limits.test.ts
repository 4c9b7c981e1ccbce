import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { AUTHORIZED, testDeps } from '../../test/http/app-deps.ts';
import { makeVerifySide } from '../../test/verify-side.ts';
import { buildApp } from '../app.ts';
import { verifyKeyRoute } from './verify-key.ts';

let app: FastifyInstance;

beforeAll(async () => {
  const { authenticator, verifier } = makeVerifySide();
  app = buildApp(testDeps());
  await app.register(
    verifyKeyRoute({
      authenticator,
      admit: () => undefined,
      verifier,
      freshness: { waitFor: () => Promise.resolve(true) },
    }),
  );
});

afterAll(() => app.close());

async function post(url: string, payload: string, headers: Record<string, string> = {}) {
  return await app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...headers },
    payload,
  });
}

/** A text of that many bytes. */
const ofBytes = (count: number): string => `"${'x'.repeat(count - 2)}"`;

test.each([
  ['/v2/keys.verifyKey', 65_536],
  ['/v2/keys.createKey', 327_680],
  ['/v2/keys.updateKey', 327_680],
  ['/v2/keys.deleteKey', 65_536],
  ['/v2/keys.getKey', 65_536],
  ['/v2/keys.whoami', 65_536],
  ['/v2/apis.createApi', 65_536],
  ['/v2/apis.getApi', 65_536],
  ['/v2/revisions.wait', 65_536],
  ['/nowhere', 65_536],
])('%s reads %i bytes; one more is a 413 that names the limit', async (url, limit) => {
  expect((await post(url, ofBytes(limit))).statusCode).toBe(url === '/nowhere' ? 404 : 400);
  const refused = await post(url, ofBytes(limit + 1));
  expect(refused.statusCode).toBe(413);
  expect(refused.json()).toMatchObject({
    error: {
      status: 413,
      type: expect.stringMatching(/body_too_large$/),
      detail: expect.stringContaining(`${limit} bytes`),
    },
  });
  expect(refused.json()).not.toHaveProperty('error.errors');
});

test('the largest createKey that the bounds of its fields allow is read', async () => {
  const wide = (count: number): string => '\u{1F511}'.repeat(count);
  const body = {
    apiId: 'a'.repeat(255),
    name: wide(255),
    externalId: 'x'.repeat(255),
    meta: { text: 'x'.repeat(65_536 - '{"text":""}'.length) },
    roles: Array.from({ length: 100 }, () => wide(128)),
    permissions: Array.from({ length: 1000 }, () => 'p'.repeat(128)),
  };
  const ratelimits = Array.from({ length: 50 }, (_, n) => ({
    name: `${wide(62)}${String(n).padStart(4, '0')}`,
    limit: 1e12,
    duration: 2_592_000_000,
    autoApply: false,
  }));
  const answer = await post('/v2/keys.createKey', JSON.stringify({ ...body, ratelimits }), AUTHORIZED);
  expect(answer.statusCode).toBe(200);
});

test('a private call is read up to 2 MiB', async () => {
  const unread = await post('/internal/state', ofBytes(2 * 1024 * 1024 + 1), {
    'keyhearth-peer': 'nonsense',
  });
  expect(unread.statusCode).toBe(413);
  const read = await post('/internal/state', ofBytes(2 * 1024 * 1024), { 'keyhearth-peer': 'nonsense' });
  expect(read.statusCode).toBe(404);
});
