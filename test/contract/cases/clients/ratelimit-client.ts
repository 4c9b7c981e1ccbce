import { Overrides, Ratelimit } from '@unkey/ratelimit';
import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import type { Workspace } from '../../workspace.ts';
import { WINDOW_MS } from '../expected.ts';

/** Every method of @unkey/ratelimit, and what it promises beside the calls. */
export function ratelimitClientCases(target: TargetOf): void {
  describe.concurrent('@unkey/ratelimit', () => {
    test('has no methods but those that are called here', () => {
      const own = (type: { readonly prototype: object }): readonly string[] =>
        Object.getOwnPropertyNames(type.prototype).filter((name) => name !== 'constructor');
      // The second is private: limit without its fallback for errors.
      expect(own(Ratelimit)).toEqual(['limit', '_limit']);
      expect(own(Overrides)).toEqual(['getOverride', 'setOverride', 'deleteOverride', 'listOverrides']);
    });

    test('counts down, refuses, and says until when', async () => {
      const limiter = limiterOf(await target().workspace(), 2);
      const askedAtMs = Date.now();
      const answers = [];
      for (let turn = 0; turn < 3; turn++) answers.push(await limiter.limit('user'));
      expect(answers).toMatchObject([
        { success: true, limit: 2, remaining: 1 },
        { success: true, limit: 2, remaining: 0 },
        { success: false, limit: 2, remaining: 0 },
      ]);
      for (const { reset } of answers) expect(reset).toBeGreaterThan(askedAtMs);
      expect(await limiter.limit('another')).toMatchObject({ success: true, remaining: 1 });
    });

    test('takes a cost, and a limit of one call alone', async () => {
      const limiter = limiterOf(await target().workspace(), 10);
      expect(await limiter.limit('user', { cost: 7 })).toMatchObject({ success: true, remaining: 3 });
      expect(await limiter.limit('user', { cost: 0 })).toMatchObject({ success: true, remaining: 3 });
      expect(await limiter.limit('user', { cost: 4 })).toMatchObject({ success: false, remaining: 3 });
      expect(await limiter.limit('narrow', { limit: { limit: 1, duration: '30s' } })).toMatchObject({
        success: true,
        limit: 1,
        remaining: 0,
      });
    });

    test('hands errors to onError', async () => {
      const workspace = await target().workspace();
      const fallback = { success: true, limit: 0, remaining: 0, reset: 0 };
      const messages: string[] = [];
      const limiter = new Ratelimit({
        ...configOf(workspace, 1),
        rootKey: 'none',
        onError: (error) => {
          messages.push(error.message);
          return fallback;
        },
      });
      expect(await limiter.limit('user')).toEqual(fallback);
      expect(messages.join()).toContain('401');
    });

    test('sets, gets, lists and deletes overrides, which its limits follow', async () => {
      const workspace = await target().workspace();
      const { namespace, baseUrl, rootKey } = configOf(workspace, 5);
      const [limiter, overrides] = [limiterOf(workspace, 5), new Overrides({ baseUrl, rootKey })];
      await limiter.limit('vip');
      const wanted = { namespace, identifier: 'vip', limit: 100, duration: WINDOW_MS };
      const { data: set } = await overrides.setOverride(wanted);
      expect((await overrides.getOverride({ namespace, identifier: 'vip' })).data).toEqual({
        overrideId: set.overrideId,
        identifier: 'vip',
        limit: 100,
        duration: WINDOW_MS,
      });
      expect((await overrides.listOverrides({ namespace })).data).toHaveLength(1);
      expect(await limiter.limit('vip')).toMatchObject({ limit: 100, overrideId: set.overrideId });
      await overrides.deleteOverride({ namespace, identifier: 'vip' });
      await expect(overrides.getOverride({ namespace, identifier: 'vip' })).rejects.toThrow('');
      expect(await limiter.limit('vip')).toMatchObject({ limit: 5 });
    });
  });
}

function configOf(workspace: Workspace, limit: number) {
  const { urls, paths } = workspace.target;
  const baseUrl = urls[paths.manage];
  if (baseUrl === null) throw new Error('this target has one region');
  return { baseUrl, rootKey: workspace.rootKey, namespace: 'client', limit, duration: '30d' } as const;
}

function limiterOf(workspace: Workspace, limit: number): Ratelimit {
  return new Ratelimit(configOf(workspace, limit));
}
