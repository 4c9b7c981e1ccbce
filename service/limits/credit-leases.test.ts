import { afterEach, beforeEach, expect, test } from 'vitest';
import { ACCOUNT, LeaseSide } from '../../test/lease-side.ts';

let side: LeaseSide;

beforeEach(() => {
  side = new LeaseSide(100_000);
});

afterEach(() => side.assertFaultless());

test('the first call takes its credits and a lease; those after it ask nobody', async () => {
  expect(await side.spent(3)).toEqual({ spent: true, free: 99_997 });
  expect(side.ledger.drawn).toMatchObject([{ accountId: ACCOUNT, holder: 'task 1', cost: 3, wanted: 64 }]);
  for (let n = 1; n <= 40; n += 1) {
    expect(side.spend()).toEqual({ told: { spent: true, free: 99_997 - n }, isLocal: true });
  }
  expect(side.ledger.drawn).toHaveLength(1);
  expect(side.leases).toMatchObject({ leases: 1, leasedCredits: 24 });
  expect(side.leases.counters).toMatchObject({ spentAtHome: 1, spentLocally: 40, draws: 1 });
});

test('below a quarter the next lease is fetched, and nobody waits', async () => {
  await side.spent();
  for (let n = 0; n < 48; n += 1) expect(side.spend().isLocal).toBe(true);
  expect(side.ledger.drawn).toHaveLength(1);
  expect(side.spend().isLocal).toBe(true);
  expect(side.ledger.drawn).toMatchObject([{}, { cost: 0 }]);
  await side.time.pass(0);
  for (let n = 0; n < 100; n += 1) expect(side.spend().isLocal).toBe(true);
});

test('what is left of two leases pays for one call; a lease that is used up is closed', async () => {
  await side.spent();
  for (let n = 0; n < 60; n += 1) side.spend();
  await side.time.pass(0);
  expect(side.leases.leases).toBe(2);
  expect(side.spend(10)).toMatchObject({ told: { spent: true }, isLocal: true });
  await side.time.pass(0);
  expect(side.ledger.settled).toEqual([
    {
      id: 'd1',
      accountId: ACCOUNT,
      generation: 1,
      epoch: side.ledger.epoch,
      spent: 65,
      closed: true,
    },
  ]);
  expect(side.leases.counters).toMatchObject({ settlements: 1, returned: 0, recalled: 0 });
});

test('while a lease is drawn, calls wait for it, and for the next one where it doesn’t suffice', async () => {
  side.ledger.onDraw = async (_draw, run) => {
    await side.time.wait(100);
    return await run();
  };
  const calls = Array.from({ length: 100 }, () => side.spend());
  await side.time.pass(0);
  expect(side.ledger.drawn).toHaveLength(1);
  await side.time.pass(100);
  expect(calls.filter(({ told }) => told !== null)).toHaveLength(65);
  expect(side.ledger.drawn).toHaveLength(2);
  await side.time.pass(100);
  expect(calls.every(({ told }) => told !== null && 'spent' in told && told.spent)).toBe(true);
  expect(side.leases.counters).toMatchObject({ spentAtHome: 1, spentAfterWaiting: 99, waitingMs: 13_500 });
});

test('a call that the awaited lease can’t pay for draws for itself', async () => {
  side.ledger.onDraw = async (_draw, run) => {
    await side.time.wait(100);
    return await run();
  };
  side.spend();
  const dear = side.spend(5000);
  await side.time.pass(100);
  expect(dear.told).toMatchObject({ spent: true });
  expect(side.ledger.drawn).toMatchObject([
    { cost: 1, wanted: 64 },
    { cost: 5000, wanted: 0 },
  ]);
});

test('near the end no lease is had: calls draw at the same time, and credits count down by one', async () => {
  side = new LeaseSide(20);
  side.ledger.onDraw = async (_draw, run) => {
    await side.time.wait(100);
    return await run();
  };
  const first = side.spend();
  await side.time.pass(100);
  const calls = Array.from({ length: 19 }, () => side.spend());
  await side.time.pass(100);
  expect([first, ...calls].map(({ told }) => told)).toEqual(
    Array.from({ length: 20 }, (_, n) => ({ spent: true, free: 19 - n })),
  );
  expect(side.leases.balanceOf(side.account())).toBe(0);
});

test('an empty key under attack makes one draw', async () => {
  side = new LeaseSide(0);
  const first = Array.from({ length: 50 }, () => side.spend());
  await side.time.pass(0);
  for (const { told } of first) expect(told).toEqual({ spent: false, free: 0 });
  for (let n = 0; n < 1000; n += 1) {
    expect(side.spend()).toEqual({ told: { spent: false, free: 0 }, isLocal: true });
  }
  expect(side.ledger.drawn).toHaveLength(1);
  expect(side.leases.counters).toMatchObject({ refused: 1, refusedHere: 1049 });
});

test.each([
  ['a change row', () => side.change()],
  ['another home', () => side.leases.onEpoch(side.ledger.epoch)],
  ['distrust of the feed', () => side.leases.onDistrust()],
])('a refusal is remembered for what costs more than there is, until %s', async (_what, happens) => {
  side = new LeaseSide(5);
  expect(await side.spent(6)).toEqual({ spent: false, free: 5 });
  expect(side.spend(6)).toEqual({ told: { spent: false, free: 5 }, isLocal: true });
  expect(await side.spent(2)).toEqual({ spent: true, free: 3 });
  expect(side.spend(6)).toEqual({ told: { spent: false, free: 3 }, isLocal: true });
  const draws = side.ledger.drawn.length;
  side.ledger.add(ACCOUNT, 50);
  happens();
  expect(await side.spent(6)).toMatchObject({ spent: true, free: 47 });
  expect(side.ledger.drawn).toHaveLength(draws + 1);
});

test.each([
  ['a change row', () => side.change()],
  ['another home', () => side.leases.onEpoch({ counter: 2, id: 'bbbbbbbb' })],
  ['distrust of the feed', () => side.leases.onDistrust()],
])('leases are given back, and what was spent of them told, on %s', async (_what, happens) => {
  await side.spent();
  for (let n = 0; n < 10; n += 1) side.spend();
  happens();
  expect(side.leases).toMatchObject({ leases: 0, accounts: 0 });
  expect(side.leases.balanceOf({ ...side.account(), free: 7 })).toBe(7);
  await side.time.pass(0);
  expect(side.state).toEqual({ free: 99_989, leased: 0, spent: 11 });
  expect(side.leases.counters.recalled).toBe(1);
});

test('a row of something else changes nothing', async () => {
  await side.spent();
  side.leases.onChanges([{ seq: 1n, xid: 1n, kind: 'api', id: ACCOUNT, hash: null }]);
  side.change('ca_other');
  expect(side.leases.leases).toBe(1);
});

test('what a record says of a later generation counts, and what is held of an earlier one goes back', async () => {
  await side.spent();
  side.ledger.set(ACCOUNT, 500);
  const account = side.account();
  expect(side.leases.balanceOf(account)).toBe(500);
  expect(side.spend(1, account).isLocal).toBe(false);
  await side.time.pass(0);
  expect(side.ledger.settled).toMatchObject([{ id: 'd1', generation: 1, spent: 1, closed: true }]);
  expect(side.leases.balanceOf({ ...account, free: 1 })).toBe(499);
});

test('an answer of a later generation ends the leases of the earlier one', async () => {
  await side.spent();
  const before = side.account();
  side.ledger.set(ACCOUNT, 500);
  side.spend(200, before);
  await side.time.pass(0);
  expect(side.ledger.settled).toMatchObject([{ id: 'd1', closed: true }]);
  expect(side.leases.balanceOf(before)).toBe(300);
});

test('what was spent is told every 5 s where something was; a lease idle for two minutes goes back', async () => {
  side.leases.start();
  await side.spent();
  side.spend(9);
  await side.time.pass(4000);
  expect(side.leases.ageMs).toBe(4000);
  await side.time.pass(1000);
  expect(side.ledger.settled).toMatchObject([{ id: 'd1', spent: 10, closed: false }]);
  expect(side.leases).toMatchObject({ ageMs: 0, unsettled: 0 });
  await side.time.pass(115_000);
  expect(side.ledger.settled).toHaveLength(1);
  await side.time.pass(5000);
  expect(side.ledger.settled).toMatchObject([{}, { id: 'd1', spent: 10, closed: true }]);
  expect(side.leases.counters.returned).toBe(1);
  expect(side.leases.balanceOf(side.account())).toBe(99_990);
});

test('a lease that home wants back is closed as soon as it says so', async () => {
  side.leases.start();
  await side.spent();
  side.spend();
  side.ledger.onSettle = async (_settlements, run) => {
    await run();
    return { recalled: ['d1'] };
  };
  await side.time.pass(5000);
  expect(side.ledger.settled).toMatchObject([{ closed: false }, { spent: 2, closed: true }]);
  expect(side.leases).toMatchObject({ leases: 0, counters: { recalled: 1 } });
});

test('leases last about 5 s: the more is spent, the larger they are, and with next to nothing there are none', async () => {
  const sizes = async (perSecond: number, seconds: number): Promise<readonly number[]> => {
    const before = side.ledger.drawn.length;
    for (let n = 0; n < perSecond * seconds; n += 1) {
      side.spend();
      await side.time.pass(1000 / perSecond);
    }
    return side.ledger.drawn.slice(before).map(({ wanted }) => wanted);
  };
  side = new LeaseSide(1_000_000_000);
  side.leases.start();
  expect((await sizes(200, 30)).at(-1)).toBeCloseTo(1000, -2);
  expect((await sizes(20, 60)).at(-1)).toBeLessThan(300);
  expect((await sizes(1 / 300, 6000)).at(-1)).toBe(0);
});

test.each([1, 6, 40])(
  'a key with plenty of credits that is asked for once in %i s is spent locally',
  async (everyS) => {
    side = new LeaseSide(1_000_000);
    side.leases.start();
    const count = async (calls: number): Promise<number> => {
      let local = 0;
      for (let n = 0; n < calls; n += 1) {
        if (side.spend().isLocal) local += 1;
        await side.time.pass(everyS * 1000);
      }
      return local;
    };
    await count(100);
    expect(await count(100)).toBe(100);
  },
);

test('beyond so many accounts, the one that wasn’t used for longest goes back', async () => {
  side = new LeaseSide(1000, { maxAccounts: 2 });
  for (const id of ['ca_2', 'ca_3']) side.ledger.set(id, 1000);
  const use = async (id: string): Promise<void> => {
    side.spend(1, side.account(id));
    await side.time.pass(0);
  };
  for (const id of [ACCOUNT, 'ca_2', ACCOUNT, 'ca_3']) await use(id);
  expect(side.leases).toMatchObject({ accounts: 2, leases: 2 });
  expect(side.ledger.settled).toMatchObject([{ accountId: 'ca_2', spent: 1, closed: true }]);
});

test('stopping gives back all leases and ends what is under way; nothing is drawn after it', async () => {
  side.leases.start();
  await side.spent();
  side.spend(4);
  side.ledger.onDraw = () => new Promise(() => {});
  const waiting = side.spend(1000);
  const stopped = side.leases.stop();
  await side.time.pass(10);
  await stopped;
  expect(waiting.told).toEqual({ failed: 'credits_unavailable' });
  expect(side.state).toEqual({ free: 99_995, leased: 0, spent: 5 });
  expect(await side.spent()).toEqual({ failed: 'credits_unavailable' });
  expect(side.leases).toMatchObject({ leases: 0, unsettled: 0 });
  expect(side.ledger.drawn).toHaveLength(2);
});

test('stopping waits 4 s for home at most, and says what is lost', async () => {
  await side.spent();
  side.ledger.onSettle = () => new Promise(() => {});
  let isStopped = false;
  void side.leases.stop().then(() => (isStopped = true));
  await side.time.pass(3999);
  expect(isStopped).toBe(false);
  await side.time.pass(1);
  expect(isStopped).toBe(true);
  expect(side.warnings.at(-1)).toContain('lost');
});

test('99 % and more of 1,000 spends a second on one key are local, with home 100 ms away', async () => {
  side = new LeaseSide(10_000_000);
  side.leases.start();
  side.ledger.onDraw = async (_draw, run) => {
    await side.time.wait(50);
    const drawn = await run();
    await side.time.wait(50);
    return drawn;
  };
  const account = side.account();
  const calls = 60_000;
  for (let n = 0; n < calls; n += 1) {
    side.spend(1, account);
    if (n % 10 === 9) await side.time.pass(10);
  }
  await side.time.pass(100);
  const { spentLocally, spentAfterWaiting, spentAtHome, failed, refused } = side.leases.counters;
  expect({ all: spentLocally + spentAfterWaiting + spentAtHome, failed, refused }).toEqual({
    all: calls,
    failed: 0,
    refused: 0,
  });
  expect(spentLocally / calls).toBeGreaterThan(0.99);
});
