import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../test/postgres.ts';
import { makeWriteSide, type WriteSide } from '../test/write-side.ts';

/** What the runbook has people run on a database must run, and find what it says. */
const PAGE = readFileSync(join(import.meta.dirname, '../docs/OPERATIONS.md'), 'utf8');
const KEY = 'key_of_the_account';

let postgres: TestPostgres;
let side: WriteSide;
beforeAll(async () => {
  postgres = await startTestPostgres();
  side = await makeWriteSide(await postgres.createDatabase());
  const { workspaceId } = side.principal;
  const run = async (sql: string, ...values: readonly unknown[]) => await side.pool.query(sql, [...values]);
  await run(
    `insert into credit_accounts (id, workspace_id, generation, granted, free, leased, spent, low_generation)
     values ('ca_1', $1, 2, 1000, 10, 90, 900, 2), ('ca_2', $1, 1, 1000, 1000, 0, 0, null)`,
    workspaceId,
  );
  await run(`insert into apis (id, workspace_id, name) values ('api_of_the_key', $1, 'sql')`, workspaceId);
  await run(
    `insert into keys (id, workspace_id, api_id, credit_account_id, hash, start)
     values ($2, $1, 'api_of_the_key', 'ca_1', decode(repeat('ab', 32), 'hex'), 'k')`,
    workspaceId,
    KEY,
  );
  await run(
    `insert into credit_draws (id, account_id, generation, holder, epoch, epoch_id, cost, amount, spent, overspent, state, recalled_at, ended_at)
     values ('lost', 'ca_1', 2, 'task_1', 1, 'a', 0, 50, 5, 0, 'lost', now(), null),
            ('lost too', 'ca_1', 2, 'task_2', 1, 'a', 0, 45, 0, 0, 'lost', now(), null),
            ('lost before the refill', 'ca_1', 1, 'task_1', 1, 'a', 0, 50, 5, 0, 'lost', now(), null),
            ('held', 'ca_1', 2, 'task_3', 1, 'a', 0, 50, 0, 0, 'open', null, null),
            ('twice', 'ca_1', 2, 'task_4', 1, 'a', 0, 7, 7, 3, 'closed', null, now())`,
  );
  await run(
    `insert into audit_log (id, workspace_id, epoch, actor_kind, actor_id, request_id, client_address, action, target_kind, target_id, detail)
     values ('one', $1, 1, 'system', 'ledger', '', '', 'credits.low', 'credits', 'ca_1', '{"accountId":"ca_1","threshold":100,"unspent":99}'),
            ('two', $1, 1, 'rootKey', 'rk', '', '', 'key.updateCredits', 'key', $2, '{"accountId":"ca_1"}')`,
    workspaceId,
    KEY,
  );
});
afterAll(async () => {
  await side.end();
  await postgres.stop();
});

/** The statements of a section, which only read. */
async function asked(section: string): Promise<readonly (readonly unknown[])[]> {
  const text = PAGE.split(/^### /m).find((part) => part.startsWith(`${section}\n`)) ?? '';
  const statements = [...text.matchAll(/```sql\n([^]*?)```/g)].map(([, sql = '']) => sql);
  const client = await side.pool.connect();
  try {
    await client.query('begin read only');
    const answers: (readonly unknown[])[] = [];
    for (const sql of statements) {
      const { rows } = await client.query<Record<string, unknown>>(
        sql.replaceAll('ws_123', side.principal.workspaceId),
      );
      answers.push(rows);
    }
    return answers;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

test('lost credits are listed by account, with who held them and whether they may have been given back', async () => {
  expect(await asked('Lost credits')).toEqual([
    [
      expect.objectContaining({
        account: 'ca_1',
        keys: KEY,
        credits: '90',
        holders: 'task_1 task_2',
        updates: '1',
      }),
    ],
  ]);
});

test('credits that were spent twice are listed by account', async () => {
  expect(await asked('Credits after a failover')).toEqual([
    [expect.objectContaining({ account: 'ca_1', keys: KEY, credits: '3' })],
  ]);
});

test('low balances are listed as they were told, and as they are now', async () => {
  expect(await asked('Low balances')).toEqual([
    [expect.objectContaining({ account: 'ca_1', keys: KEY, threshold: '100', unspent: '99' })],
    [expect.objectContaining({ account: 'ca_1', granted: '1000', free: '10', refill_interval: null })],
  ]);
});
