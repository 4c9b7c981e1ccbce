import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { databaseUrl, startTestPostgres, type TestPostgres } from '../../../test/postgres.ts';
import { explain } from '../../../test/query-plan.ts';
import {
  contextOf,
  idempotencyOf,
  makePrincipal,
  makeWriteSide,
  readChanges,
  type WriteSide,
} from '../../../test/write-side.ts';
import { hashKey } from '../../domain/key-text.ts';
import type { Principal } from '../../domain/principal.ts';
import { RecordReader } from '../../store/record-reader.ts';
import { rowsOf } from '../../store/rows.ts';
import { BY_IDENTITY } from './identity-view.ts';
import { READ_IDENTITIES } from './list-identities.ts';
import type { CreateIdentityInput, ListIdentitiesInput, UpdateIdentityInput } from './types.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

// Each test makes identities of its own, under externalIds of its own, so that one database does for all.
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

async function make(externalId: string, input: Omit<CreateIdentityInput, 'externalId'> = {}) {
  const context = contextOf(side.principal);
  return (await side.manage.identities.createIdentity(context, { externalId, ...input })).data.identityId;
}

async function update(input: UpdateIdentityInput) {
  return await side.manage.identities.updateIdentity(contextOf(side.principal), input);
}

async function remove(identity: string) {
  return await side.manage.identities.deleteIdentity(contextOf(side.principal), { identity });
}

async function get(identity: string, principal = side.principal) {
  return await side.manage.identities.getIdentity(principal, { identity });
}

async function makeKey(externalId: string) {
  const context = contextOf(side.principal);
  const { data } = await side.manage.apis.createApi(context, { name: 'payments' });
  return (await side.manage.keys.createKey(context, { apiId: data.apiId, externalId })).data;
}

/** The same workspace, another root key. */
function allowed(...permissions: readonly string[]): Principal {
  return { ...side.principal, permissions: new Set(permissions) };
}

/** The last change row and audit line that name the identity. */
async function lastTrace(id: string) {
  const change = (await readChanges(side.pool)).findLast((row) => row.id === id);
  const { rows } = await side.pool.query<{ xid: string; action: string; detail: unknown }>(
    'select xid::text, action, detail from audit_log where target_id = $1 order by xid desc limit 1',
    [id],
  );
  return { change, audit: rows[0] };
}

const REQUESTS = { name: 'requests', limit: 10, duration: 60_000, autoApply: true };
const TOKENS = { name: 'tokens', limit: 1000, duration: 3_600_000, autoApply: false };
const FORBIDDEN = { code: 'insufficient_permissions', status: 403 };
const MISSING = { code: 'identity_not_found', status: 404 };
const EXISTS = { code: 'identity_already_exists', status: 409 };

test('an identity is read by its id and by its externalId, with all that it was given', async () => {
  const id = await make('full', { meta: { plan: 'pro' }, ratelimits: [TOKENS, REQUESTS] });
  const view = await get(id);
  expect(view).toEqual({
    id,
    externalId: 'full',
    meta: { plan: 'pro' },
    ratelimits: [
      { id: expect.stringMatching(/^rl_/), ...REQUESTS },
      { id: expect.stringMatching(/^rl_/), ...TOKENS },
    ],
  });
  expect(await get('full')).toEqual(view);
});

test('empty fields of an identity are left out of its view', async () => {
  const id = await make('bare', { ratelimits: [] });
  expect(await get(id)).toEqual({ id, externalId: 'bare' });
});

test('metadata is given back exactly as it came', async () => {
  const text =
    '{"z":1,"a":{"deep":[[],{},null,true,-0.5,1e+21,1e-7]},"":"empty name","ü\\n\\"":"\u{1F511}","n":9007199254740991}';
  const meta: Record<string, unknown> = JSON.parse(text);
  await make('exact', { meta });
  expect(JSON.stringify((await get('exact')).meta)).toBe(text);
  const { data } = await update({ identity: 'exact', meta: {} });
  expect(data.meta).toEqual({});
});

test('an externalId that is taken is a 409, in this workspace only', async () => {
  await make('taken');
  await expect(make('taken')).rejects.toMatchObject(EXISTS);
  const other = await makePrincipal(side.pool);
  const { data } = await side.manage.identities.createIdentity(contextOf(other), { externalId: 'taken' });
  expect(await get('taken', other)).toMatchObject({ id: data.identityId });
});

test('of calls that make the same identity at once, one makes it and the others are refused', async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 6 }, (_, n) => make('at once', { ratelimits: [REQUESTS], meta: { n } })),
  );
  const made = results.filter((result) => result.status === 'fulfilled');
  expect(made).toHaveLength(1);
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject(EXISTS);
  }
  expect((await get('at once')).id).toBe(made[0]?.value);
});

test('an identity that a key brought is one like any other', async () => {
  await makeKey('by key');
  await expect(make('by key')).rejects.toMatchObject(EXISTS);
  expect(await get('by key')).toMatchObject({ externalId: 'by key' });
});

test('an id wins over an equal externalId of another identity', async () => {
  const first = await make('first');
  const second = await make(first);
  expect(await get(first)).toMatchObject({ id: first });
  await remove(first);
  expect(await get(first)).toMatchObject({ id: second });
});

test('an update keeps what is absent, sets what is given, and answers the identity', async () => {
  const id = await make('changing', { meta: { a: 1 }, ratelimits: [REQUESTS, TOKENS] });
  const before = await get(id);
  expect((await update({ identity: 'changing' })).data).toEqual(before);
  expect((await update({ identity: id, meta: { b: 2 } })).data).toEqual({ ...before, meta: { b: 2 } });
  const { data } = await update({ identity: id, ratelimits: [{ ...REQUESTS, limit: 20 }] });
  expect(data).toEqual({
    id,
    externalId: 'changing',
    meta: { b: 2 },
    ratelimits: [{ ...before.ratelimits?.[0], limit: 20 }],
  });
  expect((await update({ identity: id, ratelimits: [] })).data).not.toHaveProperty('ratelimits');
  expect(await get(id)).toEqual({ id, externalId: 'changing', meta: { b: 2 } });
});

test('an update revokes exactly when a rate limit is new or stricter', async () => {
  const id = await make('revoking');
  const revokes = async (input: Omit<UpdateIdentityInput, 'identity'>) =>
    (await update({ identity: id, ...input })).revokes;
  expect(await revokes({ meta: { a: 1 } })).toBe(false);
  expect(await revokes({ ratelimits: [REQUESTS] })).toBe(true);
  expect(await revokes({ ratelimits: [REQUESTS] })).toBe(false);
  expect(await revokes({ ratelimits: [{ ...REQUESTS, limit: 11 }] })).toBe(false);
  expect(await revokes({ ratelimits: [REQUESTS] })).toBe(true);
  expect(await revokes({ ratelimits: [{ ...REQUESTS, duration: 60_001 }] })).toBe(true);
  expect(await revokes({ ratelimits: [] })).toBe(false);
});

test('each write leaves its change row and an audit line that tells nothing of the customer', async () => {
  const { manage, principal } = side;
  const input = { externalId: 'private.1', meta: { secret: 'confidential' }, ratelimits: [REQUESTS] };
  const created = await manage.identities.createIdentity(contextOf(principal), input);
  const id = created.data.identityId;
  const writes: [action: string, write: () => Promise<{ revision: { xid: bigint } }>][] = [
    ['identity.create', () => Promise.resolve(created)],
    ['identity.update', () => update({ identity: 'private.1', meta: { other: 'confidential' } })],
    ['identity.update', () => update({ identity: 'private.1', ratelimits: [] })],
    ['identity.delete', () => remove('private.1')],
  ];
  for (const [action, write] of writes) {
    const xid = (await write()).revision.xid.toString();
    const { change, audit } = await lastTrace(id);
    expect(change).toMatchObject({ kind: 'identity', hash: null, xid });
    expect(audit).toMatchObject({ action, xid });
    expect(JSON.stringify(audit)).not.toMatch(/private|confidential|requests/);
  }
});

test('a deleted identity leaves an emptied row, and its externalId is free at once', async () => {
  const id = await make('leaving', { meta: { a: 1 }, ratelimits: [REQUESTS] });
  expect((await remove('leaving')).revokes).toBe(false);
  for (const identity of [id, 'leaving', `deleted ${id}`]) {
    await expect(get(identity)).rejects.toMatchObject(MISSING);
    await expect(update({ identity, meta: {} })).rejects.toMatchObject(MISSING);
    await expect(remove(identity)).rejects.toMatchObject(MISSING);
  }
  const { rows } = await side.pool.query(
    'select meta, external_id, deleted_at from identities where id = $1',
    [id],
  );
  expect(rows).toEqual([{ meta: null, external_id: `deleted ${id}`, deleted_at: expect.any(Date) }]);
  const limits = await side.pool.query('select from rate_limits where identity_id = $1', [id]);
  expect(limits.rowCount).toBe(0);
  const next = await make('leaving');
  expect(await get('leaving')).toEqual({ id: next, externalId: 'leaving' });
});

test('keys of a deleted identity stay, without it, and do not belong to the next one', async () => {
  const { keyId, key } = await makeKey('owner');
  const { id } = await get('owner');
  const reader = new RecordReader(side.pool);
  const sharedWith = async () => {
    const read = (await reader.readRecords([hashKey(key)])).keys.get(hashKey(key));
    return read?.shared.filter(({ kind }) => kind === 'identity').map((object) => object.id);
  };
  expect(await sharedWith()).toEqual([id]);
  await remove('owner');
  expect(await sharedWith()).toEqual([]);
  expect(await reader.readShared([{ kind: 'identity', id }])).toEqual([]);
  const other = await makeKey('owner');
  expect(await side.manage.keys.getKey(side.principal, { keyId })).not.toHaveProperty('identity');
  const { identity } = await side.manage.keys.getKey(side.principal, { keyId: other.keyId });
  expect(identity).toEqual({ id: (await get('owner')).id, externalId: 'owner' });
});

test('keys that are made while their identity is deleted have the one that is there then, or none', async () => {
  const context = contextOf(side.principal);
  const { apiId } = (await side.manage.apis.createApi(context, { name: 'payments' })).data;
  const create = () => side.manage.keys.createKey(context, { apiId, externalId: 'churn' });
  const keyIds: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    const [first, , ...others] = [
      await create(),
      ...(await Promise.all([remove('churn'), create(), create()])),
    ];
    keyIds.push(...[first, ...others].map(({ data }) => data.keyId));
  }
  await remove('churn').catch(() => undefined);
  const { keyId } = (await create()).data;
  const owners = await Promise.all(
    [...keyIds, keyId].map(
      async (id) => (await side.manage.keys.getKey(side.principal, { keyId: id })).identity,
    ),
  );
  expect(owners.slice(0, -1)).toEqual(keyIds.map(() => undefined));
  expect(owners.at(-1)).toEqual({ id: (await get('churn')).id, externalId: 'churn' });
});

test('a repeat with the same Idempotency-Key is answered as the first one was, and metadata that was sent is stored once', async () => {
  const context = (key: string) => contextOf(side.principal, idempotencyOf(key, 'hash'));
  const { identities } = side.manage;
  const input = { externalId: 'repeated', meta: { text: 'original' }, ratelimits: [REQUESTS] };
  const created = await identities.createIdentity(context('create'), input);
  const change = { identity: 'repeated', meta: { text: 'changed' } };
  const updated = await identities.updateIdentity(context('update'), change);
  const limited = await identities.updateIdentity(context('limit'), { identity: 'repeated', ratelimits: [] });
  await update({ identity: 'repeated', meta: { text: 'later' }, ratelimits: [TOKENS] });

  expect(await identities.createIdentity(context('create'), input)).toEqual({ ...created, replayed: true });
  const again = await identities.updateIdentity(context('update'), change);
  expect(again).toEqual({ ...updated, replayed: true });
  expect(again.data).toMatchObject({ meta: { text: 'changed' }, ratelimits: [REQUESTS] });
  const limitedAgain = await identities.updateIdentity(context('limit'), {
    identity: 'repeated',
    ratelimits: [],
  });
  expect(limitedAgain).toEqual({ ...limited, replayed: true });
  const { rows } = await side.pool.query<{ answer: unknown }>(
    `select answer from idempotency_keys where key = 'update'`,
  );
  expect(JSON.stringify(rows)).not.toContain('changed');
});

test('403 without the permission, whether there is such an identity or not', async () => {
  const id = await make('guarded');
  const { identities } = side.manage;
  const none = allowed(
    ...(['read', 'update', 'delete'] as const).map((verb) => `identity.id_other.${verb}_identity`),
  );
  for (const identity of [id, 'guarded', 'nobody']) {
    await expect(get(identity, none)).rejects.toMatchObject(FORBIDDEN);
    const change = identities.updateIdentity(contextOf(none), { identity, meta: {} });
    await expect(change).rejects.toMatchObject(FORBIDDEN);
    await expect(identities.deleteIdentity(contextOf(none), { identity })).rejects.toMatchObject(FORBIDDEN);
  }
  await expect(identities.createIdentity(contextOf(none), { externalId: 'guarded' })).rejects.toMatchObject(
    FORBIDDEN,
  );
  await expect(identities.listIdentities(none, {})).rejects.toMatchObject(FORBIDDEN);
});

test('one permission each suffices, also that of the one identity', async () => {
  const { identities } = side.manage;
  const creator = contextOf(allowed('identity.*.create_identity'));
  const { data } = await identities.createIdentity(creator, {
    externalId: 'minimal',
    ratelimits: [REQUESTS],
  });
  const one = allowed(`identity.${data.identityId}.read_identity`);
  expect(await get('minimal', one)).toMatchObject({ id: data.identityId });
  expect(await get('minimal', allowed('identity.*.read_identity'))).toMatchObject({ id: data.identityId });
  // The permission names an id, never an externalId.
  await expect(get('minimal', allowed('identity.minimal.read_identity'))).rejects.toMatchObject(FORBIDDEN);
  const updater = contextOf(allowed('identity.*.update_identity'));
  await identities.updateIdentity(updater, { identity: 'minimal', ratelimits: [] });
  const own = contextOf(allowed(`identity.${data.identityId}.update_identity`));
  await identities.updateIdentity(own, { identity: 'minimal', meta: { by: 'externalId' } });
  await identities.updateIdentity(own, { identity: data.identityId, meta: { by: 'id' } });
  await identities.deleteIdentity(contextOf(allowed(`identity.${data.identityId}.delete_identity`)), {
    identity: 'minimal',
  });
  await expect(get(data.identityId, one)).rejects.toMatchObject(MISSING);
  await make('next');
  await identities.deleteIdentity(contextOf(allowed('identity.*.delete_identity')), { identity: 'next' });
  await expect(get('next')).rejects.toMatchObject(MISSING);
});

test("another workspace's identity does not exist", async () => {
  const id = await make('hidden', { meta: { a: 1 } });
  const stranger = await makePrincipal(side.pool);
  const { identities } = side.manage;
  for (const identity of [id, 'hidden']) {
    await expect(get(identity, stranger)).rejects.toMatchObject(MISSING);
    const change = identities.updateIdentity(contextOf(stranger), { identity, meta: {} });
    await expect(change).rejects.toMatchObject(MISSING);
    const deletion = identities.deleteIdentity(contextOf(stranger), { identity });
    await expect(deletion).rejects.toMatchObject(MISSING);
  }
  expect(await identities.listIdentities(stranger, {})).toEqual({ items: [], cursor: null });
  const reader = await makePrincipal(side.pool, [`identity.${id}.read_identity`]);
  await expect(get(id, reader)).rejects.toMatchObject(MISSING);
  await expect(get('hidden', reader)).rejects.toMatchObject(FORBIDDEN);
  expect(await get(id)).toMatchObject({ meta: { a: 1 } });
});

/** A workspace of its own, with these identities: id `id_<name>`. */
async function workspaceOf(...names: readonly string[]): Promise<Principal> {
  const principal = await makePrincipal(side.pool);
  await put(principal, ...names);
  return principal;
}

async function put(principal: Principal, ...names: readonly string[]): Promise<void> {
  await side.pool.query(
    `insert into identities (id, workspace_id, external_id)
     select 'id_' || $1 || name, $1, name from unnest($2::text[]) as name`,
    [principal.workspaceId, names],
  );
}

/** The externalIds of all pages, and what the test does after each of them. */
async function readAll(
  principal: Principal,
  input: ListIdentitiesInput,
  afterPage: () => Promise<void> = async () => {},
): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const place = cursor === undefined ? {} : { cursor };
    const page = await side.manage.identities.listIdentities(principal, { ...input, ...place });
    pages.push(page.items.map(({ externalId }) => externalId));
    cursor = page.cursor ?? undefined;
    if (cursor !== undefined) await afterPage();
  } while (cursor !== undefined);
  return pages;
}

test('a list shows each identity as getIdentity does, and ends', async () => {
  const principal = await workspaceOf('a', 'b', 'c', 'd');
  const { identities } = side.manage;
  const change = { identity: 'b', meta: { a: 1 }, ratelimits: [REQUESTS] };
  const { data } = await identities.updateIdentity(contextOf(principal), change);
  const { items } = await identities.listIdentities(principal, {});
  expect(items).toHaveLength(4);
  expect(items[1]).toEqual(data);
  expect(items[0]).toEqual(await get('a', principal));
  expect(await readAll(principal, { limit: 2 })).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  expect(await readAll(principal, { limit: 3 })).toEqual([['a', 'b', 'c'], ['d']]);
  await identities.deleteIdentity(contextOf(principal), { identity: 'c' });
  expect(await readAll(principal, {})).toEqual([['a', 'b', 'd']]);
});

test('identities made and deleted between pages neither repeat nor hide one that was there all along', async () => {
  const existing = ['b1', 'd1', 'f1', 'h1', 'j1'];
  const principal = await workspaceOf(...existing, 'e1');
  let round = 0;
  const pages = await readAll(principal, { limit: 1 }, async () => {
    round += 1;
    await put(principal, ...['a', 'c', 'g', 'k'].map((name) => `${name}-new${round}`));
    if (round === 1) {
      await side.manage.identities.deleteIdentity(contextOf(principal), { identity: 'e1' });
    }
  });
  const seen = pages.flat();
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.filter((name) => existing.includes(name))).toEqual(existing);
  expect(seen).not.toContain('e1');
});

test('a search finds parts of ids and externalIds in any case, and takes no character for a pattern', async () => {
  const principal = await workspaceOf('Anna.B', 'anna_b', 'joanna', 'otto', '100%', 'back\\slash');
  const find = async (search: string) => (await readAll(principal, { search })).flat().toSorted();
  expect(await find('ANNA')).toEqual(['Anna.B', 'anna_b', 'joanna']);
  expect(await find('anna_')).toEqual(['anna_b']);
  expect(await find('0%')).toEqual(['100%']);
  expect(await find('%')).toEqual(['100%']);
  expect(await find('K\\S')).toEqual(['back\\slash']);
  expect(await find('nobody')).toEqual([]);
  expect(await find('')).toHaveLength(6);
  expect(await find(`${principal.workspaceId}otto`.toUpperCase())).toEqual(['otto']);
  expect(await readAll(principal, { search: 'anna', limit: 1 })).toHaveLength(3);
});

test('a page ends early where metadata is large, and the next one goes on behind it', async () => {
  const principal = await workspaceOf('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j');
  const meta = JSON.stringify({ text: 'x'.repeat(1024 * 1024 - 11) });
  await side.pool.query('update identities set meta = $2 where workspace_id = $1', [
    principal.workspaceId,
    meta,
  ]);
  const pages = [
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'],
    ['i', 'j'],
  ];
  expect(await readAll(principal, {})).toEqual(pages);
  expect(await readAll(principal, { limit: 8 })).toEqual(pages);
  expect((await readAll(principal, { limit: 9 })).map((page) => page.length)).toEqual([8, 2]);
});

test('of many identities, one and a page are read by indexes', async () => {
  const database = new URL(await postgres.createDatabase()).pathname.slice(1);
  const client = new pg.Client({ connectionString: databaseUrl(postgres.primary.adminUrl, database) });
  await client.connect();
  try {
    await client.query(`
      insert into workspaces (id, name) values ('ws_1', 'one'), ('ws_2', 'two');
      insert into identities (id, workspace_id, external_id)
        select 'id_' || i, 'ws_' || (1 + i % 2), 'user_' || i from generate_series(1, 20000) i`);
    await client.query('vacuum analyze');
    const reads: [text: string, values: string, rowsMax: number][] = [
      [READ_IDENTITIES, `'ws_1', null, null, 101, 8388608`, 101],
      [READ_IDENTITIES, `'ws_1', 'id_5', null, 101, 8388608`, 101],
      [`select i.id from identities i where ${BY_IDENTITY}`, `'ws_1', 'id_78'`, 1],
      [`select i.id from identities i where ${BY_IDENTITY}`, `'ws_1', 'user_78'`, 1],
    ];
    for (const [text, values, most] of reads) {
      for (const mode of ['force_custom_plan', 'force_generic_plan']) {
        await client.query(`set plan_cache_mode = ${mode}`);
        await client.query('deallocate all');
        await client.query(`prepare reads as ${text}`);
        const { scanned, rowsMax } = await explain(rowsOf(client), `execute reads (${values})`);
        const found = { mode, values, scanned: scanned.includes('identities'), within: rowsMax <= most };
        expect(found).toEqual({ mode, values, scanned: false, within: true });
      }
    }
  } finally {
    await client.end();
  }
});
