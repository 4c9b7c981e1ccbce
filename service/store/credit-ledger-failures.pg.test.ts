import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { makeWriteSide, type WriteSide } from '../../test/write-side.ts';
import type { Draw, Settlement } from '../verify/ports.ts';
import { PostgresCreditLedger } from './credit-ledger.ts';
import { createPool } from './pool.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
let url: string;
let side: WriteSide;
let account: string;
let accounts = 0;
let draws = 0;

beforeAll(async () => {
  postgres = await startTestPostgres();
  url = await postgres.createDatabase();
  side = await makeWriteSide(url);
});

afterAll(async () => {
  await side.end();
  await postgres.stop();
});

beforeEach(() => {
  accounts += 1;
  account = `ca_${accounts}`;
});

function ledgerOn(pool: WriteSide['pool'], recallMs = 300): PostgresCreditLedger {
  return new PostgresCreditLedger({ pool, epoch: () => side.epoch, turns: { maxWaitMs: 20_000 }, recallMs });
}

async function given(free: number, id = account): Promise<void> {
  await side.pool.query(
    'insert into credit_accounts (id, workspace_id, granted, free) values ($1, $2, $3, $3)',
    [id, side.principal.workspaceId, free],
  );
}

function drawOf(cost: number, more: Partial<Draw> = {}): Draw {
  draws += 1;
  return { id: `draw_${draws}`, accountId: account, holder: 'task_1', cost, wanted: 0, epoch: null, ...more };
}

function callingOff({ id, accountId }: Draw): Settlement {
  return { id, accountId, generation: 1, epoch: null, spent: 0, closed: true };
}

async function stored(): Promise<unknown> {
  const { rows } = await side.pool.query<object>(
    'select free, leased, spent from credit_accounts where id = $1',
    [account],
  );
  return rows[0];
}

test('200 at once, through two pools, take exactly what there is', async () => {
  await given(300);
  const pool = createPool({ url, applicationName: 'test', connections: 8, onIdleError: () => {} });
  try {
    const [ledger, other] = [ledgerOn(side.pool), ledgerOn(pool)];
    const costs = Array.from({ length: 200 }, (_, n) => (n % 4) + 1);
    const outcomes = await Promise.all(
      costs.map(async (cost, n) => await (n % 2 === 0 ? ledger : other).draw(drawOf(cost))),
    );
    const taken = costs.reduce((sum, cost, n) => sum + (outcomes[n]?.spent === true ? cost : 0), 0);
    expect(taken).toBe(300);
    expect(outcomes.every(({ free }) => free >= 0)).toBe(true);
    expect(await stored()).toEqual({ free: '0', leased: '0', spent: '300' });
  } finally {
    await pool.end();
  }
});

test('who isn’t at home, no longer, or earlier than whoever asks does nothing and says so', async () => {
  await given(5);
  const ledger = ledgerOn(side.pool);
  const refusal = { code: 'credits_unavailable', retryAfterS: 1 };
  const { epoch } = side;
  const later = { counter: 2, id: 'abcd1234' };
  await expect(ledger.draw(drawOf(1, { epoch: later }))).rejects.toMatchObject(refusal);
  await expect(ledger.settle([{ ...callingOff(drawOf(1)), epoch: later }])).rejects.toMatchObject(refusal);
  try {
    for (const other of [null, { counter: 7, id: 'abcd1234' }, { counter: 1, id: 'abcd1234' }]) {
      side.epoch = other;
      await expect(ledger.draw(drawOf(1))).rejects.toMatchObject(refusal);
      await expect(ledger.settle([callingOff(drawOf(1))])).rejects.toMatchObject(refusal);
      await expect(ledger.recall(account, 1)).rejects.toMatchObject(refusal);
    }
  } finally {
    side.epoch = epoch;
  }
  expect(await stored()).toEqual({ free: '5', leased: '0', spent: '0' });
  expect((await side.pool.query('select from credit_draws where account_id = $1', [account])).rowCount).toBe(
    0,
  );
});

/** Runs `meanwhile` while a draw waits for the account's row, which another transaction holds. */
async function whileWaiting(
  pool: WriteSide['pool'],
  draw: Draw,
  meanwhile: () => Promise<unknown>,
): Promise<unknown> {
  const holder = await side.pool.connect();
  try {
    await holder.query('begin');
    await holder.query('select from credit_accounts where id = $1 for update', [account]);
    const outcome = ledgerOn(pool)
      .draw(draw)
      .catch((error: unknown) => error);
    const waits = `select count(*)::integer as count from pg_stat_activity
      where application_name = 'waiting' and wait_event_type = 'Lock'`;
    await expect
      .poll(async () => (await side.pool.query<{ count: number }>(waits)).rows[0]?.count, { timeout: 5000 })
      .toBe(1);
    await meanwhile();
    return await outcome;
  } finally {
    await holder.query('rollback');
    holder.release();
  }
}

test.each([
  ['its connection is lost', true],
  ['the server gives up waiting', false],
])('where %s a draw has no answer, is called off, and the pool goes on', async (_case, isLost) => {
  await given(5);
  const pool = createPool({
    url,
    applicationName: 'waiting',
    connections: 1,
    lockTimeoutMs: isLost ? 3000 : 500,
    onIdleError: () => {},
  });
  const end = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'waiting'`;
  const draw = drawOf(1);
  try {
    const outcome = await whileWaiting(pool, draw, async () =>
      isLost ? await side.pool.query(end) : undefined,
    );
    expect(outcome).toMatchObject({ code: 'credits_unavailable', retryAfterS: 1 });
    const ledger = ledgerOn(pool);
    await ledger.settle([callingOff(draw)]);
    expect(await ledger.draw(drawOf(1))).toMatchObject({ spent: true, free: 4 });
  } finally {
    await pool.end();
  }
});

test('while an account’s row is held, draws of others find a connection', async () => {
  await given(100);
  const other = `${account} other`;
  await given(5, other);
  const pool = createPool({
    url,
    applicationName: 'busy',
    connections: 3,
    connectionTimeoutMs: 500,
    lockTimeoutMs: 20_000,
    statementTimeoutMs: 20_000,
    transactionTimeoutMs: 30_000,
    onIdleError: () => {},
  });
  const busy = ledgerOn(pool);
  const holder = await side.pool.connect();
  try {
    await holder.query('begin');
    await holder.query('select from credit_accounts where id = $1 for update', [account]);
    const hot = Array.from({ length: 20 }, async () => await busy.draw(drawOf(1)));
    expect(await busy.draw(drawOf(1, { accountId: other }))).toMatchObject({ spent: true, free: 4 });
    await holder.query('rollback');
    expect((await Promise.all(hot)).every(({ spent }) => spent)).toBe(true);
    expect(await stored()).toEqual({ free: '80', leased: '0', spent: '20' });
  } finally {
    holder.release();
    await pool.end();
  }
});

test('draws that wait for leases hold neither a connection nor a turn, and only so many wait', async () => {
  await given(1600);
  const pool = createPool({
    url,
    applicationName: 'few',
    connections: 2,
    connectionTimeoutMs: 500,
    onIdleError: () => {},
  });
  try {
    const ledger = ledgerOn(pool, 8000);
    const lease = drawOf(0, { wanted: 1000, holder: 'task_2' });
    expect(await ledger.draw(lease)).toMatchObject({ leased: 100 });
    expect(await ledger.draw(drawOf(1449))).toMatchObject({ spent: true, free: 51 });
    const waiting = Promise.allSettled(
      Array.from({ length: 205 }, async () => await ledger.draw(drawOf(60))),
    );
    await expect.poll(() => ledger.counters.recalls).toBe(1);
    const began = performance.now();
    expect(await ledger.draw(drawOf(1))).toMatchObject({ spent: true, free: 50 });
    await ledger.settle([{ ...callingOff(lease), epoch: side.epoch, spent: 10 }]);
    const outcomes = await waiting;
    expect(performance.now() - began).toBeLessThan(8000);
    expect(outcomes.filter((each) => each.status === 'fulfilled' && each.value.spent)).toHaveLength(2);
    const turnedAway = outcomes.filter((each) => each.status === 'rejected');
    expect(turnedAway.length).toBeLessThanOrEqual(5);
    for (const each of turnedAway) expect(each.reason).toMatchObject({ code: 'credits_unavailable' });
    expect(await stored()).toEqual({ free: '20', leased: '0', spent: '1580' });
  } finally {
    await pool.end();
  }
});

test('a lease is lost after one wait for it, however long it took until it was asked back', async () => {
  await given(16_000);
  const ledger = ledgerOn(side.pool);
  expect(await ledger.draw(drawOf(0, { wanted: 1000 }))).toMatchObject({ leased: 1000 });
  // Far from the end: the draw that has to wait is the first one to ask the lease back.
  expect(await ledger.draw(drawOf(14_900))).toMatchObject({ spent: true, free: 100 });
  expect(ledger.counters.recalls).toBe(0);
  const holder = await side.pool.connect();
  let waiting: Promise<unknown>;
  try {
    await holder.query('begin');
    await holder.query('select from credit_accounts where id = $1 for update', [account]);
    waiting = ledger.draw(drawOf(500));
    await delay(150);
    await holder.query('commit');
  } finally {
    holder.release();
  }
  expect(await waiting).toMatchObject({ spent: false, free: 100 });
  expect(ledger.counters).toMatchObject({ recalls: 1, lost: 1000 });
  const { rows } = await side.pool.query(
    `select state from credit_draws where account_id = $1 and amount = 1000`,
    [account],
  );
  expect(rows).toEqual([{ state: 'lost' }]);
  const began = performance.now();
  expect(await ledger.draw(drawOf(500))).toMatchObject({ spent: false, free: 100 });
  expect(performance.now() - began).toBeLessThan(300);
});

/** Does something while another transaction holds the rows of these accounts. */
async function whileHeld(ids: readonly string[], work: () => Promise<void>): Promise<void> {
  const holder = await side.pool.connect();
  try {
    await holder.query('begin');
    await holder.query('select from credit_accounts where id = any($1::text[]) for update', [ids]);
    await work();
  } finally {
    await holder.query('rollback');
    holder.release();
  }
}

test('however many accounts are drawn of at once, settlements and leases that are wanted early find a place', async () => {
  const held = Array.from({ length: 20 }, (_, n) => `${account} held ${n}`);
  for (const id of held) await given(16_000, id);
  await given(16_000);
  const pool = createPool({ url, applicationName: 'crowd', connections: 10, onIdleError: () => {} });
  const ledger = ledgerOn(pool);
  try {
    const lease = drawOf(0, { wanted: 100 });
    const { epoch } = await ledger.draw(lease);
    let crowd: Promise<PromiseSettledResult<unknown>[]> = Promise.resolve([]);
    await whileHeld(held, async () => {
      crowd = Promise.allSettled(held.map(async (id) => await ledger.draw(drawOf(1, { accountId: id }))));
      await expect.poll(() => pool.totalCount - pool.idleCount).toBe(4);
      const began = performance.now();
      expect(await ledger.draw(drawOf(0, { wanted: 100 }))).toMatchObject({ leased: 100 });
      await ledger.settle([{ ...callingOff(lease), epoch, spent: 10 }]);
      expect(performance.now() - began).toBeLessThan(700);
      expect(pool.waitingCount).toBe(0);
      await expect.poll(() => ledger.counters.settlements).toBe(1);
      // Whoever came behind them hears of it before it would give up by itself, and nothing is done for it later.
      await expect(ledger.draw(drawOf(1))).rejects.toMatchObject({
        code: 'credits_unavailable',
        message: expect.stringContaining('the zone’s accounts'),
      });
      expect(performance.now() - began).toBeLessThan(2000);
    });
    const served = (await crowd).filter(({ status }) => status === 'fulfilled');
    expect(served).toHaveLength(4);
    expect(await stored()).toEqual({ free: '15890', leased: '100', spent: '10' });
  } finally {
    await pool.end();
  }
});

test('a batch of settlements soon gives up an account that somebody holds', async () => {
  await given(16_000);
  const ledger = ledgerOn(side.pool);
  const lease = drawOf(0, { wanted: 100 });
  await ledger.draw(lease);
  await whileHeld([account], async () => {
    const began = performance.now();
    await expect(ledger.settle([callingOff(lease)])).rejects.toMatchObject({ code: 'credits_unavailable' });
    expect(performance.now() - began).toBeLessThan(2000);
  });
  await ledger.settle([callingOff(lease)]);
  expect(await stored()).toEqual({ free: '16000', leased: '0', spent: '0' });
});

test('leases are granted again as soon as those who waited for some have them', async () => {
  await given(16_000);
  const ledger = ledgerOn(side.pool, 20_000);
  const lease = drawOf(0, { wanted: 1000 });
  const { epoch } = await ledger.draw(lease);
  const waiting = ledger.draw(drawOf(15_500));
  await expect.poll(() => ledger.counters.recalls).toBe(1);
  expect(await ledger.draw(drawOf(0, { wanted: 100 }))).toMatchObject({ leased: 0 });
  await ledger.settle([{ ...callingOff(lease), epoch }]);
  expect(await waiting).toMatchObject({ spent: true, free: 500 });
  expect(await ledger.draw(drawOf(0, { wanted: 100 }))).toMatchObject({ leased: 31 });
});

test('a clock that was set back neither keeps leases from being granted nor from being lost', async () => {
  await given(16_000);
  const ledger = ledgerOn(side.pool, 50);
  await ledger.draw(drawOf(0, { wanted: 1000 }));
  await side.pool.query(`update credit_accounts set recalled_at = now() + interval '1 hour' where id = $1`, [
    account,
  ]);
  expect(await ledger.draw(drawOf(0, { wanted: 10 }))).toMatchObject({ leased: 10 });
  await side.pool.query(
    `update credit_draws set recalled_at = now() + interval '1 hour' where account_id = $1`,
    [account],
  );
  expect(await ledger.draw(drawOf(15_000))).toMatchObject({ spent: false, free: 14_990 });
  expect(ledger.counters.lost).toBe(1010);
});

test('where the database can’t be reached there is no answer', async () => {
  const pool = createPool({
    url: 'postgres://nobody:x@127.0.0.1:9/none',
    applicationName: 'test',
    connectionTimeoutMs: 500,
    onIdleError: () => {},
  });
  const ledger = ledgerOn(pool);
  await expect(ledger.draw(drawOf(1))).rejects.toMatchObject({ code: 'credits_unavailable' });
  await expect(ledger.settle([callingOff(drawOf(1))])).rejects.toMatchObject({ code: 'credits_unavailable' });
  expect(ledger.counters.failed).toBe(2);
  await pool.end();
});
