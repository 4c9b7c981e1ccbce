import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { makeWriteSide, readChanges, type WriteSide } from '../../test/write-side.ts';
import type { Draw, Drawn, Settlement } from '../verify/ports.ts';
import { PostgresCreditLedger, type PostgresCreditLedgerOptions } from './credit-ledger.ts';
import { readOutstanding } from './credit-ledger-rows.ts';
import { rowsOf } from './rows.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const RECALL_MS = 300;

let postgres: TestPostgres;
let url: string;
let side: WriteSide;
let ledger: PostgresCreditLedger;
let account: string;
let accounts = 0;
let draws = 0;
const logged: object[] = [];

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
  logged.length = 0;
  ledger = ledgerOn(side.pool);
});

function ledgerOn(
  pool: WriteSide['pool'],
  more: Partial<PostgresCreditLedgerOptions> = {},
): PostgresCreditLedger {
  return new PostgresCreditLedger({
    pool,
    epoch: () => side.epoch,
    turns: { maxWaitMs: 20_000 },
    recallMs: RECALL_MS,
    log: { warn: (fields) => logged.push(fields), error: (fields) => logged.push(fields) },
    ...more,
  });
}

async function given(free: number, { generation = 1, id = account } = {}): Promise<void> {
  await side.pool.query(
    'insert into credit_accounts (id, workspace_id, generation, granted, free) values ($1, $2, $3, $4, $4)',
    [id, side.principal.workspaceId, generation, free],
  );
}

/** A draw of the account, with a new id. */
function drawOf(more: Partial<Draw> = {}): Draw {
  draws += 1;
  return {
    id: `draw_${draws}`,
    accountId: account,
    holder: 'task_1',
    cost: 0,
    wanted: 0,
    epoch: side.epoch,
    ...more,
  };
}

function settlementOf(draw: Draw, drawn: Drawn | null, more: Partial<Settlement> = {}): Settlement {
  return {
    id: draw.id,
    accountId: draw.accountId,
    generation: drawn?.generation ?? 1,
    epoch: drawn?.epoch ?? null,
    spent: 0,
    closed: true,
    ...more,
  };
}

interface Stored {
  readonly granted: number;
  readonly free: number;
  readonly leased: number;
  readonly spent: number;
}

async function stored(): Promise<Stored | undefined> {
  const { rows } = await side.pool.query<Stored>(
    `select granted::float8 as granted, free::float8 as free, leased::float8 as leased, spent::float8 as spent
     from credit_accounts where id = $1`,
    [account],
  );
  return rows[0];
}

async function statesOf(): Promise<readonly string[]> {
  const { rows } = await side.pool.query<{ state: string }>(
    'select state from credit_draws where account_id = $1 order by created_at, id',
    [account],
  );
  return rows.map(({ state }) => state);
}

/** How often tasks were told of the account. */
async function told(): Promise<number> {
  return (await readChanges(side.pool)).filter(({ kind, id }) => kind === 'credits' && id === account).length;
}

async function lease(wanted: number, more: Partial<Draw> = {}): Promise<{ draw: Draw; drawn: Drawn }> {
  const draw = drawOf({ wanted, ...more });
  const drawn = await ledger.draw(draw);
  expect(drawn.leased).toBeGreaterThan(0);
  return { draw, drawn };
}

test('takes credits or none, and says what is left of which generation; no change row is written', async () => {
  await given(5, { generation: 3 });
  const answer = { leased: 0, generation: 3, epoch: side.epoch };
  expect(await ledger.draw(drawOf({ cost: 2, wanted: 100 }))).toEqual({ ...answer, spent: true, free: 3 });
  expect(await ledger.draw(drawOf({ cost: 4 }))).toEqual({ ...answer, spent: false, free: 3 });
  expect(await ledger.draw(drawOf({ cost: 3 }))).toEqual({ ...answer, spent: true, free: 0 });
  expect(await ledger.draw(drawOf({ cost: 1 }))).toEqual({ ...answer, spent: false, free: 0 });
  expect(await stored()).toEqual({ granted: 5, free: 0, leased: 0, spent: 5 });
  expect(await told()).toBe(0);
  expect(ledger.counters).toMatchObject({ draws: 4, direct: 2, granted: 0, refused: 2, recalls: 0 });
});

test('the largest balance stays exact; an account that isn’t there, or another one’s draw, is no refusal', async () => {
  await given(Number.MAX_SAFE_INTEGER);
  expect(await ledger.draw(drawOf({ cost: 1 }))).toMatchObject({ free: Number.MAX_SAFE_INTEGER - 1 });
  const drawn = drawOf({ cost: 1 });
  await ledger.draw(drawn);
  await given(5, { id: `${account} other` });
  for (const draw of [
    drawOf({ accountId: 'ca_unknown', cost: 1, wanted: 5 }),
    { ...drawn, accountId: `${account} other` },
  ]) {
    await expect(ledger.draw(draw)).rejects.toMatchObject({ code: 'credits_unavailable', retryAfterS: 1 });
  }
});

test('a lease is spent of, reported and returned; reports come in any order and any number', async () => {
  await given(16_000);
  const { draw, drawn } = await lease(500, { cost: 3 });
  expect(drawn).toEqual({ spent: true, leased: 500, free: 15_497, generation: 1, epoch: side.epoch });
  expect(await stored()).toMatchObject({ free: 15_497, leased: 500, spent: 3 });
  const report = async (spent: number, closed = false): Promise<void> => {
    const settlement = settlementOf(draw, drawn, { spent, closed });
    expect(await ledger.settle([settlement, settlement])).toEqual({ recalled: [] });
  };
  await report(40);
  await report(20);
  expect(await stored()).toMatchObject({ free: 15_497, leased: 463, spent: 40 });
  await report(45, true);
  expect(await stored()).toMatchObject({ free: 15_955, leased: 0, spent: 45 });
  await report(500, true);
  await report(60);
  expect(await stored()).toMatchObject({ free: 15_955, leased: 0, spent: 45 });
  expect(await statesOf()).toEqual(['closed']);
  expect(await told()).toBe(0);
});

test('a draw is done once, however often and however close together it comes', async () => {
  await given(16_000);
  const draw = drawOf({ cost: 2, wanted: 100 });
  const other = ledgerOn(side.pool);
  const answers = await Promise.all(
    Array.from({ length: 12 }, async (_, n) => await (n % 2 === 0 ? ledger : other).draw(draw)),
  );
  answers.push(await ledger.draw(draw));
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(answers[0]).toMatchObject({ spent: true, leased: 100, free: 15_898 });
  expect(await stored()).toMatchObject({ free: 15_898, leased: 100, spent: 2 });
  expect(ledger.counters.draws + other.counters.draws).toBe(1);
});

test('a draw that was called off gives everything back, and one that comes after it draws nothing', async () => {
  await given(16_000);
  const direct = drawOf({ cost: 7 });
  await ledger.draw(direct);
  const { draw: leased } = await lease(100, { cost: 7 });
  await ledger.settle([settlementOf(direct, null), settlementOf(leased, null)]);
  const late = drawOf({ cost: 7, wanted: 100 });
  await ledger.settle([settlementOf(late, null)]);
  for (const draw of [direct, leased, late]) {
    await expect(ledger.draw(draw)).rejects.toMatchObject({ code: 'credits_unavailable' });
  }
  expect(await stored()).toEqual({ granted: 16_000, free: 16_000, leased: 0, spent: 0 });
  expect(ledger.counters.cancelled).toBe(3);
});

test('a draw that is called off while it comes is drawn and returned, or not at all', async () => {
  await given(16_000);
  for (let round = 0; round < 10; round += 1) {
    const draw = drawOf({ cost: 1, wanted: 10 });
    await Promise.allSettled([
      ledger.draw(draw),
      ledger.settle([settlementOf(draw, null)]),
      ledger.draw(draw),
    ]);
    expect(await stored()).toEqual({ granted: 16_000, free: 16_000, leased: 0, spent: 0 });
  }
});

test('near the end no lease is granted, and those that are out are asked back once', async () => {
  await given(200);
  const { draw, drawn } = await lease(1000, { holder: 'task_2' });
  expect(drawn).toMatchObject({ leased: 12, free: 188 });
  expect(await ledger.draw(drawOf({ cost: 179 }))).toMatchObject({ spent: true, leased: 0, free: 9 });
  expect(await told()).toBe(0);
  for (const free of [8, 7, 6]) {
    expect(await ledger.draw(drawOf({ cost: 1, wanted: 100 }))).toMatchObject({ leased: 0, free });
  }
  expect(await told()).toBe(1);
  expect(await ledger.settle([settlementOf(draw, drawn, { spent: 3, closed: false })])).toEqual({
    recalled: [draw.id],
  });
  await ledger.settle([settlementOf(draw, drawn, { spent: 4 })]);
  expect(await stored()).toEqual({ granted: 200, free: 14, leased: 0, spent: 186 });
  expect(await told()).toBe(1);
  expect(ledger.counters.recalls).toBe(1);
});

test('reported spendings that bring an account near its end ask its leases back, too', async () => {
  await given(1600);
  const { draw, drawn } = await lease(1000);
  expect(drawn.leased).toBe(100);
  await ledger.draw(drawOf({ cost: 1405 }));
  expect(await told()).toBe(0);
  expect(await ledger.settle([settlementOf(draw, drawn, { spent: 96, closed: false })])).toEqual({
    recalled: [draw.id],
  });
  expect(await told()).toBe(1);
});

test('no draw is refused while another task holds what it asks for', async () => {
  await given(1600);
  const { draw, drawn } = await lease(1000, { holder: 'task_2' });
  await ledger.draw(drawOf({ cost: 1450 }));
  const before = await told();
  const waiting = Promise.all([1, 2, 3].map(async () => await ledger.draw(drawOf({ cost: 30 }))));
  await expect.poll(async () => await told()).toBe(before + 1);
  await ledger.settle([settlementOf(draw, drawn, { spent: 5 })]);
  expect((await waiting).map(({ spent }) => spent)).toEqual([true, true, true]);
  expect(await stored()).toMatchObject({ free: 55, leased: 0 });
  expect(ledger.counters).toMatchObject({ recalls: 1, lost: 0, refused: 0 });
});

test('what isn’t returned in time is lost and not waited for again; returned after all, it is free and told of', async () => {
  await given(1600);
  const { draw, drawn } = await lease(1000, { holder: 'task_2' });
  await ledger.draw(drawOf({ cost: 1500 }));
  const began = performance.now();
  expect(await ledger.draw(drawOf({ cost: 1 }))).toMatchObject({ spent: false, free: 0 });
  expect(performance.now() - began).toBeGreaterThanOrEqual(RECALL_MS);
  expect(await statesOf()).toEqual(['lost', 'direct']);
  const again = performance.now();
  expect(await ledger.draw(drawOf({ cost: 1 }))).toMatchObject({ spent: false, free: 0 });
  expect(performance.now() - again).toBeLessThan(RECALL_MS);
  expect(ledger.counters).toMatchObject({ lost: 100, recalls: 1, refused: 2 });
  expect(await stored()).toEqual({ granted: 1600, free: 0, leased: 100, spent: 1500 });

  const before = await told();
  expect(await ledger.settle([settlementOf(draw, drawn, { spent: 10, closed: false })])).toEqual({
    recalled: [draw.id],
  });
  expect(await told()).toBe(before);
  await ledger.settle([settlementOf(draw, drawn, { spent: 20 })]);
  expect(await told()).toBe(before + 1);
  expect(await ledger.draw(drawOf({ cost: 1 }))).toMatchObject({ spent: true, free: 79 });
});

test('what a task held that is known to have stopped isn’t waited for', async () => {
  await given(1600);
  await side.pool.query(
    `insert into task_status (task_id, region, epoch, epoch_id, watermark, applied_xids, staleness_ms, reported_at, stopped_at)
     values ('task_gone', 'us-east-1', 1, 'aaaaaaaa', '1', '{}', 0, now(), now())`,
  );
  await lease(1000, { holder: 'task_gone' });
  await ledger.draw(drawOf({ cost: 1500 }));
  const began = performance.now();
  expect(await ledger.draw(drawOf({ cost: 1 }))).toMatchObject({ spent: false, free: 0 });
  expect(performance.now() - began).toBeLessThan(RECALL_MS);
  expect(ledger.counters.lost).toBe(100);
  expect(await told()).toBe(0);
});

test('more than there is with all leases is refused at once, and nothing is asked back for it', async () => {
  await given(1600);
  await lease(1000);
  expect(await ledger.draw(drawOf({ cost: 1601 }))).toMatchObject({ spent: false, free: 1600 });
  expect(await told()).toBe(0);
  expect(ledger.counters.recalls).toBe(0);
});

test('leases of an earlier generation are settled without a trace in the account', async () => {
  await given(16_000);
  const { draw, drawn } = await lease(500);
  await side.pool.query(
    `update credit_accounts set generation = 2, granted = 50, free = 50, leased = 0, spent = 0 where id = $1`,
    [account],
  );
  expect(await ledger.settle([settlementOf(draw, drawn, { spent: 5, closed: false })])).toEqual({
    recalled: [draw.id],
  });
  await ledger.settle([settlementOf(draw, drawn, { spent: 500 })]);
  expect(await stored()).toEqual({ granted: 50, free: 50, leased: 0, spent: 0 });
});

test('a batch settles draws of several accounts, and of two batches at once neither waits for the other in a circle', async () => {
  await given(16_000);
  const other = `${account} other`;
  await given(16_000, { id: other });
  const leases = await Promise.all(
    Array.from({ length: 40 }, async (_, n) => await lease(10, n % 2 === 0 ? {} : { accountId: other })),
  );
  const settlements = leases.map(({ draw, drawn }) => settlementOf(draw, drawn, { spent: 3 }));
  await Promise.all([
    ledger.settle(settlements),
    ledgerOn(side.pool).settle(settlements.toReversed()),
    ledger.draw(drawOf({ cost: 1 })),
  ]);
  expect(await stored()).toEqual({ granted: 16_000, free: 15_939, leased: 0, spent: 61 });
  await expect(
    ledger.settle(Array.from({ length: 501 }, () => settlementOf(drawOf(), null))),
  ).rejects.toMatchObject({
    code: 'invalid_input',
  });
});

test('few credits left are told of once per crossing, by draws and settlements alike', async () => {
  await given(1600);
  const { draw, drawn } = await lease(1000);
  await ledger.draw(drawOf({ cost: 1400 }));
  expect(await lowRows()).toEqual([]);
  await ledger.settle([settlementOf(draw, drawn, { spent: 41, closed: false })]);
  const first = { accountId: account, threshold: 160, unspent: 159 };
  expect(await lowRows()).toEqual([first]);
  await ledger.settle([settlementOf(draw, drawn, { spent: 50 })]);
  await ledger.draw(drawOf({ cost: 10 }));
  expect(await lowRows()).toEqual([first]);

  await side.pool.query('update credit_accounts set granted = granted + 50, free = free + 50 where id = $1', [
    account,
  ]);
  // From 190 of 1650, which are no longer few, below 165 in one step.
  await ledger.draw(drawOf({ cost: 30 }));
  await ledger.draw(drawOf({ cost: 1 }));
  expect(await lowRows()).toEqual([first, { accountId: account, threshold: 165, unspent: 160 }]);
  expect(ledger.counters.lowBalance).toBe(2);
  expect(logged).toHaveLength(2);
  expect(logged[0]).toMatchObject({ ...first, workspaceId: side.principal.workspaceId });
});

async function lowRows(): Promise<readonly unknown[]> {
  const { rows } = await side.pool.query<{ detail: unknown }>(
    `select detail from audit_log where action = 'credits.low' and actor_kind = 'system' and target_id = $1 order by at`,
    [account],
  );
  return rows.map(({ detail }) => detail);
}

test('what was spent of a home whose last commits were lost is taken once, and what isn’t there is reported', async () => {
  await given(100);
  const former = { counter: 0, id: 'aaaaaaaa' };
  const lost = (id: string, spent: number, closed: boolean, generation = 1): Settlement => ({
    id: `${account} ${id}`,
    accountId: account,
    generation,
    epoch: former,
    spent,
    closed,
  });
  await ledger.settle([lost('a', 30, true), lost('b', 10, false), lost('a', 30, true)]);
  expect(await stored()).toEqual({ granted: 100, free: 60, leased: 0, spent: 40 });
  expect(await ledger.settle([lost('b', 15, false), lost('idle', 0, false)])).toEqual({
    recalled: [`${account} b`, `${account} idle`],
  });
  await ledger.settle([lost('b', 80, true), lost('b', 80, true), lost('idle', 0, true)]);
  expect(await stored()).toEqual({ granted: 100, free: 0, leased: 0, spent: 100 });
  expect(ledger.counters.overspent).toBe(10);
  // A generation that nobody knows was opened on the present one; an earlier one counts no more, nor does what was settled long ago.
  await ledger.settle([
    lost('c', 5, true, 2),
    lost('d', 5, true, 0),
    { ...lost('e', 5, true), epoch: side.epoch },
    { ...lost('f', 5, true), accountId: 'ca_unknown' },
  ]);
  expect(await stored()).toEqual({ granted: 100, free: 0, leased: 0, spent: 100 });
  expect(ledger.counters.overspent).toBe(15);
  expect(logged).toContainEqual({ credits: 10, accounts: { [account]: 10 } });
});

test('what is out is counted for metrics: leases, credits in them, and credits that are lost', async () => {
  const before = await readOutstanding(rowsOf(side.pool));
  await given(16_000);
  await lease(100);
  const { draw, drawn } = await lease(200);
  await ledger.settle([settlementOf(draw, drawn, { spent: 50, closed: false })]);
  await lease(300);
  await side.pool.query(`update credit_draws set state = 'lost' where id = $1`, [`draw_${draws}`]);
  const after = await readOutstanding(rowsOf(side.pool));
  expect({
    leases: after.leases - before.leases,
    leased: after.leased - before.leased,
    lost: after.lost - before.lost,
  }).toEqual({ leases: 2, leased: 250, lost: 300 });
  const { epoch } = side;
  try {
    await expect.poll(() => ledger.outstanding).toEqual(after);
    side.epoch = null;
    expect(ledger.outstanding).toEqual({ leases: 0, leased: 0, lost: 0 });
  } finally {
    side.epoch = epoch;
  }
});
