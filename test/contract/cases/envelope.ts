import { describe, expect, test } from 'vitest';
import { CALLS, PLACEHOLDERS } from '../calls.ts';
import type { TargetOf } from '../target.ts';

/** The official client knows the errors of this call by this content type. */
const ALWAYS_PROBLEM = 'identities.deleteIdentity';

/** Their bodies are so large that none is read before its sender is known. */
const LARGE = new Set(['identities.createIdentity', 'identities.updateIdentity', 'keys.migrateKeys']);

/** What all calls have in common: bodies, content types, ids of requests, and the order in which a request is judged. */
export function envelopeCases(target: TargetOf): void {
  const verbs = [...new Set(CALLS.map(({ verb }) => verb))];

  describe.concurrent('every call', () => {
    test.for(verbs)('%s refuses a bad body before it asks who calls, with the fields', async (verb) => {
      const workspace = await target().workspace();
      const rootKey = LARGE.has(verb) ? workspace.rootKey : null;
      const bodies = verb === 'ratelimit.multiLimit' ? [[], {}] : [{ none: 1 }, []];
      for (const body of bodies) {
        const { status, error, headers, body: whole } = await workspace.call(verb, body, { rootKey });
        expect([verb, status]).toEqual([verb, 400]);
        expect(headers.get('content-type')).toBe(
          verb === ALWAYS_PROBLEM ? 'application/problem+json' : 'application/json',
        );
        expect(whole).toEqual({
          meta: { requestId: expect.stringMatching(/^req_[A-Za-z0-9]+$/) },
          error: {
            title: 'Bad Request',
            detail: expect.any(String),
            status: 400,
            type: expect.stringMatching(/^https:\/\/.+\/application\/invalid_input$/),
            errors: expect.any(Array),
          },
        });
        for (const one of error.errors ?? [])
          expect(one).toMatchObject({ location: expect.stringMatching(/^body/) });
      }
    });

    test.for(verbs)('%s asks who calls before it looks for anything', async (verb) => {
      const workspace = await target().workspace();
      const body = CALLS.find((one) => one.verb === verb)?.body(PLACEHOLDERS);
      const missing = await workspace.call(verb, body, { rootKey: null });
      expect([verb, missing.status, missing.error.errors]).toEqual([verb, 400, expect.any(Array)]);
      expect(missing.error.type).toMatch(/authentication\/missing$/);
      const unknown = await workspace.call(verb, body, { rootKey: 'none' });
      expect([verb, unknown.status]).toEqual([verb, 401]);
      expect(unknown.error.type).toMatch(/authentication\/key_not_found$/);
      expect(unknown.body).toEqual({
        meta: { requestId: expect.any(String) },
        error: { title: 'Unauthorized', detail: expect.any(String), status: 401, type: expect.any(String) },
      });
    });

    test('answers errors as problem+json where that is asked for', async () => {
      const workspace = await target().workspace();
      const headers = { accept: 'application/problem+json' };
      const answers = await Promise.all([
        workspace.call('keys.getKey', { keyId: 'key_none' }, { headers }),
        workspace.call('keys.getKey', {}, { headers }),
        workspace.call('keys.verifyKey', { key: 'x' }, { headers, rootKey: 'none' }),
      ]);
      expect(answers.map((answer) => answer.headers.get('content-type'))).toEqual(
        Array.from({ length: 3 }, () => 'application/problem+json'),
      );
    });

    test('gives each request an id of its own', async () => {
      const workspace = await target().workspace();
      const answers = await Promise.all(
        Array.from({ length: 8 }, async () => await workspace.call('keys.verifyKey', { key: 'x' })),
      );
      const ids = answers.map(({ body }) => (body['meta'] as { requestId: string }).requestId);
      expect(new Set(ids).size).toBe(8);
    });

    test('answers a write with its revision, and a read with none', async () => {
      const workspace = await target().workspace();
      const written = await workspace.call('apis.createApi', { name: 'written' });
      const read = await workspace.call('apis.getApi', { apiId: written.data['apiId'] });
      expect(written.headers.get('keyhearth-revision')).toMatch(/^\d+\.[0-9a-z]{8}\.\d+$/);
      expect(read.headers.get('keyhearth-revision')).toBeNull();
    });

    test('that writes is shown by every region, and revisions.wait says so', async () => {
      const workspace = await target().workspace();
      const { headers } = await workspace.call('apis.createApi', { name: 'written' });
      const revision = headers.get('keyhearth-revision');
      const data = await workspace.must('revisions.wait', { revision, timeoutMs: 10_000 });
      const regions = Object.values(data['regions'] ?? {});
      expect(regions.length).toBeGreaterThan(0);
      for (const region of regions) expect(region).toEqual({ state: 'applied', afterMs: expect.any(Number) });
      for (const wrong of [{ revision: 'none' }, { revision, timeoutMs: 30_001 }])
        expect((await workspace.call('revisions.wait', wrong)).status).toBe(400);
    });

    test('of another name is 404, whatever the method', async () => {
      const workspace = await target().workspace();
      const { status, error } = await workspace.call('keys.noSuchCall', {});
      expect([status, error.errors]).toEqual([404, undefined]);
      expect(error.type).toMatch(/application\/route_not_found$/);
    });

    test('refuses what is larger than its body may be', async () => {
      const workspace = await target().workspace();
      const { status, error } = await workspace.call('keys.verifyKey', { key: 'x'.repeat(128 * 1024) });
      expect([status, error.errors]).toEqual([413, undefined]);
    });
  });

  test('liveness is asked by GET, without a root key', async () => {
    const response = await fetch(`${target().urls.home}/v2/liveness`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ meta: { requestId: expect.stringMatching(/^req_/) } });
  });
}
