import { afterEach, beforeEach, expect, test } from 'vitest';
import { startVerifyApp, type VerifyApp } from '../../test/http/verify-app.ts';
import { buildKeyRow } from '../../test/records.ts';
import { KEY, OTHER_KEY } from '../../test/verify-side.ts';
import { hashKey } from '../domain/key-text.ts';
import type { StoredRateLimit } from '../domain/records.ts';

/** Limits that the tasks of a region count together. */
let running: VerifyApp;

beforeEach(async () => {
  running = await startVerifyApp();
});

afterEach(async () => await running.app.close());

function limit(name: string, change: Partial<StoredRateLimit> = {}): StoredRateLimit {
  return { id: `rl_${name}`, name, limit: 2, durationMs: 60_000, autoApply: true, ...change };
}

const exact = (name: string, change: Partial<StoredRateLimit> = {}): StoredRateLimit =>
  limit(name, { exact: 'local', ...change });

async function verify(more: object = {}, key = KEY): Promise<object | undefined> {
  const { data, error } = await running.verify({ key, ...more });
  return data ?? error;
}

test('an exact limit is asked of the shared counter, with all that the call asks, and is answered as any other', async () => {
  running.given({ ratelimits: [exact('calls'), limit('others')] });
  const { side } = running;
  const reset = side.clock.nowMs() - (side.clock.nowMs() % 60_000) + 60_000;
  const shown = { limit: 2, duration: 60_000, reset, remaining: 1, exceeded: false, autoApply: true };
  expect(await verify()).toMatchObject({ code: 'VALID' });
  expect(await verify({ ratelimits: [{ name: 'calls', cost: 0 }] })).toHaveProperty('ratelimits', [
    { id: 'rl_others', name: 'others', ...shown, remaining: 0 },
    { id: 'rl_calls', name: 'calls', ...shown },
  ]);
  expect(
    side.exactLimiter.asked.map((asks) => asks.map((ask) => [ask.counter, ask.cost, ask.exact])),
  ).toEqual([
    [
      ['rl_calls', 1, 'local'],
      ['rl_others', 1, undefined],
    ],
    [
      ['rl_others', 1, undefined],
      ['rl_calls', 0, 'local'],
    ],
  ]);
});

test('where no limit that applies is exact, the shared counter isn’t asked', async () => {
  running.given({ ratelimits: [exact('named', { autoApply: false }), limit('calls')] });
  const brought = { ratelimits: [{ name: 'named', limit: 1, duration: 1000 }] };
  expect([await verify(), await verify(brought)]).toMatchObject([{ code: 'VALID' }, { code: 'VALID' }]);
  expect(running.side.exactLimiter.asked).toEqual([]);
  expect(await verify({ ratelimits: [{ name: 'named', cost: 0 }] })).toMatchObject({ code: 'RATE_LIMITED' });
  expect(running.side.exactLimiter.asked).toHaveLength(1);
});

test('RATE_LIMITED says which limit it was, and spends no other', async () => {
  running.given({ ratelimits: [limit('large', { limit: 10 }), exact('small', { limit: 1 })] });
  expect(await verify()).toMatchObject({ code: 'VALID' });
  for (let turn = 0; turn < 3; turn += 1) {
    expect(await verify()).toMatchObject({
      valid: false,
      code: 'RATE_LIMITED',
      ratelimits: [
        { name: 'large', exceeded: false, remaining: 9 },
        { name: 'small', exceeded: true, remaining: 0 },
      ],
    });
  }
});

test('keys of an identity share its exact limit', async () => {
  running.side.source.put({
    kind: 'identity',
    id: 'id_1',
    externalId: 'user',
    meta: null,
    ratelimits: [exact('shared', { limit: 1 })],
  });
  running.given({ identityId: 'id_1' });
  running.side.source.putKey(buildKeyRow(hashKey(OTHER_KEY), { identityId: 'id_1' }));
  expect([await verify(), await verify({}, OTHER_KEY)]).toMatchObject([
    { code: 'VALID' },
    { code: 'RATE_LIMITED' },
  ]);
});

test('while the shared counter can’t be asked, a limit denies where it says so, and else counts on', async () => {
  running.given({ ratelimits: [exact('calls')] });
  running.side.source.putKey(
    buildKeyRow(hashKey(OTHER_KEY), { ratelimits: [limit('others'), exact('strict', { exact: 'deny' })] }),
  );
  running.side.exactLimiter.available = false;
  expect(await verify()).toMatchObject({ code: 'VALID', ratelimits: [{ remaining: 1 }] });
  expect(await verify({}, OTHER_KEY)).toMatchObject({
    code: 'RATE_LIMITED',
    ratelimits: [
      { name: 'others', exceeded: false, remaining: 2 },
      { name: 'strict', exceeded: true },
    ],
  });
  running.side.exactLimiter.available = true;
  expect(await verify({}, OTHER_KEY)).toMatchObject({ code: 'VALID' });
});

test('a call that can’t pay gives the limits back, and says what they are then', async () => {
  running.given({ ratelimits: [exact('calls'), limit('others')], creditAccountId: 'ca_1' });
  running.side.source.put({ kind: 'credits', id: 'ca_1', generation: 1, free: 0 });
  for (let turn = 0; turn < 3; turn += 1) {
    expect(await verify()).toMatchObject({
      code: 'USAGE_EXCEEDED',
      credits: 0,
      ratelimits: [{ remaining: 2 }, { remaining: 2 }],
    });
  }
  expect(await verify({ credits: { cost: 0 } })).toMatchObject({
    code: 'VALID',
    ratelimits: [{ remaining: 1 }, { remaining: 1 }],
  });
});

test('limits are given back where the credits can’t be asked for', async () => {
  // Its account isn't there.
  running.given({ ratelimits: [exact('calls')], creditAccountId: 'ca_1' });
  for (let turn = 0; turn < 3; turn += 1) {
    const answer = await running.verify();
    expect(answer).toMatchObject({
      status: 503,
      error: { type: expect.stringMatching(/availability\/credits_unavailable$/) },
    });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  }
  expect(await verify({ credits: { cost: 0 } })).toMatchObject({ ratelimits: [{ remaining: 1 }] });
});
