import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { contextOf, makeWriteSide, readChanges, type WriteSide } from '../../test/write-side.ts';
import type { CreditsView } from '../manage/keys/types.ts';
import { PostgresCreditLedger } from '../store/credit-ledger.ts';
import { Refiller } from './refiller.ts';

const log = { info() {}, warn() {}, error() {} };
const DAY_MS = 86_400_000;
const START_MS = Date.parse('2026-03-10T12:00:00Z');
const MIDNIGHT_MS = Date.parse('2026-03-11T00:00:00Z');
const DAILY = { interval: 'daily', amount: 100 } as const;

let postgres: TestPostgres;
let side: WriteSide;
let apiId: string;
let nowMs: number;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  side = await makeWriteSide(await postgres.createDatabase());
  nowMs = START_MS;
  side.nowMs = () => nowMs;
  apiId = (await side.manage.apis.createApi(contextOf(side.principal), { name: 'payments' })).data.apiId;
});
afterEach(() => side.end());

async function makeKey(credits: CreditsView): Promise<string> {
  return (await side.manage.keys.createKey(contextOf(side.principal), { apiId, credits })).data.keyId;
}

async function creditsOf(keyId: string): Promise<CreditsView | undefined> {
  return (await side.manage.keys.getKey(side.principal, { keyId })).credits;
}

interface Account {
  readonly id: string;
  readonly generation: number;
  readonly granted: number;
  readonly free: number;
  readonly leased: number;
  readonly spent: number;
  readonly refill_at: Date | null;
  readonly refilled_at: Date | null;
}

async function accountOf(keyId: string): Promise<Account> {
  const { rows } = await side.pool.query<Account>(
    `select a.id, generation::integer, granted::integer, free::integer, leased::integer, spent::integer, refill_at, refilled_at
     from credit_accounts a join keys k on k.credit_account_id = a.id where k.id = $1`,
    [keyId],
  );
  const [account] = rows;
  if (account === undefined) throw new Error(`key ${keyId} has no account`);
  return account;
}

function makeRefiller(more: { batch?: number } = {}): Refiller {
  return new Refiller({ writer: side.writer, epoch: () => side.epoch, log, nowMs: () => nowMs, ...more });
}

test('a balance is set at the moment that it is due, not before, in a new generation', async () => {
  const keyId = await makeKey({ remaining: 5, refill: DAILY });
  await side.pool.query('update credit_accounts set free = 1, leased = 2, spent = 2');
  const { id } = await accountOf(keyId);
  const refiller = makeRefiller();
  nowMs = MIDNIGHT_MS - 1;
  await refiller.refill();
  expect(refiller.counters).toEqual({ refilled: 0, failures: 0 });
  expect(await accountOf(keyId)).toMatchObject({ generation: 1, free: 1 });

  nowMs = MIDNIGHT_MS;
  const before = (await readChanges(side.pool)).length;
  await refiller.refill();
  expect(refiller.counters).toEqual({ refilled: 1, failures: 0 });
  expect(await accountOf(keyId)).toEqual({
    id,
    generation: 2,
    granted: 100,
    free: 100,
    leased: 0,
    spent: 0,
    refilled_at: new Date(MIDNIGHT_MS),
    refill_at: new Date(MIDNIGHT_MS + DAY_MS),
  });
  expect(await creditsOf(keyId)).toEqual({ remaining: 100, refill: DAILY });
  expect((await readChanges(side.pool)).slice(before)).toMatchObject([{ kind: 'credits', id, hash: null }]);
  const { rows: audit } = await side.pool.query(
    `select workspace_id, actor_kind, actor_id, action, target_kind, target_id, detail from audit_log
     where actor_kind = 'system'`,
  );
  expect(audit).toEqual([
    {
      workspace_id: side.principal.workspaceId,
      actor_kind: 'system',
      actor_id: 'refiller',
      action: 'credits.refill',
      target_kind: 'credits',
      target_id: id,
      detail: { amount: 100 },
    },
  ]);

  await refiller.refill();
  expect(refiller.counters.refilled).toBe(1);
});

test('refills that were missed are made up for once, and the next one is on time', async () => {
  const daily = await makeKey({ remaining: 5, refill: DAILY });
  const monthly = await makeKey({
    remaining: 5,
    refill: { interval: 'monthly', amount: 7, refillDay: 31 },
  });
  nowMs = Date.parse('2026-06-10T09:00:00Z');
  await makeRefiller().refill();
  expect(await accountOf(daily)).toMatchObject({
    generation: 2,
    free: 100,
    refill_at: new Date('2026-06-11T00:00:00Z'),
  });
  expect(await accountOf(monthly)).toMatchObject({
    generation: 2,
    free: 7,
    refill_at: new Date('2026-06-30T00:00:00Z'),
  });
});

test('more accounts than a transaction takes are all refilled, each once', async () => {
  await makeKey({ remaining: 1, refill: DAILY });
  await side.pool.query(
    `with made as (
       insert into credit_accounts (id, workspace_id, granted, free, refill_interval, refill_amount, refill_at)
       select 'credits_' || n, $1, 1, 1, 'daily', 100, $2 from generate_series(1, 11) n returning id)
     insert into keys (id, workspace_id, api_id, credit_account_id, hash, start)
     select 'key_' || id, $1, $3, id, sha256(id::bytea), 'abcd' from made`,
    [side.principal.workspaceId, new Date(MIDNIGHT_MS), apiId],
  );
  nowMs = MIDNIGHT_MS + 1000;
  const refiller = makeRefiller({ batch: 4 });
  const another = makeRefiller({ batch: 4 });
  await Promise.all([refiller.refill(), another.refill()]);
  // Who finds the other one at it ends the round; what is left is taken by the next one.
  await refiller.refill();
  expect(refiller.counters.refilled + another.counters.refilled).toBe(12);
  const { rows } = await side.pool.query('select from credit_accounts where free = 100 and generation = 2');
  expect(rows).toHaveLength(12);
});

test('of two tasks at home one refills at a time', async () => {
  const keyId = await makeKey({ remaining: 1, refill: DAILY });
  nowMs = MIDNIGHT_MS;
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const one = new Refiller({
    writer: {
      write: (work) =>
        side.writer.write(async (transaction) => {
          const value = await work(transaction);
          first.resolve();
          await second.promise;
          return value;
        }),
    },
    epoch: () => side.epoch,
    log,
    nowMs: () => nowMs,
  });
  const other = makeRefiller();
  const refilling = one.refill();
  await first.promise;
  await makeKey({ remaining: 1, refill: DAILY });
  nowMs = MIDNIGHT_MS + DAY_MS;
  // It would find another account that is due, and leaves it alone.
  await other.refill();
  expect(other.counters).toEqual({ refilled: 0, failures: 0 });
  second.resolve();
  await refilling;
  expect(one.counters).toEqual({ refilled: 1, failures: 0 });
  await other.refill();
  expect(other.counters).toEqual({ refilled: 2, failures: 0 });
  expect(await accountOf(keyId)).toMatchObject({ generation: 3, free: 100 });
});

test('a refill counts on nothing that was leased, and its change row asks for it back', async () => {
  const keyId = await makeKey({ remaining: 1600, refill: DAILY });
  const { id } = await accountOf(keyId);
  const ledger = new PostgresCreditLedger({ pool: side.pool, epoch: () => side.epoch, recallMs: 100 });
  const draw = { id: 'draw_1', accountId: id, holder: 'task_1', cost: 0, wanted: 50, epoch: side.epoch };
  const { generation, leased } = await ledger.draw(draw);
  expect({ generation, leased }).toEqual({ generation: 1, leased: 50 });
  nowMs = MIDNIGHT_MS;
  const before = (await readChanges(side.pool)).length;
  await makeRefiller().refill();
  expect((await readChanges(side.pool)).slice(before)).toMatchObject([{ kind: 'credits', id }]);
  expect(await accountOf(keyId)).toMatchObject({
    generation: 2,
    granted: 100,
    free: 100,
    leased: 0,
    spent: 0,
  });
  const settlement = { id: draw.id, accountId: id, generation, epoch: side.epoch, spent: 20 };
  expect(await ledger.settle([{ ...settlement, closed: false }])).toEqual({ recalled: [draw.id] });
  await ledger.settle([{ ...settlement, closed: true }]);
  expect(await creditsOf(keyId)).toMatchObject({ remaining: 100 });
});

test('an account that another transaction holds is left for the next round', async () => {
  const held = await makeKey({ remaining: 1, refill: DAILY });
  const other = await makeKey({ remaining: 1, refill: DAILY });
  const { id } = await accountOf(held);
  nowMs = MIDNIGHT_MS;
  const refiller = makeRefiller();
  const client = await side.pool.connect();
  try {
    await client.query('begin');
    await client.query('select from credit_accounts where id = $1 for update', [id]);
    await refiller.refill();
    expect(await creditsOf(held)).toMatchObject({ remaining: 1 });
    expect(await creditsOf(other)).toMatchObject({ remaining: 100 });
    await client.query('rollback');
  } finally {
    client.release();
  }
  await refiller.refill();
  expect(await creditsOf(held)).toMatchObject({ remaining: 100 });
});

test('accounts whose keys are all deleted are refilled no more', async () => {
  const keyId = await makeKey({ remaining: 1, refill: DAILY });
  await side.manage.keys.deleteKey(contextOf(side.principal), { keyId });
  nowMs = MIDNIGHT_MS;
  const refiller = makeRefiller();
  await refiller.refill();
  expect(refiller.counters.refilled).toBe(0);
  expect(await accountOf(keyId)).toMatchObject({ generation: 1, free: 1, refill_at: null });
});

test('an identity’s account is refilled while it may get keys, and once it is deleted while a key of it lives', async () => {
  const context = contextOf(side.principal);
  const input = { externalId: 'user', credits: { remaining: 1, refill: DAILY } };
  const { identityId } = (await side.manage.identities.createIdentity(context, input)).data;
  const free = async () => {
    const { rows } = await side.pool.query<{ free: number; due: boolean }>(
      `select free::integer, refill_at is not null as due from credit_accounts a
       join identities i on i.credit_account_id = a.id where i.id = $1`,
      [identityId],
    );
    return rows[0];
  };
  const refill = async () => {
    nowMs += DAY_MS;
    await side.pool.query('update credit_accounts set free = 0, spent = granted');
    await makeRefiller().refill();
    return await free();
  };
  expect(await refill()).toEqual({ free: 100, due: true });
  const { keyId } = (await side.manage.keys.createKey(context, { apiId, externalId: 'user' })).data;
  await side.manage.identities.deleteIdentity(context, { identity: identityId });
  expect(await refill()).toEqual({ free: 100, due: true });
  await side.manage.keys.deleteKey(context, { keyId });
  expect(await refill()).toEqual({ free: 0, due: false });
});

test('away from home nothing is refilled, and the loop goes on after a failure', async () => {
  const keyId = await makeKey({ remaining: 1, refill: DAILY });
  nowMs = MIDNIGHT_MS;
  const { epoch } = side;
  side.epoch = null;
  await makeRefiller().refill();
  side.epoch = epoch;
  expect(await creditsOf(keyId)).toMatchObject({ remaining: 1 });

  let failures = 1;
  const refiller = new Refiller({
    writer: {
      write: (work) => {
        if (failures === 0) return side.writer.write(work);
        failures -= 1;
        return Promise.reject(new Error('the writer is away'));
      },
    },
    epoch: () => side.epoch,
    log,
    nowMs: () => nowMs,
    intervalMs: 1,
  });
  refiller.start();
  try {
    await expect.poll(() => refiller.counters).toEqual({ refilled: 1, failures: 1 });
  } finally {
    await refiller.stop();
  }
  expect(await creditsOf(keyId)).toMatchObject({ remaining: 100 });
});
