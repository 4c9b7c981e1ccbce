import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { makeWriteSide, readChanges, type WriteSide } from '../../test/write-side.ts';
import { PostgresCreditLedger } from './credit-ledger.ts';
import { createPool } from './pool.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
let url: string;
let side: WriteSide;
let ledger: PostgresCreditLedger;
let account: string;
let accounts = 0;

beforeAll(async () => {
  postgres = await startTestPostgres();
  url = await postgres.createDatabase();
  side = await makeWriteSide(url);
  ledger = ledgerOn(side.pool);
});

afterAll(async () => {
  await side.end();
  await postgres.stop();
});

beforeEach(() => {
  accounts += 1;
  account = `ca_${accounts}`;
});

function ledgerOn(pool: WriteSide['pool']): PostgresCreditLedger {
  return new PostgresCreditLedger({ pool, epoch: () => side.epoch, turns: { maxWaitMs: 20_000 } });
}

async function given(free: number, generation = 1): Promise<void> {
  await side.pool.query(
    'insert into credit_accounts (id, workspace_id, generation, granted, free) values ($1, $2, $3, $4, $4)',
    [account, side.principal.workspaceId, generation, free],
  );
}

async function stored(): Promise<{ free: string; spent: string } | undefined> {
  const { rows } = await side.pool.query<{ free: string; spent: string }>(
    'select free, spent from credit_accounts where id = $1',
    [account],
  );
  return rows[0];
}

test('takes credits or none, and says what is left of which generation; no change row is written', async () => {
  await given(5, 3);
  expect(await ledger.spend(account, 2)).toEqual({ spent: true, free: 3, generation: 3 });
  expect(await ledger.spend(account, 4)).toEqual({ spent: false, free: 3, generation: 3 });
  expect(await ledger.spend(account, 3)).toEqual({ spent: true, free: 0, generation: 3 });
  expect(await ledger.spend(account, 1)).toEqual({ spent: false, free: 0, generation: 3 });
  expect(await stored()).toEqual({ free: '0', spent: '5' });
  expect(await readChanges(side.pool)).toEqual([]);
});

test('the largest balance stays exact, and an account that isn’t there has nothing', async () => {
  await given(Number.MAX_SAFE_INTEGER);
  expect(await ledger.spend(account, 1)).toEqual({
    spent: true,
    free: Number.MAX_SAFE_INTEGER - 1,
    generation: 1,
  });
  expect(await ledger.spend('ca_unknown', 1)).toEqual({ spent: false, free: 0, generation: 0 });
});

test('200 at once, through two pools, take exactly what there is', async () => {
  await given(300);
  const pool = createPool({ url, applicationName: 'test', connections: 8, onIdleError: () => {} });
  try {
    const other = ledgerOn(pool);
    const costs = Array.from({ length: 200 }, (_, n) => (n % 4) + 1);
    const outcomes = await Promise.all(
      costs.map(async (cost, n) => await (n % 2 === 0 ? ledger : other).spend(account, cost)),
    );
    const taken = costs.reduce((sum, cost, n) => sum + (outcomes[n]?.spent === true ? cost : 0), 0);
    expect(taken).toBe(300);
    expect(outcomes.every(({ free }) => free >= 0)).toBe(true);
    expect(await stored()).toEqual({ free: '0', spent: '300' });
  } finally {
    await pool.end();
  }
});

test('who isn’t at home, or no longer, takes nothing and says so', async () => {
  await given(5);
  const { epoch } = side;
  try {
    for (const other of [null, { counter: 7, id: 'abcd1234' }, { counter: 1, id: 'abcd1234' }]) {
      side.epoch = other;
      await expect(ledger.spend(account, 1)).rejects.toMatchObject({
        code: 'credits_unavailable',
        message: expect.stringContaining('no credits were taken'),
      });
    }
  } finally {
    side.epoch = epoch;
  }
  expect(await stored()).toEqual({ free: '5', spent: '0' });
});

/** Runs `meanwhile` while a spending waits for the account's row, which another transaction holds. */
async function whileWaiting(pool: WriteSide['pool'], meanwhile: () => Promise<unknown>): Promise<unknown> {
  const holder = await side.pool.connect();
  try {
    await holder.query('begin');
    await holder.query('select from credit_accounts where id = $1 for update', [account]);
    const outcome = ledgerOn(pool)
      .spend(account, 1)
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
  ['its connection is lost, the credits may have been taken', true, 'may have been taken'],
  ['the server gives up waiting, none were', false, 'no credits were taken'],
])('where %s', async (_case, isLost, detail) => {
  await given(5);
  const pool = createPool({
    url,
    applicationName: 'waiting',
    connections: 1,
    lockTimeoutMs: isLost ? 3000 : 500,
    onIdleError: () => {},
  });
  const end = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'waiting'`;
  try {
    const outcome = await whileWaiting(pool, async () => (isLost ? await side.pool.query(end) : undefined));
    expect(outcome).toMatchObject({
      ...(isLost
        ? { code: 'outcome_unknown', retryAfterS: undefined }
        : { code: 'credits_unavailable', retryAfterS: 1 }),
      message: expect.stringContaining(detail),
    });
    // The pool goes on with a connection that works.
    expect(await ledgerOn(pool).spend(account, 1)).toMatchObject({ spent: true, free: 4 });
  } finally {
    await pool.end();
  }
});

test('while an account’s row is held, spendings of others find a connection', async () => {
  await given(100);
  const other = `${account} other`;
  await side.pool.query(
    'insert into credit_accounts (id, workspace_id, generation, granted, free) values ($1, $2, 1, 5, 5)',
    [other, side.principal.workspaceId],
  );
  const pool = createPool({
    url,
    applicationName: 'waiting',
    connections: 3,
    connectionTimeoutMs: 500,
    lockTimeoutMs: 20_000,
    statementTimeoutMs: 20_000,
    onIdleError: () => {},
  });
  const busy = ledgerOn(pool);
  const holder = await side.pool.connect();
  try {
    await holder.query('begin');
    await holder.query('select from credit_accounts where id = $1 for update', [account]);
    const hot = Array.from({ length: 20 }, async () => await busy.spend(account, 1));
    expect(await busy.spend(other, 1)).toMatchObject({ spent: true, free: 4 });
    await holder.query('rollback');
    expect((await Promise.all(hot)).every(({ spent }) => spent)).toBe(true);
    expect(await stored()).toEqual({ free: '80', spent: '20' });
  } finally {
    holder.release();
    await pool.end();
  }
});

test.each([
  ['before it said that there weren’t enough, the credits may have been taken', 0, 'outcome_unknown'],
  ['while the balance was read, none were', 1, 'credits_unavailable'],
])('where the database is lost %s', async (_when, answers, code) => {
  let asked = 0;
  const query = () => {
    asked += 1;
    return asked <= answers
      ? Promise.resolve({ rows: [] })
      : Promise.reject(new Error('Connection terminated'));
  };
  const released: unknown[] = [];
  const client = { query, on: () => {}, off: () => {}, release: (broken: unknown) => released.push(broken) };
  // As much of a pool as a spending uses.
  const pool = { connect: () => Promise.resolve(client) } as unknown as WriteSide['pool'];
  await expect(ledgerOn(pool).spend(account, 1)).rejects.toMatchObject({ code });
  expect(released).toEqual([true]);
});

test('where the database can’t be reached, none were taken', async () => {
  const pool = createPool({
    url: 'postgres://nobody:x@127.0.0.1:9/none',
    applicationName: 'test',
    connectionTimeoutMs: 500,
    onIdleError: () => {},
  });
  await expect(ledgerOn(pool).spend(account, 1)).rejects.toMatchObject({
    code: 'credits_unavailable',
    message: expect.stringContaining('no credits were taken'),
  });
  await pool.end();
});
