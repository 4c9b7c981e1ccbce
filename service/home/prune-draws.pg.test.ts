import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { makeWriteSide, type WriteSide } from '../../test/write-side.ts';
import { PostgresCreditLedger } from '../store/credit-ledger.ts';
import { databaseOf } from '../store/database.ts';
import { Pruner, type PrunerOptions } from './pruner.ts';

const log = { info() {}, warn() {}, error() {} };
const HOUR_MS = 3_600_000;

let postgres: TestPostgres;
let side: WriteSide;
beforeAll(async () => {
  postgres = await startTestPostgres();
  side = await makeWriteSide(await postgres.createDatabase());
});
afterAll(async () => {
  await side.end();
  await postgres.stop();
});

/** A draw of the account's second generation or an earlier one, in which so much happened so long ago. */
async function drawn(
  id: string,
  state: string,
  ago: string,
  { generation = 2, account = 'ca_1' } = {},
): Promise<void> {
  await side.pool.query(
    `insert into credit_draws (id, account_id, generation, holder, epoch, epoch_id, cost, amount, spent, state, reported_at, ended_at)
     values ($1, $2, $3, 'task_1', 1, 'aaaaaaaa', 5, case when $4 = 'direct' then 5 else 50 end, 5, $4, now() - $5::interval,
       case when $4 in ('direct', 'closed') then now() - $5::interval end)`,
    [id, account, generation, state, ago],
  );
}

/** As a task has them together. */
function prunerOf(ledger: PostgresCreditLedger, more: Partial<PrunerOptions> = {}): Pruner {
  return new Pruner({
    database: databaseOf(side.pool),
    epoch: () => side.epoch,
    log,
    loseSilentLeases: async (afterMs, batch) => await ledger.loseSilent(afterMs, batch),
    ...more,
  });
}

async function left(): Promise<Record<string, string>> {
  const { rows } = await side.pool.query<{ id: string; state: string }>('select id, state from credit_draws');
  return Object.fromEntries(rows.map(({ id, state }) => [id, state]));
}

test('draws go once nobody can ask for them, and a lease of a silent holder is lost, but stays', async () => {
  await side.pool.query(
    `insert into credit_accounts (id, workspace_id, generation, granted, free, leased, spent)
     values ('ca_1', $1, 2, 1000, 505, 450, 45)`,
    [side.principal.workspaceId],
  );
  await drawn('closed long ago', 'closed', '7 hours');
  await drawn('direct long ago', 'direct', '7 hours');
  await drawn('closed lately', 'closed', '5 hours');
  await drawn('direct lately', 'direct', '5 hours');
  await drawn('in use', 'open', '9 minutes');
  await drawn('silent', 'open', '11 minutes');
  await drawn('lost long ago', 'lost', '7 days');
  await drawn('lost of an earlier generation', 'lost', '7 hours', { generation: 1 });
  await drawn('open of an earlier generation', 'open', '7 hours', { generation: 1 });
  await drawn('lately of an earlier generation', 'open', '5 minutes', { generation: 1 });
  await drawn('open of no account', 'open', '7 hours', { account: 'ca_gone' });
  const ledger = new PostgresCreditLedger({ pool: side.pool, epoch: () => side.epoch });
  const pruner = prunerOf(ledger, { batch: 1 });
  await pruner.prune();
  expect(await left()).toEqual({
    'closed lately': 'closed',
    'direct lately': 'direct',
    'in use': 'open',
    silent: 'lost',
    'lost long ago': 'lost',
    'lately of an earlier generation': 'open',
  });
  expect(pruner.counters).toMatchObject({ draws: 5, silentLeases: 3, failures: 0 });
  // Of the account's present generation: what was leased before counts no more.
  expect(ledger.counters).toMatchObject({ lost: 45, lowBalance: 0, failed: 0 });

  await ledger.settle([
    { id: 'silent', accountId: 'ca_1', generation: 2, epoch: side.epoch, spent: 6, closed: true },
  ]);
  const { rows } = await side.pool.query(
    'select free::integer, leased::integer, spent::integer from credit_accounts',
  );
  expect(rows).toEqual([{ free: 549, leased: 405, spent: 46 }]);

  await prunerOf(ledger, { drawsMs: 4 * HOUR_MS }).prune();
  expect(Object.keys(await left()).toSorted()).toEqual([
    'in use',
    'lately of an earlier generation',
    'lost long ago',
    'silent',
  ]);
});

test('leases that are given up may leave an account with few credits, which is told of once', async () => {
  await side.pool.query(
    `insert into credit_accounts (id, workspace_id, generation, granted, free, leased, spent)
     values ('ca_low', $1, 2, 1000, 90, 90, 820)`,
    [side.principal.workspaceId],
  );
  await drawn('silent and needed', 'open', '11 minutes', { account: 'ca_low' });
  await drawn('silent as well', 'open', '11 minutes', { account: 'ca_low' });
  const warned: object[] = [];
  const ledger = new PostgresCreditLedger({
    pool: side.pool,
    epoch: () => side.epoch,
    log: { warn: (fields) => warned.push(fields), error() {} },
  });
  const pruner = prunerOf(ledger);
  await pruner.prune();
  await pruner.prune();
  const low = { accountId: 'ca_low', threshold: 100, unspent: 90 };
  const { rows } = await side.pool.query<{ detail: unknown }>(
    `select detail from audit_log where action = 'credits.low' and target_id = 'ca_low'`,
  );
  expect(rows).toEqual([{ detail: low }]);
  expect(warned).toEqual([{ ...low, workspaceId: side.principal.workspaceId }]);
  expect(ledger.counters).toMatchObject({ lost: 90, lowBalance: 1 });
  expect(pruner.counters.silentLeases).toBe(2);
});
