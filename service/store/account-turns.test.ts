import { expect, test } from 'vitest';
import { AccountTurns, type AccountTurnsOptions } from './account-turns.ts';

/** Work that begins and ends when the test says so. */
function setUp(options: AccountTurnsOptions = {}) {
  const turns = new AccountTurns({ atOnce: 2, maxWaiting: 2, maxWaitMs: 60_000, ...options });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const run = async (accountId: string, name: string): Promise<string> =>
    await turns.run(accountId, async () => {
      begun.push(name);
      await new Promise<void>((end) => ends.set(name, end));
      return name;
    });
  return { run, begun, end: (name: string) => ends.get(name)?.() };
}

const REFUSED = { code: 'credits_unavailable', status: 503, retryAfterS: 1 };

test('of one account a few are under way, the others follow in the order in which they came', async () => {
  const { run, begun, end } = setUp();
  const all = ['1', '2', '3', '4'].map(async (name) => await run('hot', name));
  expect(begun).toEqual(['1', '2']);
  end('2');
  expect(await all[1]).toBe('2');
  expect(begun).toEqual(['1', '2', '3']);
  for (const name of ['1', '3']) {
    end(name);
    await all[Number(name) - 1];
  }
  expect(begun).toEqual(['1', '2', '3', '4']);
  end('4');
  expect(await all[3]).toBe('4');
});

test('another account doesn’t wait', () => {
  const { run, begun } = setUp();
  for (const name of ['1', '2', '3']) void run('hot', name);
  void run('other', 'other');
  expect(begun).toEqual(['1', '2', 'other']);
});

test('beyond the places to wait a call is refused at once, and nothing is begun', async () => {
  const { run, begun, end } = setUp();
  const all = ['1', '2', '3', '4'].map(async (name) => await run('hot', name));
  await expect(run('hot', '5')).rejects.toMatchObject(REFUSED);
  for (const [index, one] of all.entries()) {
    end(String(index + 1));
    await one;
  }
  expect(begun).toEqual(['1', '2', '3', '4']);
});

test('who waits too long is refused, and takes nobody’s turn', async () => {
  const { run, begun, end } = setUp({ atOnce: 1, maxWaitMs: 5 });
  const first = run('hot', '1');
  await expect(run('hot', '2')).rejects.toMatchObject(REFUSED);
  end('1');
  await first;
  const third = run('hot', '3');
  expect(begun).toEqual(['1', '3']);
  end('3');
  expect(await third).toBe('3');
});

test('a failure hands the turn on', async () => {
  const turns = new AccountTurns({ atOnce: 1 });
  const failing = turns.run('hot', () => Promise.reject(new Error('a fault')));
  const next = turns.run('hot', () => Promise.resolve('next'));
  await expect(failing).rejects.toThrow('a fault');
  expect(await next).toBe('next');
});
