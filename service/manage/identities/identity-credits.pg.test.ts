import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../test/postgres.ts';
import {
  contextOf,
  idempotencyOf,
  makePrincipal,
  makeWriteSide,
  readChanges,
  type WriteSide,
} from '../../../test/write-side.ts';
import { hashKey } from '../../domain/key-text.ts';
import { RecordReader } from '../../store/record-reader.ts';
import type { CreditsView } from '../keys/types.ts';
import type { UpdateIdentityInput } from './types.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

// Each test makes identities of its own, under externalIds of its own, so that one database does for all.
const DAILY = { interval: 'daily', amount: 100 } as const;
let postgres: TestPostgres;
let side: WriteSide;
let reader: RecordReader;
let apiId: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
  side = await makeWriteSide(await postgres.createDatabase());
  reader = new RecordReader(side.pool);
  ({ apiId } = (await side.manage.apis.createApi(contextOf(side.principal), { name: 'payments' })).data);
});
afterAll(async () => {
  await side.end();
  await postgres.stop();
});

async function make(externalId: string, credits?: CreditsView): Promise<string> {
  const input = credits === undefined ? { externalId } : { externalId, credits };
  return (await side.manage.identities.createIdentity(contextOf(side.principal), input)).data.identityId;
}

async function update(identity: string, credits: UpdateIdentityInput['credits'], principal = side.principal) {
  const input = credits === undefined ? { identity } : { identity, credits };
  return await side.manage.identities.updateIdentity(contextOf(principal), input);
}

async function shown(identity: string): Promise<CreditsView | undefined> {
  return (await side.manage.identities.getIdentity(side.principal, { identity })).credits;
}

interface Made {
  readonly keyId: string;
  readonly key: string;
}

async function makeKey(externalId: string, credits?: CreditsView): Promise<Made> {
  const more = credits === undefined ? {} : { credits };
  const input = { apiId, externalId, ...more };
  return (await side.manage.keys.createKey(contextOf(side.principal), input)).data;
}

/** The account that a verification of the key spends. */
async function spent({ key }: Pick<Made, 'key'>) {
  const read = (await reader.readRecords([hashKey(key)])).keys.get(hashKey(key));
  const account = read?.shared.find((one) => one.kind === 'credits');
  expect(account?.id).toBe(read?.row.creditAccountId ?? undefined);
  return account ?? null;
}

/** Change rows of a write, without its own. */
async function changesOf({ revision }: { readonly revision: { readonly xid: bigint } }) {
  const rows = await readChanges(side.pool);
  return rows
    .filter(({ xid }) => xid === String(revision.xid))
    .map(({ kind, id, hash }) => ({ kind, id, hash }));
}

const changed = ({ keyId, key }: Made) => ({ kind: 'key', id: keyId, hash: hashKey(key) });

async function auditOf(id: string): Promise<unknown> {
  const { rows } = await side.pool.query<{ detail: unknown }>(
    'select detail from audit_log where target_id = $1 order by xid desc limit 1',
    [id],
  );
  return rows[0]?.detail;
}

test('keys without credits of their own spend the one account of their identity; a key with some spends those', async () => {
  const id = await make('spender', { remaining: 50, refill: DAILY });
  expect(await shown(id)).toEqual({ remaining: 50, refill: DAILY });
  expect(await auditOf(id)).toMatchObject({ credits: { remaining: 50, refill: DAILY } });
  const { items } = await side.manage.identities.listIdentities(side.principal, { search: id });
  expect(items).toEqual([{ id, externalId: 'spender', credits: { remaining: 50, refill: DAILY } }]);
  const [one, two, own] = [
    await makeKey('spender'),
    await makeKey('spender'),
    await makeKey('spender', { remaining: 3 }),
  ];
  const account = await spent(one);
  expect(account).toMatchObject({ free: 50, generation: 1 });
  expect(await spent(two)).toEqual(account);
  expect(await spent(own)).toMatchObject({ free: 3 });
  const warm = (await reader.readWarmPage(null, 100)).reads.keys;
  expect(warm.get(hashKey(two.key))?.row.creditAccountId).toBe(account?.id);
  for (const { keyId } of [one, two]) {
    expect(await side.manage.keys.getKey(side.principal, { keyId })).not.toHaveProperty('credits');
  }
});

test('an identity without credits, and one that has unlimited ones, leave its keys unlimited', async () => {
  await make('none');
  await make('unlimited', { remaining: null });
  expect(await shown('unlimited')).toBeUndefined();
  expect(await spent(await makeKey('none'))).toBeNull();
  expect(await spent(await makeKey('unlimited'))).toBeNull();
});

test('an update keeps what is absent, sets a balance in a new generation, and changes no key by that', async () => {
  const id = await make('setting', { remaining: 5, refill: DAILY });
  const key = await makeKey('setting');
  const before = await spent(key);
  expect((await update(id, undefined)).data.credits).toEqual({ remaining: 5, refill: DAILY });
  expect((await update(id, {})).data.credits).toEqual({ remaining: 5, refill: DAILY });
  const written = await update('setting', { remaining: 9 });
  expect(written.data.credits).toEqual({ remaining: 9, refill: DAILY });
  const changes = await changesOf(written);
  expect(changes).toHaveLength(2);
  expect(changes).toContainEqual({ kind: 'credits', id: before?.id, hash: null });
  expect(changes).toContainEqual({ kind: 'identity', id, hash: null });
  expect(await spent(key)).toEqual({ kind: 'credits', id: before?.id, generation: 2, free: 9 });
  expect(await auditOf(id)).toEqual({ credits: { remaining: 9 } });
  const monthly = { interval: 'monthly', amount: 7, refillDay: 31 } as const;
  expect((await update(id, { refill: monthly })).data.credits).toEqual({ remaining: 9, refill: monthly });
  expect((await update(id, { refill: null })).data.credits).toEqual({ remaining: 9 });
  expect(await spent(key)).toMatchObject({ generation: 2 });
});

test('an identity that gets credits, or loses them, changes each of its living keys', async () => {
  const id = await make('changing');
  const [one, own, deleted] = [
    await makeKey('changing'),
    await makeKey('changing', { remaining: 1 }),
    await makeKey('changing'),
  ];
  await makeKey('another');
  await side.manage.keys.deleteKey(contextOf(side.principal), { keyId: deleted.keyId });
  const given = await update(id, { remaining: 5 });
  const account = await spent(one);
  const expected = [
    changed(one),
    changed(own),
    { kind: 'credits', id: account?.id, hash: null },
    { kind: 'identity', id, hash: null },
  ];
  const byId = (a: { id?: string | undefined }, b: { id?: string | undefined }) =>
    String(a.id).localeCompare(String(b.id));
  expect((await changesOf(given)).toSorted(byId)).toEqual(expected.toSorted(byId));
  const taken = await update(id, null);
  expect(taken.data).not.toHaveProperty('credits');
  expect((await changesOf(taken)).toSorted(byId)).toEqual(expected.toSorted(byId));
  expect(await spent(one)).toBeNull();
  const { rowCount } = await side.pool.query('select from credit_accounts where id = $1', [account?.id]);
  expect(rowCount).toBe(0);
  expect(await changesOf(await update(id, { remaining: null }))).toEqual([
    { kind: 'identity', id, hash: null },
  ]);
});

test('a key that is being made while its identity gets credits is among those that changed', async () => {
  const id = await make('meanwhile');
  const text = 'being made';
  const client = await side.pool.connect();
  try {
    await client.query('begin');
    await client.query(
      `insert into keys (id, workspace_id, api_id, identity_id, hash, start)
       values ('key_meanwhile', $1, $2, $3, decode($4, 'hex'), 'x')`,
      [side.principal.workspaceId, apiId, id, hashKey(text)],
    );
    const updating = update(id, { remaining: 5 });
    await vi.waitFor(async () => {
      const { rowCount } = await side.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rowCount).toBe(1);
    }, 10_000);
    await client.query('commit');
    expect(await changesOf(await updating)).toContainEqual(changed({ keyId: 'key_meanwhile', key: text }));
  } finally {
    // Also where the test has failed before its commit.
    client.release(true);
  }
  expect(await spent({ key: text })).toMatchObject({ free: 5 });
});

test('an update revokes exactly where the keys may spend less', async () => {
  const id = await make('revoking');
  const revokes = async (credits: UpdateIdentityInput['credits']) => (await update(id, credits)).revokes;
  expect(await revokes(null)).toBe(false);
  expect(await revokes({ remaining: 5 })).toBe(true);
  expect(await revokes({ remaining: 5 })).toBe(false);
  expect(await revokes({ remaining: 4 })).toBe(true);
  expect(await revokes({ refill: DAILY })).toBe(false);
  expect(await revokes({ remaining: null })).toBe(false);
});

test('a refill of nothing is refused, and changes nothing', async () => {
  const id = await make('empty');
  await expect(update(id, { refill: DAILY })).rejects.toMatchObject({
    code: 'invalid_input',
    errors: [{ location: 'body.credits.refill', fix: expect.stringMatching(/./) }],
  });
  expect((await update(id, { refill: null })).data).not.toHaveProperty('credits');
});

test('an identity with more keys than a transaction may change keeps the credits that it has, and can be set others', async () => {
  const id = await make('large');
  await side.pool.query(
    `insert into keys (id, workspace_id, api_id, identity_id, hash, start)
     select 'key_large_' || n, $1, $2, $3, sha256(('large' || n)::bytea), 'x' from generate_series(1, 5000) n`,
    [side.principal.workspaceId, apiId, id],
  );
  expect(await changesOf(await update(id, { remaining: 5 }))).toHaveLength(5002);
  const last = await makeKey('large');
  await expect(update(id, null)).rejects.toMatchObject({ code: 'precondition_failed' });
  expect(await shown(id)).toEqual({ remaining: 5 });
  expect((await update(id, { remaining: 6 })).data.credits).toEqual({ remaining: 6 });
  expect(await spent(last)).toMatchObject({ free: 6 });
});

test('keys of a deleted identity go on spending its credits, and those of the next one do not', async () => {
  const id = await make('leaving', { remaining: 5 });
  const key = await makeKey('leaving');
  const account = await spent(key);
  const deletion = await side.manage.identities.deleteIdentity(contextOf(side.principal), { identity: id });
  expect(deletion.revokes).toBe(false);
  expect(await spent(key)).toEqual(account);
  expect(await spent(await makeKey('leaving'))).toBeNull();
  const rerolled = await side.manage.keys.rerollKey(contextOf(side.principal), {
    keyId: key.keyId,
    expiration: 0,
  });
  expect(await spent(rerolled.data)).toEqual(account);
});

test('a repeat with the same Idempotency-Key sets the balance once', async () => {
  const context = (key: string) => contextOf(side.principal, idempotencyOf(key, 'hash'));
  const { identities } = side.manage;
  const input = { externalId: 'repeated', credits: { remaining: 5 } };
  const created = await identities.createIdentity(context('create'), input);
  const key = await makeKey('repeated');
  const change = { identity: 'repeated', credits: { remaining: 7 } };
  const updated = await identities.updateIdentity(context('update'), change);
  expect(await identities.createIdentity(context('create'), input)).toEqual({ ...created, replayed: true });
  expect(await identities.updateIdentity(context('update'), change)).toEqual({ ...updated, replayed: true });
  expect(await spent(key)).toMatchObject({ generation: 2, free: 7 });
});

test("another workspace can't set them, and its identity of the same externalId has its own", async () => {
  const id = await make('same', { remaining: 5 });
  const stranger = await makePrincipal(side.pool);
  await expect(update(id, { remaining: 9 }, stranger)).rejects.toMatchObject({ code: 'identity_not_found' });
  const input = { externalId: 'same', credits: { remaining: 2 } };
  await side.manage.identities.createIdentity(contextOf(stranger), input);
  await update('same', null, stranger);
  expect(await shown('same')).toEqual({ remaining: 5 });
  const { rows } = await side.pool.query(
    `select a.workspace_id from credit_accounts a join identities i on i.credit_account_id = a.id where i.id = $1`,
    [id],
  );
  expect(rows).toEqual([{ workspace_id: side.principal.workspaceId }]);
});

test('a key gets credits of its own by "set", and without them spends its identity’s again, which revokes', async () => {
  await make('sharing', { remaining: 5 });
  const key = await makeKey('sharing');
  const { keyId } = key;
  const { keys } = side.manage;
  const context = contextOf(side.principal);
  await expect(
    keys.updateCredits(context, { keyId, operation: 'increment', value: 1 }),
  ).rejects.toMatchObject({
    code: 'invalid_input',
    errors: [{ fix: expect.stringContaining('identities.updateIdentity') }],
  });
  const set = await keys.updateCredits(context, { keyId, operation: 'set', value: 70 });
  expect(set.data).toEqual({ remaining: 70 });
  expect(await spent(key)).toMatchObject({ free: 70 });
  expect((await keys.updateCredits(context, { keyId, operation: 'set', value: null })).revokes).toBe(true);
  expect(await spent(key)).toMatchObject({ free: 5 });
  await keys.updateKey(context, { keyId, credits: { remaining: 8 } });
  expect((await keys.updateKey(context, { keyId, credits: null })).revokes).toBe(true);
  expect(await shown('sharing')).toEqual({ remaining: 5 });
});

test('a key that comes to belong to an identity with credits spends them, which revokes', async () => {
  await make('joined', { remaining: 5 });
  const key = await makeKey('before');
  const join = async (externalId: string | null) =>
    (await side.manage.keys.updateKey(contextOf(side.principal), { keyId: key.keyId, externalId })).revokes;
  expect(await join('joined')).toBe(true);
  expect(await spent(key)).toMatchObject({ free: 5 });
  expect(await join('joined')).toBe(false);
  expect(await join(null)).toBe(false);
  expect(await spent(key)).toBeNull();
});
