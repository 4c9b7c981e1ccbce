import { afterEach, beforeEach, expect, test } from 'vitest';
import { ACCOUNT, LeaseSide } from '../../test/lease-side.ts';
import type { Drawn } from '../verify/ports.ts';

const LATER = { counter: 2, id: 'bbbbbbbb' };
const FAILED = { failed: 'credits_unavailable' };

let side: LeaseSide;

beforeEach(() => {
  side = new LeaseSide(100_000);
});

afterEach(() => side.assertFaultless());

/** Draws are done, but answered only when they are let go. */
function holdAnswers(): () => void {
  let letGo = (): void => {};
  const until = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  side.ledger.onDraw = async (_draw, run) => {
    const drawn = await run();
    await until;
    return drawn;
  };
  return letGo;
}

test('a change row that comes while a draw is under way: the call is answered, the lease goes back', async () => {
  const letGo = holdAnswers();
  const call = side.spend();
  await side.time.pass(10);
  side.change();
  letGo();
  await side.time.pass(10);
  expect(call.told).toEqual({ spent: true, free: 99_935 });
  expect(side.leases).toMatchObject({ leases: 0, accounts: 0 });
  expect(side.leases.balanceOf({ ...side.account(), free: 7 })).toBe(7);
  expect(side.state).toEqual({ free: 99_999, leased: 0, spent: 1 });
});

test('a refusal is not remembered where a change row came before its answer', async () => {
  side = new LeaseSide(0);
  const letGo = holdAnswers();
  const call = side.spend();
  await side.time.pass(10);
  side.ledger.add(ACCOUNT, 5);
  side.change();
  letGo();
  await side.time.pass(10);
  expect(call.told).toEqual({ spent: false, free: 0 });
  expect(await side.spent()).toEqual({ spent: true, free: 4 });
});

test('an answer that is lost is asked for again under the same id, and counts once', async () => {
  let losses = 3;
  side.ledger.onDraw = async (_draw, run) => {
    const drawn = await run();
    losses -= 1;
    if (losses >= 0) throw new Error('lost');
    return drawn;
  };
  const call = side.spend(5);
  await side.time.pass(2500);
  expect(call.told).toEqual({ spent: true, free: 99_995 });
  expect(new Set(side.ledger.drawn.map(({ id }) => id)).size).toBe(1);
  expect(side.leases.counters).toMatchObject({ draws: 1, retries: 3, cancelled: 0, spentAtHome: 1 });
  expect(side.state).toEqual({ free: 99_931, leased: 64, spent: 5 });
});

test.each([
  ['never comes', () => new Promise<never>(() => {})],
  ['fails each time', () => Promise.reject(new Error('lost'))],
])('a draw whose answer %s fails after 2.5 s, and none of its credits stay taken', async (_how, answer) => {
  side.ledger.onDraw = async (_draw, run) => {
    await run();
    return await answer();
  };
  const call = side.spend(5);
  await side.time.pass(2499);
  expect([call.told, side.ledger.freeOf(ACCOUNT)]).toEqual([null, 99_931]);
  await side.time.pass(1);
  expect(call.told).toEqual(FAILED);
  await side.time.pass(0);
  expect(side.ledger.settled).toMatchObject([{ id: 'd1', epoch: null, spent: 0, closed: true }]);
  expect(side.state).toEqual({ free: 100_000, leased: 0, spent: 0 });
  expect(side.leases.counters).toMatchObject({ cancelled: 1, failed: 1, waitingMs: 2500 });
});

test('a draw that is done only after it was called off takes nothing', async () => {
  let doIt = (): void => {};
  side.ledger.onDraw = (_draw, run) =>
    new Promise<Drawn>((resolve, reject) => {
      doIt = () => void run().then(resolve, reject);
    });
  const call = side.spend(5);
  await side.time.pass(2500);
  expect(call.told).toEqual(FAILED);
  doIt();
  await side.time.pass(10);
  expect(side.state).toEqual({ free: 100_000, leased: 0, spent: 0 });
});

test('who waits for a lease waits 2.5 s at most, and tries itself where there is time left', async () => {
  side.ledger.onDraw = () => new Promise(() => {});
  const first = side.spend();
  await side.time.pass(1000);
  const second = side.spend();
  await side.time.pass(1500);
  expect([first.told, second.told]).toEqual([FAILED, null]);
  expect(side.ledger.drawn).toHaveLength(2);
  await side.time.pass(1000);
  expect(second.told).toEqual(FAILED);
});

test('of one account only so many calls wait; one more is refused at once', async () => {
  side = new LeaseSide(1000, { maxWaiting: 3 });
  side.ledger.onDraw = () => new Promise(() => {});
  const calls = Array.from({ length: 5 }, () => side.spend());
  await side.time.pass(0);
  expect(calls.map(({ told }) => told)).toEqual([null, null, null, null, FAILED]);
});

test('near the end so many draws are made at a time, and the others wait', async () => {
  side = new LeaseSide(15, { maxDraws: 4 });
  await side.spent();
  side.ledger.onDraw = async (_draw, run) => {
    await side.time.wait(100);
    return await run();
  };
  const calls = Array.from({ length: 12 }, () => side.spend());
  await side.time.pass(50);
  expect(side.ledger.drawn).toHaveLength(5);
  await side.time.pass(250);
  expect(calls.filter(({ told }) => told !== null)).toHaveLength(12);
});

test('what home doesn’t acknowledge is told again, and nothing is drawn where too much is called off', async () => {
  side = new LeaseSide(100_000, { maxCancelled: 2, budgetMs: 100 });
  side.ledger.onDraw = () => new Promise(() => {});
  side.ledger.onSettle = () => Promise.reject(new Error('lost'));
  for (const draws of [1, 2, 2]) {
    const call = side.spend();
    await side.time.pass(100);
    expect(call.told).toEqual(FAILED);
    expect(side.ledger.drawn).toHaveLength(draws);
  }
  await side.time.pass(3000);
  const { settlementFailures } = side.leases.counters;
  expect(settlementFailures).toBeGreaterThan(4);
  expect(settlementFailures).toBeLessThan(12);
  expect(side.leases).toMatchObject({ unsettled: 2, ageMs: 3200 });
  side.ledger.onDraw = async (_draw, run) => await run();
  side.ledger.onSettle = async (_settlements, run) => await run();
  side.leases.onEpoch(side.ledger.epoch);
  await side.time.pass(0);
  expect(side.leases.unsettled).toBe(0);
  expect(await side.spent()).toMatchObject({ spent: true });
});

test('a settlement that home can’t take keeps no other one back', async () => {
  const bad = 'd3';
  side = new LeaseSide(100_000);
  for (const id of ['ca_2', 'ca_3', 'ca_4', 'ca_5']) {
    side.ledger.set(id, 1000);
    side.spend(1, side.account(id));
    await side.time.pass(0);
  }
  side.ledger.onSettle = async (settlements, run) => {
    if (settlements.some(({ id }) => id === bad)) throw new Error('can’t');
    return await run();
  };
  side.leases.onDistrust();
  await side.time.pass(30_000);
  expect(side.leases.unsettled).toBe(1);
  for (const id of ['ca_2', 'ca_3', 'ca_5']) expect(side.ledger.freeOf(id)).toBe(999);
});

test('an answer of a home that isn’t home any more is not used; the next one is', async () => {
  const epochs = [side.ledger.epoch, LATER];
  side.epoch = LATER;
  side.ledger.onDraw = async (_draw, run) => {
    side.ledger.epoch = LATER;
    const drawn = await run();
    return { ...drawn, epoch: epochs.shift() ?? drawn.epoch };
  };
  const call = side.spend(5);
  await side.time.pass(10);
  expect(call.told).toMatchObject({ spent: true });
  expect(side.state).toEqual({ free: 99_931, leased: 64, spent: 5 });
  expect(side.ledger.drawn).toMatchObject([{ id: 'd1', epoch: LATER }, { id: 'd2' }]);
  expect(side.ledger.settled).toMatchObject([{ id: 'd1', epoch: { counter: 1 }, spent: 0, closed: true }]);
});

test('where only a home of an earlier epoch answers, calls fail and nothing stays taken', async () => {
  side.epoch = LATER;
  side.ledger.onDraw = async (_draw, run) => {
    side.ledger.epoch = LATER;
    return { ...(await run()), epoch: { counter: 1, id: 'aaaaaaaa' } };
  };
  const call = side.spend(5);
  await side.time.pass(10);
  expect(call.told).toEqual(FAILED);
  expect(side.ledger.drawn).toHaveLength(2);
  expect(side.state).toEqual({ free: 100_000, leased: 0, spent: 0 });
});

test('an answer that is the first to tell of a new home ends all leases of the one before', async () => {
  side.ledger.set('ca_2', 1000);
  await side.spent();
  side.ledger.epoch = LATER;
  side.spend(1, side.account('ca_2'));
  await side.time.pass(10);
  expect(side.leases.leases).toBe(0);
  expect(side.state).toEqual({ free: 99_999, leased: 0, spent: 1 });
  // From now on, an earlier home is refused.
  await side.spent();
  expect(side.ledger.drawn.at(-1)).toMatchObject({ epoch: LATER });
});

test('where home has lost a generation that a record still shows, its leases are used all the same', async () => {
  const shown = { ...side.account(), generation: 9 };
  side.spend(1, shown);
  await side.time.pass(0);
  expect(await side.spent()).toMatchObject({ spent: true });
  expect(side.leases.counters).toMatchObject({ spentLocally: 1 });
});

test('what is called off while a home answers late stays called off after a change of home', async () => {
  side.ledger.onDraw = () => new Promise(() => {});
  side.ledger.onSettle = () => Promise.reject(new Error('lost'));
  side.spend(5);
  await side.time.pass(3000);
  side.ledger.epoch = LATER;
  side.ledger.onSettle = async (_settlements, run) => await run();
  side.leases.onEpoch(LATER);
  await side.time.pass(0);
  expect(side.leases.unsettled).toBe(0);
  expect(side.ledger.settled.at(-1)).toMatchObject({ id: 'd1', spent: 0, closed: true });
});

test('a credit more than this task holds asks home for what it gives back itself', async () => {
  side = new LeaseSide(1100);
  await side.spent();
  expect(side.leases.leasedCredits).toBe(64);
  expect(await side.spent(1090)).toEqual({ spent: true, free: 9 });
});

test('what a home acknowledged is told again to the one that takes over, which may have lost it, and once only', async () => {
  side.ledger.set('ca_few', 5);
  const few = side.spend(2, side.account('ca_few'));
  await side.spent();
  side.change();
  await side.time.pass(10);
  expect(few.told).toEqual({ spent: true, free: 3 });
  const before = side.ledger.settled.length;
  side.ledger.epoch = LATER;
  side.epoch = LATER;
  side.leases.onEpoch(LATER);
  await side.time.pass(10);
  const toldAgain = side.ledger.settled.slice(before);
  expect(new Map(toldAgain.map(({ accountId, spent, closed }) => [accountId, [spent, closed]]))).toEqual(
    new Map([
      ['ca_few', [2, true]],
      [ACCOUNT, [1, true]],
    ]),
  );
  expect(side.ledger.freeOf('ca_few')).toBe(3);
  side.leases.onEpoch(LATER);
  await side.time.pass(10);
  expect(side.ledger.settled).toHaveLength(before + toldAgain.length);
});

test('what was acknowledged more than an hour ago is not told again: home may have forgotten it', async () => {
  await side.spent();
  side.change();
  await side.time.pass(10);
  const before = side.ledger.settled.length;
  await side.time.pass(3_600_000);
  side.ledger.epoch = LATER;
  side.epoch = LATER;
  side.leases.onEpoch(LATER);
  await side.time.pass(10);
  expect(side.ledger.settled).toHaveLength(before);
});

test('what is told again waits behind what home can use at once', async () => {
  side = new LeaseSide(100_000, { maxRecent: 1000 });
  for (let n = 0; n < 600; n += 1) side.ledger.set(`few_${n}`, 5);
  for (let n = 0; n < 600; n += 1) side.spend(1, side.account(`few_${n}`));
  await side.time.pass(10);
  await side.spent();
  const batches: (readonly string[])[] = [];
  side.ledger.onSettle = async (settlements, run) => {
    batches.push(settlements.map(({ accountId }) => accountId));
    return await run();
  };
  side.ledger.epoch = LATER;
  side.epoch = LATER;
  side.leases.onEpoch(LATER);
  await side.time.pass(10);
  expect(batches).toHaveLength(2);
  expect(batches[0]?.[0]).toBe(ACCOUNT);
});

test('while home is silent one call at a time waits for it, and the others fail at once, until it answers', async () => {
  let isSilent = true;
  side.ledger.onDraw = async (_draw, run) => (isSilent ? await new Promise<never>(() => {}) : await run());
  side.ledger.onSettle = async (_all, run) => (isSilent ? await new Promise<never>(() => {}) : await run());
  const first = side.spend();
  await side.time.pass(2500);
  expect(first.told).toEqual(FAILED);
  const [looking, another] = [side.spend(), side.spend(1, { ...side.account(), id: 'ca_2' })];
  await side.time.pass(1);
  expect([looking.told, another.told]).toEqual([null, FAILED]);
  await side.time.pass(2500);
  expect(looking.told).toEqual(FAILED);
  isSilent = false;
  expect(await side.spent()).toMatchObject({ spent: true });
  side.change();
  expect(await side.spent()).toMatchObject({ spent: true });
});

test('an account that isn’t answered for doesn’t keep others from asking, as long as home answers them', async () => {
  side.ledger.set('ca_2', 1000);
  side.ledger.onDraw = async (draw, run) =>
    draw.accountId === ACCOUNT ? await new Promise<never>(() => {}) : await run();
  const stuck = side.spend();
  await side.time.pass(2400);
  side.spend(1, side.account('ca_2'));
  await side.time.pass(100);
  expect(stuck.told).toEqual(FAILED);
  side.ledger.set('ca_3', 1000);
  side.spend();
  const other = side.spend(1, side.account('ca_3'));
  await side.time.pass(10);
  expect(other.told).toMatchObject({ spent: true });
});
