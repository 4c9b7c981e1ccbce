import { afterEach, beforeEach, expect, test } from 'vitest';
import { startVerifyApp, type VerifyApp } from '../../test/http/verify-app.ts';
import { buildKeyRow } from '../../test/records.ts';
import { KEY, OTHER_KEY, ROOT_KEY } from '../../test/verify-side.ts';
import { hashKey } from '../domain/key-text.ts';
import type { StoredRateLimit } from '../domain/records.ts';

let running: VerifyApp;

beforeEach(async () => {
  running = await startVerifyApp();
});

afterEach(async () => await running.app.close());

function limit(name: string, change: Partial<StoredRateLimit> = {}): StoredRateLimit {
  return { id: `rl_${name}`, name, limit: 2, durationMs: 60_000, autoApply: true, ...change };
}

function givenIdentity(ratelimits: readonly StoredRateLimit[]): void {
  running.side.source.put({ kind: 'identity', id: 'id_1', externalId: 'user', meta: null, ratelimits });
}

async function code(more: object = {}, key = KEY): Promise<unknown> {
  const { data, error } = await running.verify({ key, ...more });
  return (data as { code: string } | undefined)?.code ?? error;
}

test('limits that apply by themselves are counted and shown; others only where they are named', async () => {
  running.given({ ratelimits: [limit('calls'), limit('other', { autoApply: false })] });
  const nowMs = running.side.clock.nowMs();
  expect((await running.verify()).data).toMatchObject({
    code: 'VALID',
    ratelimits: [
      {
        id: 'rl_calls',
        name: 'calls',
        limit: 2,
        duration: 60_000,
        reset: nowMs - (nowMs % 60_000) + 60_000,
        remaining: 1,
        exceeded: false,
        autoApply: true,
      },
    ],
  });
  const named = await running.verify({ key: KEY, ratelimits: [{ name: 'other', cost: 2 }] });
  expect(named.data).toMatchObject({
    code: 'VALID',
    ratelimits: [
      { id: 'rl_calls', remaining: 0 },
      { id: 'rl_other', remaining: 0, autoApply: false },
    ],
  });
  expect(await code()).toBe('RATE_LIMITED');
});

test('RATE_LIMITED says which limit it was, spends no other, and passes in the next window', async () => {
  running.given({ ratelimits: [limit('large', { limit: 10 }), limit('small', { limit: 1 })] });
  expect(await code()).toBe('VALID');
  for (let turn = 0; turn < 3; turn += 1) {
    expect((await running.verify()).data).toMatchObject({
      valid: false,
      code: 'RATE_LIMITED',
      ratelimits: [
        { name: 'large', exceeded: false, remaining: 9 },
        { name: 'small', exceeded: true, remaining: 0 },
      ],
    });
  }
  running.side.clock.advance(60_000);
  expect(await code()).toBe('VALID');
});

test.each([
  ['DISABLED', { enabled: false }, {}],
  ['EXPIRED', { expiresAtMs: 1 }, {}],
  ['INSUFFICIENT_PERMISSIONS', {}, { permissions: 'docs.read' }],
] as const)('%s comes before the limits: none is looked at', async (verdict, row, more) => {
  running.given({ ...row, ratelimits: [limit('calls')] });
  const { data } = await running.verify({ key: KEY, ...more, ratelimits: [{ name: 'unknown' }] });
  expect(data).toMatchObject({ code: verdict });
  expect(data).not.toHaveProperty('ratelimits');
  expect(running.side.limiter.size).toBe(0);
});

test('keys of an identity share its limits; a key’s own limit hides the one of that name', async () => {
  givenIdentity([limit('shared', { limit: 1 })]);
  running.given({ identityId: 'id_1' });
  const sibling = (row: object) =>
    running.side.source.putKey(buildKeyRow(hashKey(OTHER_KEY), { identityId: 'id_1', ...row }));
  sibling({});
  expect([await code(), await code({}, OTHER_KEY)]).toEqual(['VALID', 'RATE_LIMITED']);
  sibling({ ratelimits: [limit('shared', { id: 'rl_own' })] });
  const hash = hashKey(OTHER_KEY);
  running.side.cache.onChanges([{ seq: 1n, xid: 1n, kind: 'key', id: `key_${hash}`, hash }]);
  const own = await running.verify({ key: OTHER_KEY, ratelimits: [{ name: 'shared' }] });
  expect(own.data).toMatchObject({ code: 'VALID', ratelimits: [{ id: 'rl_own', remaining: 1 }] });
});

test('limit and duration together are a limit of this key alone, in place of a stored one of that name', async () => {
  running.given({ ratelimits: [limit('calls', { limit: 1 })] });
  running.side.source.putKey(buildKeyRow(hashKey(OTHER_KEY)));
  const brought = { ratelimits: [{ name: 'calls', limit: 3, duration: 1000, cost: 3 }] };
  expect((await running.verify({ key: KEY, ...brought })).data).toMatchObject({
    code: 'VALID',
    ratelimits: [{ id: '', name: 'calls', limit: 3, duration: 1000, remaining: 0, autoApply: false }],
  });
  expect(await code(brought)).toBe('RATE_LIMITED');
  expect(await code(brought, OTHER_KEY)).toBe('VALID');
  expect(await code()).toBe('VALID');
});

test('cost 0 only looks, and a limit of 0 blocks even that', async () => {
  running.given({ ratelimits: [limit('calls', { limit: 1 })] });
  expect(await code()).toBe('VALID');
  expect(await code({ ratelimits: [{ name: 'calls', cost: 0 }] })).toBe('VALID');
  const blocked = {
    ratelimits: [
      { name: 'none', limit: 0, duration: 1000, cost: 0 },
      { name: 'calls', cost: 0 },
    ],
  };
  expect(await code(blocked)).toBe('RATE_LIMITED');
});

test('a name that nobody has is 412 and named, for a key that would pass; of an unknown key nothing is said', async () => {
  const body = { key: KEY, ratelimits: [{ name: 'nobody' }] };
  expect(await running.verify(body)).toMatchObject({
    status: 412,
    error: {
      type: expect.stringMatching(/data\/rate_limit_not_found$/),
      detail: expect.stringContaining('"nobody"'),
    },
  });
  expect((await running.verify({ ...body, key: OTHER_KEY })).data).toEqual({
    valid: false,
    code: 'NOT_FOUND',
  });
});

test.each([
  [{ name: 'ab' }, 'body.ratelimits[0].name', 'at least 3'],
  [{ name: 'x'.repeat(256) }, 'body.ratelimits[0].name', 'at most 255'],
  [{ name: 'abc', cost: -1 }, 'body.ratelimits[0].cost', '0 or more'],
  [{ name: 'abc', cost: 1e12 + 1 }, 'body.ratelimits[0].cost', '1000000000000 or less'],
  [{ name: 'abc', limit: -1, duration: 1000 }, 'body.ratelimits[0].limit', '0 or more'],
  [{ name: 'abc', limit: 1e13, duration: 1000 }, 'body.ratelimits[0].limit', 'or less'],
  [{ name: 'abc', limit: 1, duration: 999 }, 'body.ratelimits[0].duration', '1000 or more'],
  [{ name: 'abc', limit: 1, duration: 2_592_000_001 }, 'body.ratelimits[0].duration', '2592000000 or less'],
  [{ name: 'abc', limit: 1 }, 'body.ratelimits[0].duration', 'required with "limit"'],
  [{ name: 'abc', duration: 1000 }, 'body.ratelimits[0].limit', 'required with "duration"'],
])('%j is 400, whatever the key: it names field, bound and fix', async (wanted, location, message) => {
  for (const key of [KEY, OTHER_KEY]) {
    const { status, error } = await running.verify({ key, ratelimits: [wanted] });
    expect(status).toBe(400);
    expect(error).toMatchObject({
      errors: [{ location, message: expect.stringContaining(message), fix: expect.stringMatching(/./) }],
    });
  }
});

test('the same name twice is 400, and so is a wrong limit without any bearer', async () => {
  const twice = { key: KEY, ratelimits: [{ name: 'abc' }, { name: 'abc', cost: 2 }] };
  for (const headers of [{}, { authorization: '' }]) {
    expect(await running.verify(twice, headers)).toMatchObject({
      status: 400,
      error: { errors: [{ location: 'body.ratelimits[1].name' }] },
    });
  }
});

test('hot, with limits that apply by themselves, nothing is read and no promise is made', async () => {
  givenIdentity([limit('shared', { limit: 1000 })]);
  running.given({ identityId: 'id_1', ratelimits: [limit('calls', { limit: 1000 })] });
  expect(await code()).toBe('VALID');
  const { side } = running;
  side.source.asked.length = 0;
  const principal = side.authenticator.authenticate(ROOT_KEY);
  if (principal instanceof Promise) throw new Error('authentication waited');
  const request = { key: KEY, permissions: undefined, clientAddress: () => '192.0.2.1' };
  expect(side.verifier.verify(principal, request)).toMatchObject({
    code: 'VALID',
    states: [{ remaining: 998 }, { remaining: 998 }],
  });
  expect([side.source.asked, side.ledger.drawn]).toEqual([[], []]);
});
