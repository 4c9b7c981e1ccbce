import { describe, expect, test } from 'vitest';
import type { Answer } from '../../answer.ts';
import type { TargetOf } from '../../target.ts';
import { limitOf, WINDOW_MS } from '../expected.ts';

export function badRequestCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 400', () => {
    test('to a body that is out of bounds, naming field, bound and fix', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      const wrong: readonly (readonly [location: string, body: unknown])[] = [
        ['body.key', {}],
        ['body.key', { key: '' }],
        ['body.key', { key: 'x'.repeat(513) }],
        ['body.key', { key: 1 }],
        ['body.apiId', { key, apiId: 'api_1' }],
        ['body.tags', { key, tags: Array.from({ length: 21 }, () => 'tag') }],
        ['body.tags[0]', { key, tags: [''] }],
        ['body.tags[0]', { key, tags: ['x'.repeat(513)] }],
        ['body.permissions', { key, permissions: '' }],
        ['body.permissions', { key, permissions: 'x'.repeat(1001) }],
        ['body.migrationId', { key, migrationId: 'x'.repeat(257) }],
        ['body.credits.cost', { key, credits: {} }],
        ['body.credits.cost', { key, credits: { cost: -1 } }],
        ['body.credits.cost', { key, credits: { cost: 0.5 } }],
        ['body.credits.cost', { key, credits: { cost: 1e12 + 1 } }],
        ['body.ratelimits[0].name', { key, ratelimits: [{}] }],
        ['body.ratelimits[0].name', { key, ratelimits: [{ name: 'ab' }] }],
        ['body.ratelimits[0].name', { key, ratelimits: [{ name: 'x'.repeat(256) }] }],
        ['body.ratelimits[0].cost', { key, ratelimits: [{ name: 'abc', cost: -1 }] }],
      ];
      for (const [location, body] of wrong) {
        const answer = await workspace.call('keys.verifyKey', body);
        expect([body, answer.status]).toEqual([body, 400]);
        expectInvalid(answer, location);
      }
    });

    test('to a limit that cannot be honoured, never a silent pass', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey({ ratelimits: [limitOf('stored', 5)] });
      const wrong = [
        { name: 'ad-hoc', limit: 5 },
        { name: 'ad-hoc', duration: WINDOW_MS },
        { name: 'ad-hoc', limit: 5, duration: 0 },
        { name: 'ad-hoc', limit: 5, duration: 999 },
        { name: 'stored', limit: 5 },
      ];
      for (const limit of wrong) {
        const answer = await workspace.call('keys.verifyKey', { key, ratelimits: [limit] });
        expect([limit, answer.status]).toEqual([limit, 400]);
        expect(answer.error.errors?.[0]?.location).toMatch(/^body\.ratelimits\[0\]/);
      }
    });

    test('to a permission query that cannot be read, with the position', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      const wrong: readonly (readonly [query: string, position: number])[] = [
        ['docs.read AND', 13],
        ['docs.read docs.write', 10],
        ['(docs.read', 10],
        ['docs.read)', 9],
        ['docs#read', 4],
        ['AND', 0],
      ];
      for (const [permissions, position] of wrong) {
        const answer = await workspace.call('keys.verifyKey', { key, permissions });
        expect([permissions, answer.status]).toEqual([permissions, 400]);
        expect(answer.error.type).toMatch(/application\/permissions_query_syntax_error$/);
        expect(`${answer.error.detail} ${JSON.stringify(answer.error.errors)}`).toContain(
          `position ${position}`,
        );
      }
    });

    test('to such a query even where the key is disabled or has expired, and never where it is unknown', async () => {
      const workspace = await target().workspace();
      const keys = await Promise.all([
        workspace.createKey({ enabled: false }),
        workspace.createKey({ expires: 1 }),
      ]);
      for (const { key } of keys) {
        const answer = await workspace.call('keys.verifyKey', { key, permissions: 'a AND' });
        expect(answer.status).toBe(400);
      }
      expect(await workspace.verify({ key: 'unknown' }, { permissions: 'a AND' })).toEqual({
        valid: false,
        code: 'NOT_FOUND',
      });
    });

    test('to a body that is no JSON object, before it asks who calls', async () => {
      const workspace = await target().workspace();
      for (const body of ['', '{', '[]', 'null', '"text"', '1']) {
        const answer = await workspace.call('keys.verifyKey', body, { rootKey: null });
        expect([body, answer.status, answer.error.type]).toEqual([
          body,
          400,
          expect.stringMatching(/application\/invalid_input$/),
        ]);
      }
    });

    test('to a bad body before it asks who calls, and without a bearer to a good one', async () => {
      const workspace = await target().workspace();
      const bad = await workspace.call('keys.verifyKey', {}, { rootKey: 'kh_root_none' });
      expect([bad.status, bad.error.errors?.[0]?.location]).toEqual([400, 'body.key']);
      const missing = await workspace.call('keys.verifyKey', { key: 'x' }, { rootKey: null });
      expect([missing.status, missing.error.type]).toEqual([
        400,
        expect.stringMatching(/authentication\/missing$/),
      ]);
      const malformed = await workspace.call(
        'keys.verifyKey',
        { key: 'x' },
        {
          rootKey: null,
          headers: { authorization: 'Basic abc' },
        },
      );
      expect([malformed.status, malformed.error.type]).toEqual([
        400,
        expect.stringMatching(/authentication\/malformed$/),
      ]);
    });
  });
}

function expectInvalid({ error }: Answer, location: string): void {
  expect(error.type).toMatch(/application\/invalid_input$/);
  const { errors = [] } = error;
  expect(errors.map((one) => one.location)).toContain(location);
  for (const one of errors) expect(one.message).not.toBe('');
}
