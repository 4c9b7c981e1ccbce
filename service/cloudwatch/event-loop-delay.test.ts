import { expect, test } from 'vitest';
import { EventLoopDelay } from './event-loop-delay.ts';

test('a loop that is held up shows once, by how late it was', async () => {
  const delay = new EventLoopDelay();
  delay.start();
  let held = 0;
  // Node notes a delay when the loop runs on; the first one after a start has nothing to be measured from.
  await expect
    .poll(() => {
      if (held === 4) return delay.takeMsP99();
      held += 1;
      const untilMs = performance.now() + 120;
      while (performance.now() < untilMs);
      return 0;
    })
    .toBeGreaterThan(90);
  expect(delay.takeMsP99()).toBe(0);
  delay.stop();
});
