import { expect, test } from 'vitest';
import { ImportGate } from './import-gate.ts';

function setUp(maxWaitMs?: number) {
  const gate = new ImportGate(maxWaitMs);
  const begun: string[] = [];
  const run = (workspaceId: string, name: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const done = gate.run(workspaceId, () => {
      begun.push(name);
      return promise;
    });
    return { done, end: () => resolve(name), fail: () => reject(new Error('broken')) };
  };
  return { begun, run };
}

test('one import of a workspace at a time, two in all; the others wait in order, however those before them end', async () => {
  const { begun, run } = setUp();
  const [a1, b1, a2, c1] = [run('a', 'a1'), run('b', 'b1'), run('a', 'a2'), run('c', 'c1')];
  expect(begun).toEqual(['a1', 'b1']);
  b1.fail();
  await expect(b1.done).rejects.toThrow('broken');
  // The second of `a` came first, and waits for the first of `a`.
  expect(begun).toEqual(['a1', 'b1', 'c1']);
  a1.end();
  expect(await a1.done).toBe('a1');
  await expect.poll(() => begun).toEqual(['a1', 'b1', 'c1', 'a2']);
  for (const one of [a2, c1]) one.end();
  expect(await Promise.all([a2.done, c1.done])).toEqual(['a2', 'c1']);
});

test('who would wait for too long is told to try again, and never begins', async () => {
  const { begun, run } = setUp(1);
  const first = run('a', 'first');
  await expect(run('a', 'second').done).rejects.toMatchObject({
    code: 'database_unavailable',
    retryAfterS: 1,
  });
  first.end();
  await first.done;
  expect(begun).toEqual(['first']);
});

test('no more than fifty wait', async () => {
  const { run } = setUp();
  const all = Array.from({ length: 51 }, (_, n) => run('a', String(n)));
  await expect(run('a', 'one more').done).rejects.toMatchObject({ code: 'database_unavailable' });
  for (const one of all) one.end();
  await Promise.all(all.map(({ done }) => done));
});
