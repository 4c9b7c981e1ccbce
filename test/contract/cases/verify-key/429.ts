import { describe, expect, test } from 'vitest';
import type { Answer } from '../../answer.ts';
import type { TargetOf } from '../../target.ts';
import { WINDOW_MS } from '../expected.ts';

export function tooManyRequestsCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 429', () => {
    test('once the calls of its workspace are used up, and says until when', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      await workspace.alter({ rate_limit_units: 2, rate_limit_duration_ms: WINDOW_MS });
      const answers = [];
      for (let turn = 0; turn < 4; turn++) answers.push(await workspace.call('keys.verifyKey', { key }));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
      const refused = answers[2];
      expect(refused?.error).toMatchObject({ status: 429, title: 'Too Many Requests' });
      expect(refused?.error.type).toMatch(/limits\/workspace_rate_limited$/);
      expect(refused?.error).not.toHaveProperty('errors');
      expect(refused?.headers.get('content-type')).toBe('application/problem+json');
      expectLimitHeaders(refused, 2, WINDOW_MS / 1000);
      await workspace.alter({ rate_limit_units: null, rate_limit_duration_ms: null });
      expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID' });
    });

    test('after it looked at the body and at who calls', async () => {
      const workspace = await target().workspace();
      await workspace.alter({ rate_limit_units: 0, rate_limit_duration_ms: WINDOW_MS });
      expect((await workspace.call('keys.verifyKey', {})).status).toBe(400);
      expect((await workspace.call('keys.verifyKey', { key: 'x' }, { rootKey: 'none' })).status).toBe(401);
      expect((await workspace.call('keys.verifyKey', { key: 'x' })).status).toBe(429);
    });

    test('and so does every other call, for all root keys of the workspace and no other workspace', async () => {
      const [workspace, other] = await Promise.all([target().workspace(), target().workspace()]);
      await workspace.alter({ rate_limit_units: 0, rate_limit_duration_ms: WINDOW_MS });
      const rootKey = await workspace.rootKeyWith(['api.*.read_api']);
      const answer = await workspace.call('apis.getApi', { apiId: 'api_1' }, { rootKey });
      expect(answer.status).toBe(429);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect((await other.call('apis.getApi', { apiId: 'api_1' })).status).toBe(404);
    });
  });
}

function expectLimitHeaders(answer: Answer | undefined, limit: number, seconds: number): void {
  const header = (name: string): number => Number(answer?.headers.get(name));
  expect(header('ratelimit-limit')).toBe(limit);
  expect(header('ratelimit-remaining')).toBe(0);
  for (const name of ['ratelimit-reset', 'retry-after']) {
    expect(header(name)).toBeGreaterThanOrEqual(1);
    expect(header(name)).toBeLessThanOrEqual(seconds);
  }
}
