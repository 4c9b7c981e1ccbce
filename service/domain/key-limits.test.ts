import { expect, test } from 'vitest';
import { buildKeyRow } from '../../test/records.ts';
import { autoLimitsOf, limitsOf } from './key-limits.ts';
import type { IdentityObject, StoredRateLimit } from './records.ts';

function limit(id: string, name: string, autoApply = true): StoredRateLimit {
  return { id, name, limit: 1, durationMs: 1000, autoApply };
}

const IDENTITY: IdentityObject = {
  kind: 'identity',
  id: 'id_1',
  externalId: 'user',
  meta: null,
  ratelimits: [limit('rl_1', 'calls'), limit('rl_2', 'named', false), limit('rl_3', 'bytes')],
};

test('keys without limits of their own share those of their identity', () => {
  const limits = autoLimitsOf(buildKeyRow('aa'), IDENTITY);
  expect(limits.map(({ id }) => id)).toEqual(['rl_1', 'rl_3']);
  expect(autoLimitsOf(buildKeyRow('bb'), IDENTITY)).toBe(limits);
  expect(autoLimitsOf(buildKeyRow('aa'), null)).toEqual([]);
});

test('a limit of the key hides the one of that name of its identity, applied always or not', () => {
  const key = buildKeyRow('aa', { ratelimits: [limit('rl_9', 'bytes', false), limit('rl_8', 'own')] });
  const limits = autoLimitsOf(key, IDENTITY);
  expect(limits.map(({ id }) => id)).toEqual(['rl_8', 'rl_1']);
  expect(limits[1]).toBe(autoLimitsOf(buildKeyRow('bb'), IDENTITY)[0]);
});

test('a stored limit is exact wherever it is applied; one that the request brings along isn’t', () => {
  const key = buildKeyRow('aa', {
    ratelimits: [
      { ...limit('rl_1', 'always'), exact: 'deny' },
      { ...limit('rl_2', 'named', false), exact: 'local' },
      { ...limit('rl_3', 'replaced'), exact: 'local' },
    ],
  });
  const wanted = [{ name: 'named' }, { name: 'replaced', limit: 1, duration: 1000 }];
  const limits = limitsOf(key, null, autoLimitsOf(key, null), wanted, () => expect.unreachable());
  expect(limits.map(({ name, exact }) => [name, exact])).toEqual([
    ['always', 'deny'],
    ['named', 'local'],
    ['replaced', undefined],
  ]);
});
