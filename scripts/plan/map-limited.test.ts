import { expect, test } from 'vitest';
import { mapLimited } from './map-limited.ts';

test('results come in the items’ order, and never more than so many run at once', async () => {
  let running = 0;
  let most = 0;
  const gates = [3, 1, 2, 0].map(() => Promise.withResolvers<undefined>());
  const done = mapLimited([3, 1, 2, 0], 2, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await gates[item]?.promise;
    running -= 1;
    return item * 10;
  });
  for (const gate of gates) gate.resolve(undefined);
  expect(await done).toEqual([30, 10, 20, 0]);
  expect(most).toBe(2);
});

test('a failure is a failure of the whole', async () => {
  await expect(mapLimited([1, 2], 1, (item) => Promise.reject(new Error(`no ${item}`)))).rejects.toThrow(
    'no 1',
  );
});
