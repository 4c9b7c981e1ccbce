import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../test/postgres.ts';
import { contextOf, makePrincipal, makeWriteSide, type WriteSide } from '../../../test/write-side.ts';
import { homeRows } from '../../store/rows.ts';
import { PostgresCreditLedger } from '../../store/credit-ledger.ts';
import { systemClock } from '../../clock.ts';
import type { Draw, Drawn } from '../../verify/ports.ts';
import type { ManageDeps } from '../deps.ts';
import { updateCredits } from './update-credits.ts';
import type { CreditsView, UpdateCreditsInput } from './types.ts';

/** What calls show and do of credits while tasks hold leases of them. */

let postgres: TestPostgres;
let side: WriteSide;
let ledger: PostgresCreditLedger;
let apiId: string;
let keyId: string;
let accountId: string;
let draws = 0;

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  side = await makeWriteSide(await postgres.createDatabase());
  ledger = new PostgresCreditLedger({ pool: side.pool, epoch: () => side.epoch, recallMs: 300 });
  ({ apiId } = (await side.manage.apis.createApi(contextOf(side.principal), { name: 'payments' })).data);
  ({ keyId } = (
    await side.manage.keys.createKey(contextOf(side.principal), { apiId, credits: { remaining: 1600 } })
  ).data);
  const { rows } = await side.pool.query<{ id: string }>('select credit_account_id as id from keys');
  accountId = rows[0]?.id ?? '';
});
afterEach(() => side.end());

async function lease(): Promise<{ draw: Draw; drawn: Drawn }> {
  draws += 1;
  const draw = { id: `draw_${draws}`, accountId, holder: 'task_1', cost: 0, wanted: 1000, epoch: side.epoch };
  const drawn = await ledger.draw(draw);
  expect(drawn.leased).toBe(100);
  return { draw, drawn };
}

async function settle(
  { draw, drawn }: { draw: Draw; drawn: Drawn },
  spent: number,
  closed: boolean,
): Promise<void> {
  const { generation, epoch } = drawn;
  await ledger.settle([{ id: draw.id, accountId, generation, epoch, spent, closed }]);
}

async function shown(): Promise<CreditsView | undefined> {
  return (await side.manage.keys.getKey(side.principal, { keyId })).credits;
}

/** The call as a task offers it that has the ledger. */
async function update(input: Omit<UpdateCreditsInput, 'keyId'>, principal = side.principal) {
  const deps: Pick<
    ManageDeps,
    'writer' | 'rows' | 'randomBytes' | 'nowMs' | 'recallCredits' | 'onLowCredits'
  > = {
    writer: side.writer,
    rows: homeRows(side.pool, () => side.epoch),
    randomBytes: () => new Uint8Array(32),
    nowMs: () => systemClock.nowMs(),
    recallCredits: async (id, wanted) => await ledger.recall(id, wanted),
    onLowCredits: (low) => ledger.noteLow(low),
  };
  // Of the vault and the zone's name this call uses nothing.
  return await updateCredits(deps as ManageDeps, contextOf(principal), { keyId, ...input });
}

test('what tasks hold is shown as remaining, as far as they have told what they spent', async () => {
  const held = await lease();
  expect(await shown()).toEqual({ remaining: 1600 });
  await settle(held, 30, false);
  expect(await shown()).toEqual({ remaining: 1570 });
  const { items } = await side.manage.apis.listKeys(side.principal, { apiId });
  expect(items.map(({ credits }) => credits)).toEqual([{ remaining: 1570 }]);
  await settle(held, 40, true);
  expect(await shown()).toEqual({ remaining: 1560 });
});

test('what is lost isn’t shown, and is again once it is returned', async () => {
  const held = await lease();
  await side.pool.query(`update credit_draws set state = 'lost'`);
  expect(await shown()).toEqual({ remaining: 1500 });
  await settle(held, 10, true);
  expect(await shown()).toEqual({ remaining: 1590 });
});

test('a balance that is set counts nothing of what is out, and revokes where it is less than was left with that', async () => {
  const held = await lease();
  expect(await update({ operation: 'set', value: 1599 })).toMatchObject({
    revokes: true,
    data: { remaining: 1599 },
  });
  await settle(held, 60, true);
  expect(await shown()).toEqual({ remaining: 1599 });
  expect((await update({ operation: 'set', value: 1599 })).revokes).toBe(false);
});

test('an increment adds to what is left, whoever has it', async () => {
  await lease();
  expect((await update({ operation: 'increment', value: 5 })).data).toEqual({ remaining: 1605 });
});

test('a decrement by more than is free waits for what tasks hold, and takes what they return', async () => {
  const held = await lease();
  const updating = update({ operation: 'decrement', value: 1580 });
  await expect.poll(() => ledger.counters.recalls).toBe(1);
  await settle(held, 10, true);
  expect(await updating).toMatchObject({ revokes: true, data: { remaining: 10 } });
  // What leases were asked back for is done: those of what is added now aren't kept waiting.
  await update({ operation: 'increment', value: 1600 });
  await lease();
});

test('a decrement takes what is free where not all is returned in time, and ends at 0', async () => {
  await lease();
  expect((await update({ operation: 'decrement', value: 2000 })).data).toEqual({ remaining: 0 });
  const { rows } = await side.pool.query(
    'select granted::integer, free::integer, leased::integer, spent::integer from credit_accounts',
  );
  expect(rows).toEqual([{ granted: 100, free: 0, leased: 100, spent: 0 }]);
});

test('a decrement that leaves few credits is told of as the ledger does it, and an increment arms it again', async () => {
  const spent = { id: 'spent', accountId, holder: 'task_1', cost: 1400, wanted: 0, epoch: side.epoch };
  expect(await ledger.draw(spent)).toMatchObject({ spent: true, free: 200 });
  await update({ operation: 'decrement', value: 40 });
  expect(await lowRows()).toEqual([]);
  await update({ operation: 'decrement', value: 10 });
  const first = { accountId, threshold: 155, unspent: 150 };
  expect(await lowRows()).toEqual([first]);
  await update({ operation: 'decrement', value: 1 });
  expect(await ledger.draw({ ...spent, id: 'more', cost: 1 })).toMatchObject({ free: 148 });
  expect(await lowRows()).toEqual([first]);
  expect((await update({ operation: 'increment', value: 500 })).data).toEqual({ remaining: 648 });
  await update({ operation: 'decrement', value: 500 });
  expect(await lowRows()).toEqual([first, { accountId, threshold: 155, unspent: 148 }]);
  expect(ledger.counters.lowBalance).toBe(2);
});

async function lowRows(): Promise<readonly unknown[]> {
  const { rows } = await side.pool.query<{ detail: unknown }>(
    `select detail from audit_log where action = 'credits.low' and actor_kind = 'system' and target_id = $1
       and workspace_id = $2 order by at`,
    [accountId, side.principal.workspaceId],
  );
  return rows.map(({ detail }) => detail);
}

test('a decrement that is refused, or that needs no lease, asks nothing back', async () => {
  await lease();
  await update({ operation: 'decrement', value: 1500 });
  const mayNot = {
    ...(await makePrincipal(side.pool, ['api.*.read_key'])),
    workspaceId: side.principal.workspaceId,
  };
  await expect(update({ operation: 'decrement', value: 50 }, mayNot)).rejects.toMatchObject({ status: 403 });
  const stranger = await makePrincipal(side.pool);
  await expect(update({ operation: 'decrement', value: 50 }, stranger)).rejects.toMatchObject({
    status: 404,
  });
  expect(ledger.counters.recalls).toBe(0);
});

test('a rerolled key spends of the same account', async () => {
  const held = await lease();
  const { data } = await side.manage.keys.rerollKey(contextOf(side.principal), { keyId, expiration: 0 });
  expect((await side.manage.keys.getKey(side.principal, { keyId: data.keyId })).credits).toEqual({
    remaining: 1600,
  });
  await settle(held, 100, true);
  expect((await side.manage.keys.getKey(side.principal, { keyId: data.keyId })).credits).toEqual({
    remaining: 1500,
  });
});

test('the last key of an account can be deleted while a task holds a lease of it, which is settled in vain', async () => {
  const held = await lease();
  await side.manage.keys.deleteKey(contextOf(side.principal), { keyId, permanent: true });
  await settle(held, 10, false);
  await settle(held, 20, true);
  const late = { ...held.draw, id: 'draw_late', cost: 1 };
  await expect(ledger.draw(late)).rejects.toMatchObject({ code: 'credits_unavailable' });
  const { rows } = await side.pool.query('select state, spent::integer from credit_draws');
  expect(rows).toEqual([{ state: 'closed', spent: 20 }]);
});
