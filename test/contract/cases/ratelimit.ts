import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../target.ts';
import type { Workspace } from '../workspace.ts';
import { deleteNamespace } from './namespaces.ts';
import { WINDOW_MS } from './expected.ts';

const window = { limit: 3, duration: WINDOW_MS };

export function ratelimitCases(target: TargetOf): void {
  describe.concurrent('ratelimit.limit', () => {
    test('makes the namespace on first use, counts, refuses and says until when', async () => {
      const workspace = await target().workspace();
      const askedAtMs = Date.now();
      const answers = [];
      for (let turn = 0; turn < 4; turn++) answers.push(await limit(workspace, 'user'));
      expect(answers.map(({ success, remaining }) => [success, remaining])).toEqual([
        [true, 2],
        [true, 1],
        [true, 0],
        [false, 0],
      ]);
      for (const { reset, limit: units } of answers) {
        expect(units).toBe(3);
        expect(reset).toBeGreaterThan(askedAtMs);
        expect(reset).toBeLessThanOrEqual(Date.now() + WINDOW_MS);
      }
      expect(await limit(workspace, 'another')).toMatchObject({ success: true, remaining: 2 });
    });

    test('counts each namespace and each workspace by itself', async () => {
      const [workspace, other] = await Promise.all([target().workspace(), target().workspace()]);
      for (let turn = 0; turn < 3; turn++) await limit(workspace, 'user');
      expect(await limit(workspace, 'user')).toMatchObject({ success: false });
      expect(await limit(workspace, 'user', { namespace: 'second' })).toMatchObject({ success: true });
      expect(await limit(other, 'user')).toMatchObject({ success: true, remaining: 2 });
    });

    test('takes a cost, which has to fit whole, and 0', async () => {
      const workspace = await target().workspace();
      expect(await limit(workspace, 'user', { cost: 2 })).toMatchObject({ success: true, remaining: 1 });
      expect(await limit(workspace, 'user', { cost: 2 })).toMatchObject({ success: false, remaining: 1 });
      expect(await limit(workspace, 'user', { cost: 0 })).toMatchObject({ success: true, remaining: 1 });
      expect(await limit(workspace, 'user', { cost: 1 })).toMatchObject({ success: true, remaining: 0 });
    });

    test('refuses what is out of bounds', async () => {
      const workspace = await target().workspace();
      const good = { namespace: 'calls', identifier: 'user', ...window };
      const wrong = [
        { namespace: '' },
        { namespace: 'x'.repeat(513) },
        { identifier: '' },
        { identifier: 'x'.repeat(513) },
        { limit: 0 },
        { duration: 999 },
        { duration: 2_592_000_001 },
        { cost: -1 },
      ];
      for (const part of wrong)
        expect([part, (await workspace.call('ratelimit.limit', { ...good, ...part })).status]).toEqual([
          part,
          400,
        ]);
    });

    test('is 410 once the namespace was deleted', async () => {
      const workspace = await target().workspace();
      await limit(workspace, 'user');
      await deleteNamespace(workspace, 'calls');
      const check = { namespace: 'calls', identifier: 'user', ...window };
      for (const answer of [
        await workspace.call('ratelimit.limit', check),
        await workspace.call('ratelimit.multiLimit', [check]),
      ])
        expect([answer.status, answer.error.type]).toEqual([
          410,
          expect.stringMatching(/data\/ratelimit_namespace_gone$/),
        ]);
    });

    test('lets exactly as many through as it may, whoever asks at once', async () => {
      const workspace = await target().workspace();
      await limit(workspace, 'warm');
      const answers = await Promise.all(
        Array.from({ length: 10 }, async () => await limit(workspace, 'user')),
      );
      expect(answers.filter(({ success }) => success)).toHaveLength(3);
    });
  });

  describe.concurrent('ratelimit.multiLimit', () => {
    test('passes where all pass, tells of each, and takes nothing where one doesn’t', async () => {
      const workspace = await target().workspace();
      const check = (identifier: string, units = 3) => ({
        namespace: 'calls',
        identifier,
        ...window,
        limit: units,
      });
      expect(await workspace.must('ratelimit.multiLimit', [check('one'), check('two', 1)])).toMatchObject({
        passed: true,
        limits: [
          { namespace: 'calls', identifier: 'one', limit: 3, remaining: 2, passed: true },
          { namespace: 'calls', identifier: 'two', limit: 1, remaining: 0, passed: true },
        ],
      });
      expect(await workspace.must('ratelimit.multiLimit', [check('one'), check('two', 1)])).toMatchObject({
        passed: false,
        limits: [
          { identifier: 'one', passed: true, remaining: 2 },
          { identifier: 'two', passed: false, remaining: 0 },
        ],
      });
      expect(await workspace.must('ratelimit.multiLimit', [check('one')])).toMatchObject({
        passed: true,
        limits: [{ remaining: 1 }],
      });
    });

    test('counts together what is asked of one counter, there and by ratelimit.limit', async () => {
      const workspace = await target().workspace();
      const check = (cost: number) => ({ namespace: 'calls', identifier: 'user', ...window, cost });
      expect(await workspace.must('ratelimit.multiLimit', [check(2), check(2)])).toMatchObject({
        passed: false,
        limits: [{ passed: true }, { passed: false }],
      });
      expect(await workspace.must('ratelimit.multiLimit', [check(1), check(1)])).toMatchObject({
        passed: true,
        limits: [{ remaining: 1 }, { remaining: 1 }],
      });
      expect(await limit(workspace, 'user')).toMatchObject({ success: true, remaining: 0 });
    });

    test('follows overrides, each of its namespace', async () => {
      const workspace = await target().workspace();
      await limit(workspace, 'warm');
      await workspace.must('ratelimit.setOverride', {
        namespace: 'calls',
        identifier: 'vip_*',
        limit: 50,
        duration: WINDOW_MS,
      });
      const check = { identifier: 'vip_1', ...window };
      expect(
        await workspace.must('ratelimit.multiLimit', [
          { ...check, namespace: 'calls' },
          { ...check, namespace: 'second' },
        ]),
      ).toMatchObject({
        passed: true,
        limits: [
          { limit: 50, remaining: 49, overrideId: expect.any(String) },
          { limit: 3, remaining: 2 },
        ],
      });
    });

    test('takes 1 to 100 checks', async () => {
      const workspace = await target().workspace();
      const checks = (count: number) =>
        Array.from({ length: count }, (_, at) => ({
          namespace: 'calls',
          identifier: `user${at}`,
          ...window,
        }));
      expect((await workspace.call('ratelimit.multiLimit', checks(100))).status).toBe(200);
      expect((await workspace.call('ratelimit.multiLimit', checks(101))).status).toBe(400);
      expect((await workspace.call('ratelimit.multiLimit', [])).status).toBe(400);
    });
  });

  describe.concurrent('overrides', () => {
    test('hold at once, the exact one before those with wildcards', async () => {
      const workspace = await target().workspace();
      await limit(workspace, 'warm');
      const set = async (identifier: string, units: number): Promise<string> => {
        const wanted = { namespace: 'calls', identifier, limit: units, duration: WINDOW_MS };
        return String((await workspace.must('ratelimit.setOverride', wanted))['overrideId']);
      };
      const wild = await set('vip_*', 50);
      expect(await limit(workspace, 'vip_1')).toMatchObject({ limit: 50, remaining: 49, overrideId: wild });
      const exact = await set('vip_1', 90);
      expect(await limit(workspace, 'vip_1')).toMatchObject({ limit: 90, overrideId: exact });
      expect(await limit(workspace, 'vip_2')).toMatchObject({ limit: 50, overrideId: wild });
      const none = await limit(workspace, 'plain');
      expect(none).toMatchObject({ limit: 3 });
      expect(none).not.toHaveProperty('overrideId');
      expect(await set('vip_1', 0)).toBe(exact);
      expect(await limit(workspace, 'vip_1')).toMatchObject({ success: false, limit: 0 });
      await workspace.must('ratelimit.deleteOverride', { namespace: 'calls', identifier: 'vip_1' });
      expect(await limit(workspace, 'vip_1')).toMatchObject({ limit: 50, overrideId: wild });
    });

    test('are read, listed and deleted', async () => {
      const workspace = await target().workspace();
      await limit(workspace, 'warm');
      const named = { namespace: 'calls', identifier: 'vip_*' };
      const { overrideId } = await workspace.must('ratelimit.setOverride', {
        ...named,
        limit: 5,
        duration: 1000,
      });
      const view = { overrideId, identifier: 'vip_*', limit: 5, duration: 1000 };
      expect(await workspace.must('ratelimit.getOverride', named)).toEqual(view);
      expect((await workspace.must('ratelimit.listOverrides', { namespace: 'calls' })) as unknown).toEqual([
        view,
      ]);
      const { status, error } = await workspace.call('ratelimit.getOverride', {
        ...named,
        identifier: 'vip_1',
      });
      expect([status, error.type]).toEqual([404, expect.stringMatching(/ratelimit_override_not_found$/)]);
      await workspace.must('ratelimit.deleteOverride', named);
      expect((await workspace.call('ratelimit.deleteOverride', named)).status).toBe(404);
      const unknown = await workspace.call('ratelimit.listOverrides', { namespace: 'none' });
      expect([unknown.status, unknown.error.type]).toEqual([
        404,
        expect.stringMatching(/ratelimit_namespace_not_found$/),
      ]);
    });
  });
}

interface Limited {
  readonly success: boolean;
  readonly remaining: number;
  readonly reset: number;
  readonly limit: number;
}

async function limit(workspace: Workspace, identifier: string, more: object = {}): Promise<Limited> {
  const data = await workspace.must('ratelimit.limit', {
    namespace: 'calls',
    identifier,
    ...window,
    ...more,
  });
  return data as unknown as Limited;
}
