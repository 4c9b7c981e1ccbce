import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../test/postgres.ts';
import {
  contextOf,
  idempotencyOf,
  makePrincipal,
  makeWriteSide,
  readChanges,
  type WriteSide,
} from '../../../test/write-side.ts';
import type { Principal } from '../../domain/principal.ts';
import { Problem } from '../../domain/problem.ts';
import { rowsOf } from '../../store/rows.ts';
import { createKey } from './create-key.ts';
import type { CreateKeyInput, CreditsView, UpdateCreditsInput, UpdateKeyInput } from './types.ts';

/** What a key has beside its own row: credits, rate limits, a text that is kept. */
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const NOW_MS = Date.parse('2026-03-10T12:00:00Z');
const DAILY = { interval: 'daily', amount: 100 } as const;
const LIMIT = { name: 'requests', limit: 10, duration: 60_000, autoApply: true };

let postgres: TestPostgres;
let side: WriteSide;
let apiId: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  side = await makeWriteSide(await postgres.createDatabase());
  side.nowMs = () => NOW_MS;
  apiId = (await side.manage.apis.createApi(contextOf(side.principal), { name: 'payments' })).data.apiId;
});
afterEach(() => side.end());

async function makeKey(input: Partial<CreateKeyInput> = {}, context = contextOf(side.principal)) {
  return (await side.manage.keys.createKey(context, { apiId, ...input })).data;
}

async function update(input: UpdateKeyInput) {
  return await side.manage.keys.updateKey(contextOf(side.principal), input);
}

async function updateCredits(
  keyId: string,
  operation: UpdateCreditsInput['operation'],
  value?: number | null,
) {
  return await side.manage.keys.updateCredits(contextOf(side.principal), {
    keyId,
    operation,
    ...(value === undefined ? {} : { value }),
  });
}

async function view(keyId: string) {
  return await side.manage.keys.getKey(side.principal, { keyId });
}

async function creditsOf(keyId: string): Promise<CreditsView | undefined> {
  return (await view(keyId)).credits;
}

/** The same workspace, another root key. */
function allowed(...permissions: readonly string[]): Principal {
  return { ...side.principal, permissions: new Set(permissions) };
}

interface Account {
  readonly id: string;
  readonly generation: number;
  readonly granted: number;
  readonly free: number;
  readonly leased: number;
  readonly spent: number;
  readonly refill_at: Date | null;
}

async function accounts(): Promise<readonly Account[]> {
  const { rows } = await side.pool.query<Account>(
    `select id, generation::integer, granted::float8, free::float8, leased::integer, spent::integer, refill_at
     from credit_accounts order by id`,
  );
  return rows;
}

/** A second key that shares the account of the first, as a reroll leaves it. */
async function shareAccount(keyId: string): Promise<string> {
  const other = await makeKey();
  await side.pool.query(
    'update keys set credit_account_id = (select credit_account_id from keys where id = $1) where id = $2',
    [keyId, other.keyId],
  );
  return other.keyId;
}

/** Change rows of what `work` wrote, as `kind id`, each once. */
async function changesOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = (await readChanges(side.pool)).length;
  await work();
  const rows = (await readChanges(side.pool)).slice(before);
  return [...new Set(rows.map(({ kind, id }) => `${kind} ${id}`))].toSorted();
}

describe('credits', () => {
  test('a key is made with a balance and a refill, or with unlimited credits', async () => {
    const { keyId } = await makeKey({ credits: { remaining: 1_000_000, refill: DAILY } });
    expect(await creditsOf(keyId)).toEqual({ remaining: 1_000_000, refill: DAILY });
    const [account] = await accounts();
    expect(account).toMatchObject({
      generation: 1,
      granted: 1_000_000,
      free: 1_000_000,
      leased: 0,
      spent: 0,
      refill_at: new Date('2026-03-11T00:00:00Z'),
    });
    const unlimited = await makeKey({ credits: { remaining: null } });
    expect(await view(unlimited.keyId)).not.toHaveProperty('credits');
    expect(await accounts()).toHaveLength(1);
    const largest = await makeKey({ credits: { remaining: Number.MAX_SAFE_INTEGER } });
    expect(await creditsOf(largest.keyId)).toEqual({ remaining: Number.MAX_SAFE_INTEGER });
  });

  test('an update keeps, clears or sets balance and refill, each for itself', async () => {
    const { keyId } = await makeKey();
    const monthly = { interval: 'monthly', amount: 7, refillDay: 31 } as const;
    const steps: readonly [UpdateKeyInput['credits'], CreditsView | undefined][] = [
      [{ refill: null }, undefined],
      [{}, undefined],
      [{ remaining: 50 }, { remaining: 50 }],
      [{ refill: monthly }, { remaining: 50, refill: monthly }],
      [undefined, { remaining: 50, refill: monthly }],
      [{ remaining: 20 }, { remaining: 20, refill: monthly }],
      [
        { remaining: 0, refill: DAILY },
        { remaining: 0, refill: DAILY },
      ],
      [{ refill: null }, { remaining: 0 }],
      [
        { remaining: 9, refill: DAILY },
        { remaining: 9, refill: DAILY },
      ],
      [{ remaining: null }, undefined],
      [
        { remaining: 9, refill: DAILY },
        { remaining: 9, refill: DAILY },
      ],
      [null, undefined],
    ];
    for (const [credits, expected] of steps) {
      await update({ keyId, ...(credits === undefined ? {} : { credits }) });
      expect(await creditsOf(keyId)).toEqual(expected);
    }
    expect(await accounts()).toEqual([]);
  });

  test('a refill for unlimited credits is refused by its name, and nothing is changed', async () => {
    const { keyId } = await makeKey();
    await expect(update({ keyId, name: 'one', credits: { refill: DAILY } })).rejects.toMatchObject({
      status: 400,
      errors: [{ location: 'body.credits.refill' }],
    });
    expect(await view(keyId)).not.toHaveProperty('name');
  });

  test('a balance that is set opens the next generation; what was leased counts no more', async () => {
    const { keyId } = await makeKey({ credits: { remaining: 100 } });
    await side.pool
      .query(`with out as (update credit_accounts set free = 50, leased = 30, spent = 20 returning id)
      insert into credit_draws (id, account_id, generation, holder, epoch, epoch_id, cost, amount, spent, state)
      select 'draw_1', id, 1, 'task_1', 1, 'aaaaaaaa', 0, 50, 20, 'open' from out`);
    const { revokes } = await update({ keyId, credits: { remaining: 70 } });
    expect(await accounts()).toMatchObject([{ generation: 2, granted: 70, free: 70, leased: 0, spent: 0 }]);
    // 80 were left.
    expect(revokes).toBe(true);
    expect((await update({ keyId, credits: { remaining: 70 } })).revokes).toBe(false);
    expect((await update({ keyId, credits: { remaining: 69 } })).revokes).toBe(true);
    expect((await update({ keyId, credits: null })).revokes).toBe(false);
    expect((await update({ keyId, credits: { remaining: 1_000_000 } })).revokes).toBe(true);
  });

  test('increment and decrement answer what is left, keep the generation, and end at 0', async () => {
    const { keyId } = await makeKey({ credits: { remaining: 10, refill: DAILY } });
    await side.pool.query('update credit_accounts set granted = 15, leased = 3, spent = 2');
    const up = await updateCredits(keyId, 'increment', 5);
    expect(up).toMatchObject({ data: { remaining: 15, refill: DAILY }, revokes: false });
    expect(await accounts()).toMatchObject([{ generation: 1, granted: 20, free: 15, leased: 3, spent: 2 }]);
    const down = await updateCredits(keyId, 'decrement', 6);
    expect(down).toMatchObject({ data: { remaining: 9, refill: DAILY }, revokes: true });
    expect((await updateCredits(keyId, 'decrement', 100)).data.remaining).toBe(0);
    expect(await accounts()).toMatchObject([{ generation: 1, granted: 5, free: 0, leased: 3, spent: 2 }]);
    expect((await updateCredits(keyId, 'decrement', 1)).revokes).toBe(false);
  });

  test('increments made at once all count', async () => {
    const { keyId } = await makeKey({ credits: { remaining: 0 } });
    await Promise.all(Array.from({ length: 10 }, () => updateCredits(keyId, 'increment', 3)));
    expect(await creditsOf(keyId)).toEqual({ remaining: 30 });
  });

  test('set answers the new balance with its refill; null makes credits unlimited and drops the refill', async () => {
    const { keyId } = await makeKey();
    const limited = await updateCredits(keyId, 'set', 5);
    expect(limited).toMatchObject({ data: { remaining: 5 }, revokes: true });
    await update({ keyId, credits: { refill: DAILY } });
    expect((await updateCredits(keyId, 'set', 6)).data).toEqual({ remaining: 6, refill: DAILY });
    expect((await updateCredits(keyId, 'set', null)).data).toEqual({ remaining: null });
    expect(await accounts()).toEqual([]);
    expect((await updateCredits(keyId, 'set', 7)).data).toEqual({ remaining: 7 });
  });

  test('an operation that cannot be is refused by the name of its field', async () => {
    const { keyId } = await makeKey();
    for (const operation of ['increment', 'decrement'] as const) {
      await expect(updateCredits(keyId, operation, 1)).rejects.toMatchObject({
        status: 400,
        errors: [{ location: 'body.operation' }],
      });
    }
    await expect(updateCredits(keyId, 'set')).rejects.toMatchObject({
      status: 400,
      errors: [{ location: 'body.value' }],
    });
    await updateCredits(keyId, 'set', Number.MAX_SAFE_INTEGER - 1);
    await updateCredits(keyId, 'increment', 1);
    await expect(updateCredits(keyId, 'increment', 1)).rejects.toMatchObject({
      status: 400,
      errors: [{ location: 'body.value' }],
    });
    expect(await creditsOf(keyId)).toEqual({ remaining: Number.MAX_SAFE_INTEGER });
  });

  test('a repeated increment counts once and answers the same', async () => {
    const { keyId } = await makeKey({ credits: { remaining: 1 } });
    const context = contextOf(side.principal, idempotencyOf('try', 'hash'));
    const input = { keyId, operation: 'increment', value: 2 } as const;
    const first = await side.manage.keys.updateCredits(context, input);
    const second = await side.manage.keys.updateCredits(context, input);
    expect(second).toMatchObject({ data: { remaining: 3 }, replayed: true, revision: first.revision });
    expect(await creditsOf(keyId)).toEqual({ remaining: 3 });
  });

  test('updateCredits is 404 for what the workspace does not have, then 403 without the permission', async () => {
    const { keyId } = await makeKey({ credits: { remaining: 1 } });
    const input = { keyId, operation: 'set', value: 5 } as const;
    const by = (principal: Principal) => side.manage.keys.updateCredits(contextOf(principal), input);
    await expect(by(await makePrincipal(side.pool))).rejects.toMatchObject({ code: 'key_not_found' });
    await expect(by(allowed('api.*.read_key'))).rejects.toMatchObject({ code: 'insufficient_permissions' });
    expect((await by(allowed(`api.${apiId}.update_key`))).data).toEqual({ remaining: 5 });
    await side.manage.keys.deleteKey(contextOf(side.principal), { keyId });
    await expect(by(side.principal)).rejects.toMatchObject({ code: 'key_not_found' });
  });

  test('each change has its rows: the account, and the key where it gets or leaves one', async () => {
    const { keyId } = await makeKey();
    const made = await changesOf(() => updateCredits(keyId, 'set', 5));
    const [account] = await accounts();
    expect(made).toEqual([`credits ${account?.id}`, `key ${keyId}`]);
    const same = [`credits ${account?.id}`];
    expect(await changesOf(() => updateCredits(keyId, 'set', 6))).toEqual(same);
    expect(await changesOf(() => updateCredits(keyId, 'increment', 1))).toEqual(same);
    expect(await changesOf(() => updateCredits(keyId, 'decrement', 1))).toEqual(same);
    const both = [...same, `key ${keyId}`];
    expect(await changesOf(() => update({ keyId, credits: { refill: DAILY } }))).toEqual(both);
    expect(await changesOf(() => update({ keyId, name: 'one' }))).toEqual([`key ${keyId}`]);
    expect(await changesOf(() => updateCredits(keyId, 'set', null))).toEqual(both);
  });

  test('keys that share an account see one balance; one that leaves it does not take it along', async () => {
    const { keyId } = await makeKey({ credits: { remaining: 10 } });
    const other = await shareAccount(keyId);
    await updateCredits(other, 'decrement', 4);
    expect(await creditsOf(keyId)).toEqual({ remaining: 6 });
    await update({ keyId, credits: null });
    expect(await creditsOf(other)).toEqual({ remaining: 6 });
    await side.manage.keys.deleteKey(contextOf(side.principal), { keyId: other, permanent: true });
    expect(await accounts()).toEqual([]);
  });

  test('of keys that leave their account at once the last one ends it', async () => {
    const { keyId } = await makeKey({ credits: { remaining: 10 } });
    const other = await shareAccount(keyId);
    const client = await side.pool.connect();
    try {
      await client.query('begin');
      await client.query('select from credit_accounts for update');
      await client.query('update keys set credit_account_id = null where id = $1', [other]);
      const leaving = update({ keyId, credits: null });
      const waiting = async () =>
        (await side.pool.query(`select from pg_stat_activity where wait_event_type = 'Lock'`)).rowCount;
      await expect.poll(waiting).toBe(1);
      await client.query('commit');
      await leaving;
    } finally {
      client.release();
    }
    expect(await accounts()).toEqual([]);
  });
});

describe('rate limits', () => {
  test('they are shown sorted by name, and replaced by name: who keeps the name keeps the id', async () => {
    const tokens = { name: 'tokens', limit: 1e12, duration: 2_592_000_000, autoApply: false };
    const { keyId } = await makeKey({ ratelimits: [tokens, LIMIT] });
    const before = (await view(keyId)).ratelimits;
    expect(before).toEqual([
      { id: expect.stringMatching(/^rl_/), ...LIMIT },
      { id: expect.stringMatching(/^rl_/), ...tokens },
    ]);
    const daily = { ...LIMIT, name: 'daily' };
    await update({ keyId, ratelimits: [{ ...tokens, limit: 5 }, daily] });
    expect((await view(keyId)).ratelimits).toEqual([
      { id: expect.stringMatching(/^rl_/), ...daily },
      { ...tokens, id: before?.[1]?.id, limit: 5 },
    ]);
    await update({ keyId, name: 'one' });
    expect((await view(keyId)).ratelimits).toHaveLength(2);
    await update({ keyId, ratelimits: [] });
    expect(await view(keyId)).not.toHaveProperty('ratelimits');
  });

  test('an update revokes where it limits more, of the key itself or by another identity', async () => {
    const { keyId } = await makeKey();
    expect((await update({ keyId, ratelimits: [LIMIT] })).revokes).toBe(true);
    expect((await update({ keyId, ratelimits: [{ ...LIMIT, limit: 11 }] })).revokes).toBe(false);
    expect((await update({ keyId, ratelimits: [LIMIT] })).revokes).toBe(true);
    expect((await update({ keyId, ratelimits: [] })).revokes).toBe(false);
    await makeKey({ externalId: 'limited' });
    await side.pool.query(
      `insert into rate_limits (id, workspace_id, identity_id, name, limit_units, duration_ms)
       select 'rl_1', workspace_id, id, 'requests', 5, 1000 from identities`,
    );
    expect((await update({ keyId, externalId: 'free' })).revokes).toBe(false);
    expect((await update({ keyId, externalId: 'limited' })).revokes).toBe(true);
    expect((await update({ keyId, externalId: 'limited' })).revokes).toBe(false);
    expect((await update({ keyId, externalId: null })).revokes).toBe(false);
  });

  test('an update revokes where a limit of the identity comes out from behind one of the key', async () => {
    const context = contextOf(side.principal);
    const shared = { name: 'requests', limit: 5, duration: LIMIT.duration, autoApply: true };
    await side.manage.identities.createIdentity(context, { externalId: 'user', ratelimits: [shared] });
    const { keyId } = await makeKey({ externalId: 'user', ratelimits: [LIMIT] });
    const revokes = async (ratelimits: readonly (typeof LIMIT)[]) =>
      (await update({ keyId, ratelimits })).revokes;
    // Hides it, as before.
    expect(await revokes([{ ...LIMIT, limit: 20 }])).toBe(false);
    expect(await revokes([])).toBe(true);
    expect(await revokes([])).toBe(false);
    expect(await revokes([{ ...LIMIT, limit: 4 }])).toBe(true);
    // Its number is larger, and the identity's other keys may have used it up.
    expect(await revokes([])).toBe(true);
    // A limit of its own, and no less than the one that it shared.
    expect(await revokes([{ ...LIMIT, limit: 5 }])).toBe(false);
    // Without the identity nothing comes out.
    expect((await update({ keyId, externalId: null, ratelimits: [] })).revokes).toBe(false);
  });
});

describe('texts that are kept', () => {
  async function keepTexts(): Promise<void> {
    await side.pool.query('update apis set recoverable_keys = true');
  }

  async function stored(): Promise<number> {
    const { rowCount } = await side.pool.query('select from key_texts');
    return rowCount ?? 0;
  }

  test('a recoverable key is answered with its text to who may decrypt, and by no other call', async () => {
    await keepTexts();
    const { keyId, key } = await makeKey({ recoverable: true, prefix: 'pay' });
    expect(await side.manage.keys.getKey(side.principal, { keyId, decrypt: true })).toMatchObject({
      keyId,
      plaintext: key,
    });
    expect(await view(keyId)).not.toHaveProperty('plaintext');
    expect(await side.manage.keys.whoami(side.principal, { key })).not.toHaveProperty('plaintext');
    const reader = allowed('api.*.read_key');
    await expect(side.manage.keys.getKey(reader, { keyId, decrypt: true })).rejects.toMatchObject({
      code: 'insufficient_permissions',
      message: expect.stringContaining('decrypt_key'),
    });
    const both = allowed('api.*.read_key', `api.${apiId}.decrypt_key`);
    expect(await side.manage.keys.getKey(both, { keyId, decrypt: true })).toMatchObject({ plaintext: key });
    const { rows } = await side.pool.query<{ ciphertext: Buffer }>('select ciphertext from key_texts');
    expect(rows[0]?.ciphertext.includes(key)).toBe(false);
  });

  test('a key whose text is not kept is answered without one', async () => {
    const { keyId } = await makeKey({ recoverable: false });
    const found = await side.manage.keys.getKey(side.principal, { keyId, decrypt: true });
    expect(found).toEqual(await view(keyId));
    expect(await stored()).toBe(0);
  });

  test('a text that was moved to another key cannot be read', async () => {
    await keepTexts();
    const { keyId } = await makeKey({ recoverable: true });
    const other = await makeKey();
    await side.pool.query('update key_texts set key_id = $2 where key_id = $1', [keyId, other.keyId]);
    await expect(
      side.manage.keys.getKey(side.principal, { keyId: other.keyId, decrypt: true }),
    ).rejects.toMatchObject({ code: 'precondition_failed' });
  });

  test('an API that does not keep texts is told so, and nothing is made', async () => {
    await expect(makeKey({ recoverable: true })).rejects.toMatchObject({
      code: 'precondition_failed',
      status: 412,
      message: expect.stringContaining('apis.updateApi'),
    });
    expect((await side.pool.query('select from keys')).rowCount).toBe(0);
  });

  test('a vault that does not answer is the answer, and nothing is made', async () => {
    await keepTexts();
    const failing = () => Promise.reject(new Problem('vault_unavailable', 'The vault does not answer.'));
    const deps = {
      writer: side.writer,
      rows: rowsOf(side.pool),
      zone: 'global',
      randomBytes,
      vault: { encrypt: failing, decrypt: failing },
      nowMs: side.nowMs,
    };
    const input = { apiId, externalId: 'user.1', recoverable: true };
    await expect(createKey(deps, contextOf(side.principal), input)).rejects.toMatchObject({
      code: 'vault_unavailable',
    });
    expect((await side.pool.query('select id from keys union all select id from identities')).rowCount).toBe(
      0,
    );
  });

  test('keeping a text takes encrypt_key: 403 without it, and still 404 without create_key', async () => {
    await keepTexts();
    const create = (principal: Principal, id = apiId) =>
      side.manage.keys.createKey(contextOf(principal), { apiId: id, recoverable: true });
    await expect(create(allowed('api.*.create_key'))).rejects.toMatchObject({
      code: 'insufficient_permissions',
      message: expect.stringContaining(`api.${apiId}.encrypt_key`),
    });
    await expect(create(allowed('api.*.encrypt_key'))).rejects.toMatchObject({ code: 'api_not_found' });
    await expect(create(allowed('api.*.create_key'), 'api_none')).rejects.toMatchObject({
      code: 'api_not_found',
    });
    expect(await stored()).toBe(0);
    await create(allowed(`api.${apiId}.create_key`, `api.${apiId}.encrypt_key`));
    expect(await stored()).toBe(1);
  });

  test('a repeat with the same Idempotency-Key answers the same key, which is kept once', async () => {
    await keepTexts();
    const context = contextOf(side.principal, idempotencyOf('try', 'hash'));
    const input = { recoverable: true, credits: { remaining: 5 }, ratelimits: [LIMIT] };
    const first = await makeKey(input, context);
    expect(await makeKey(input, context)).toEqual(first);
    expect(await stored()).toBe(1);
    expect(await accounts()).toHaveLength(1);
    expect(
      await side.manage.keys.getKey(side.principal, { keyId: first.keyId, decrypt: true }),
    ).toMatchObject({ plaintext: first.key, credits: { remaining: 5 } });
  });

  test.each([true, false])('a deleted key leaves no text behind (permanent: %s)', async (permanent) => {
    await keepTexts();
    const { keyId } = await makeKey({ recoverable: true });
    await side.manage.keys.deleteKey(contextOf(side.principal), { keyId, permanent });
    expect(await stored()).toBe(0);
  });
});

test('what is the customer’s own is in no audit line', async () => {
  await side.pool.query('update apis set recoverable_keys = true');
  const secret = { name: 'hush-name', externalId: 'hush.id', meta: { hush: 'hush-meta' } };
  const { keyId, key } = await makeKey({ ...secret, recoverable: true });
  await update({ keyId, ...secret, ratelimits: [LIMIT] });
  await updateCredits(keyId, 'set', 5);
  const { rows } = await side.pool.query<{ detail: string }>('select detail::text from audit_log');
  const text = rows.map(({ detail }) => detail).join('\n');
  expect(text).toContain('changed');
  expect(text).not.toContain('hush');
  expect(text).not.toContain(key);
});
