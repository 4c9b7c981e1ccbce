import { hash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../test/postgres.ts';
import {
  contextOf,
  idempotencyOf,
  makePrincipal,
  makeWriteSide,
  readChanges,
  type WriteSide,
} from '../../../test/write-side.ts';
import { importedHash } from '../../domain/held-under.ts';
import type { Principal } from '../../domain/principal.ts';
import type { ImportedKey, MigrateKeysInput } from './types.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

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

// One database; each test has a workspace of its own.
let principal: Principal;
let apiId: string;
beforeEach(async () => {
  principal = await makePrincipal(side.pool);
  apiId = await makeApi(principal);
});

async function makeApi(owner: Principal): Promise<string> {
  return (await side.manage.apis.createApi(contextOf(owner), { name: 'payments' })).data.apiId;
}

const sha256 = (text: string): string => hash('sha256', text, 'hex');

async function migrate(
  keys: readonly (ImportedKey | string)[],
  more: Partial<MigrateKeysInput> = {},
  by = principal,
  { keys: calls } = side.manage,
) {
  return await calls.migrateKeys(contextOf(by), {
    migrationId: 'mig_1',
    apiId,
    keys: keys.map((key) => (typeof key === 'string' ? { hash: key } : key)),
    ...more,
  });
}

/** In a task of its own, since one task does its imports of a workspace one after the other. */
async function migrateElsewhere(keys: readonly (ImportedKey | string)[]) {
  return await migrate(keys, {}, principal, side.manageOfATask());
}

async function storedHash(keyId: string | undefined): Promise<string | undefined> {
  const { rows } = await side.pool.query<{ hash: string }>(
    `select encode(hash, 'hex') as hash from keys where id = $1`,
    [keyId],
  );
  return rows[0]?.hash;
}

/** All rows of a workspace that an import writes. */
async function rowsOf({ workspaceId }: Principal): Promise<unknown> {
  const { rows } = await side.pool.query(
    `select (select json_agg(k order by id) from keys k where workspace_id = $1) as keys,
       (select json_agg(i order by id) from identities i where workspace_id = $1) as identities,
       (select json_agg(p order by id) from permissions p where workspace_id = $1) as permissions,
       (select json_agg(c order by id) from credit_accounts c where workspace_id = $1) as accounts,
       (select json_agg(l order by id) from rate_limits l where workspace_id = $1) as limits`,
    [workspaceId],
  );
  return rows[0];
}

test('an imported key has all that it was given', async () => {
  await side.pool.query(`insert into roles (id, workspace_id, name) values ($1, $2, 'reader')`, [
    `role_${apiId}`,
    principal.workspaceId,
  ]);
  side.nowMs = () => Date.UTC(2026, 0, 31, 12);
  const { data, revokes } = await migrate([
    {
      hash: sha256('one'),
      name: 'one',
      externalId: 'user.1',
      meta: { plan: 'pro', '': [1e20, 'é'] },
      roles: ['reader', 'reader'],
      permissions: ['docs.write', 'docs.list', 'docs.write'],
      expires: 4_000_000_000_123,
      enabled: false,
      credits: { remaining: 5, refill: { interval: 'monthly', amount: 9, refillDay: 31 } },
      ratelimits: [{ name: 'requests', limit: 10, duration: 60_000, autoApply: true }],
    },
  ]);
  side.nowMs = () => Date.now();
  expect(data).toEqual({
    migrated: [{ hash: sha256('one'), keyId: expect.stringMatching(/^key_/) }],
    failed: [],
  });
  expect(revokes).toBe(false);
  const keyId = data.migrated[0]?.keyId ?? '';
  expect(await side.manage.keys.getKey(principal, { keyId })).toEqual({
    keyId,
    start: '****',
    enabled: false,
    name: 'one',
    meta: { plan: 'pro', '': [1e20, 'é'] },
    createdAt: expect.any(Number),
    expires: 4_000_000_000_123,
    roles: ['reader'],
    permissions: ['docs.list', 'docs.write'],
    credits: { remaining: 5, refill: { interval: 'monthly', amount: 9, refillDay: 31 } },
    ratelimits: [
      { id: expect.stringMatching(/^rl_/), name: 'requests', limit: 10, duration: 60_000, autoApply: true },
    ],
    identity: { id: expect.stringMatching(/^id_/), externalId: 'user.1' },
  });
  const { rows } = await side.pool.query(
    `select k.migration_id, k.byte_length, c.granted, c.refill_at
     from keys k join credit_accounts c on c.id = k.credit_account_id where k.id = $1`,
    [keyId],
  );
  expect(rows).toEqual([
    {
      migration_id: 'mig_1',
      byte_length: null,
      granted: '5',
      refill_at: new Date('2026-02-28T00:00:00Z'),
    },
  ]);
});

test('what is not given is as with a key that is made: enabled, unlimited, of nobody', async () => {
  const { data } = await migrate([sha256('bare'), { hash: sha256('free'), credits: { remaining: null } }]);
  for (const { keyId } of data.migrated) {
    const view = await side.manage.keys.getKey(principal, { keyId });
    expect(view).toMatchObject({ keyId, start: '****', enabled: true });
    expect(view).not.toHaveProperty('identity');
    expect(view).not.toHaveProperty('expires');
  }
  const { rows } = await side.pool.query(
    'select from keys where credit_account_id is not null and api_id = $1',
    [apiId],
  );
  expect(rows).toEqual([]);
});

test('a hash is taken as hex of either case, base64 and base64url, and is the same key in each', async () => {
  // A hash whose base64 has characters that the two alphabets write differently.
  const text = Array.from({ length: 1000 }, (_, n) => `key ${n}`).find((candidate) => {
    const base64 = hash('sha256', candidate, 'base64');
    return base64.includes('+') && base64.includes('/');
  });
  const digest = hash('sha256', text ?? '', 'buffer');
  const forms = [
    digest.toString('hex').toUpperCase(),
    digest.toString('hex'),
    digest.toString('base64'),
    digest.toString('base64').replace('=', ''),
    digest.toString('base64url'),
    `${digest.toString('base64url')}=`,
  ];
  const { data } = await migrate(forms);
  expect(data.migrated.map((key) => key.hash)).toEqual([forms[0]]);
  expect(data.failed).toEqual(forms.slice(1));
  expect(await storedHash(data.migrated[0]?.keyId)).toBe(
    importedHash(principal.workspaceId, 'sha256', 'mig_1', digest.toString('hex')),
  );
});

test.each([
  ['63 digits', sha256('a').slice(1)],
  ['65 digits', `${sha256('a')}0`],
  ['a letter that is no digit', `g${sha256('a').slice(1)}`],
  ['base64 of 31 bytes', Buffer.alloc(31).toString('base64')],
  ['base64 of 33 bytes', Buffer.alloc(33).toString('base64')],
  ['base64 with bits that no byte holds', `${'A'.repeat(42)}B`],
  ['both alphabets of base64', `+_${'A'.repeat(41)}`],
  ['a line break', `${sha256('a')}\n`],
  ['behind an unknown prefix', `md5:${sha256('a')}`],
  ['behind a prefix in other letters', `prefixedapikey:${sha256('a')}`],
  ['behind two prefixes', `sha256:prefixedApiKey:${sha256('a')}`],
  ['behind no prefix but its colon', `:${sha256('a')}`],
  ['a prefix alone', 'prefixedApiKey:'],
  ['nothing', ''],
])('a hash that is %s is refused by its place, and nothing is imported', async (_name, wrong) => {
  await expect(migrate([sha256('good'), { hash: wrong }])).rejects.toMatchObject({
    code: 'invalid_input',
    errors: [
      {
        location: 'body.keys[1].hash',
        message: expect.stringContaining('SHA-256'),
        fix: expect.stringMatching(/64 hex digits.*base64 or base64url.*"prefixedApiKey:".*"sha256:"/),
      },
    ],
  });
  expect(await rowsOf(principal)).toMatchObject({ keys: null });
});

test('hashes that the workspace has, in any of its APIs, and repeats in a call fail; the others are imported', async () => {
  const [a, b, c] = [sha256('a'), sha256('b'), sha256('c')];
  await migrate([a]);
  const limited = { credits: { remaining: 1 }, permissions: ['p'], externalId: 'user' };
  const { data } = await migrate(
    [
      { ...limited, hash: a },
      { ...limited, hash: b, name: 'first' },
      { hash: b.toUpperCase(), name: 'second' },
      { hash: c },
    ],
    { apiId: await makeApi(principal), migrationId: 'mig_2' },
  );
  expect(data.migrated.map((key) => key.hash)).toEqual([b, c]);
  expect(data.failed).toEqual([a, b.toUpperCase()]);
  const keyId = data.migrated[0]?.keyId ?? '';
  expect(await side.manage.keys.getKey(principal, { keyId })).toMatchObject({ name: 'first' });
  // Of what failed nothing is left behind.
  expect(await rowsOf(principal)).toMatchObject({ keys: { length: 3 }, accounts: { length: 1 } });
  expect((await migrate([a, b, c])).data).toEqual({ migrated: [], failed: [a, b, c] });
});

test('two workspaces import the same hash, and neither touches the other', async () => {
  const other = await makePrincipal(side.pool);
  const otherApi = await makeApi(other);
  const key = { hash: sha256('same'), externalId: 'user', permissions: ['p'], credits: { remaining: 1 } };
  const theirs = (await migrate([key], { apiId: otherApi }, other)).data.migrated[0];
  const before = await rowsOf(other);
  const ours = (await migrate([key, { ...key, hash: sha256('more') }])).data;
  expect(ours.failed).toEqual([]);
  expect(await storedHash(ours.migrated[0]?.keyId)).not.toBe(await storedHash(theirs?.keyId));
  // Not under the plain hash either, where a key's own text would find it.
  expect(await storedHash(theirs?.keyId)).not.toBe(sha256('same'));
  expect(await rowsOf(other)).toEqual(before);
});

test("another workspace's API is answered as one that is gone; without the permission nothing is looked at", async () => {
  const other = await makePrincipal(side.pool);
  const verifier: Principal = { ...principal, permissions: new Set(['api.api_else.create_key']) };
  const answer = { code: 'api_not_found', message: 'There is no such API.' };
  const hashes = [sha256('a')];
  await expect(migrate(hashes, {}, other)).rejects.toMatchObject(answer);
  await expect(migrate(hashes, { apiId: 'api_none' })).rejects.toMatchObject(answer);
  const lacks = { code: 'insufficient_permissions' };
  await expect(migrate(hashes, {}, verifier)).rejects.toMatchObject(lacks);
  await expect(migrate(hashes, { apiId: 'api_none' }, verifier)).rejects.toMatchObject(lacks);
  await side.pool.query('update apis set deleted_at = now() where id = $1', [apiId]);
  await expect(migrate(hashes)).rejects.toMatchObject(answer);
  expect(await rowsOf(principal)).toMatchObject({ keys: null });
  expect(await rowsOf(other)).toMatchObject({ keys: null });
});

test('a permission for the one API is enough, and unknown permissions are made only by who may', async () => {
  const by: Principal = { ...principal, permissions: new Set([`api.${apiId}.create_key`]) };
  await expect(migrate([{ hash: sha256('a'), permissions: ['new.one'] }], {}, by)).rejects.toMatchObject({
    code: 'insufficient_permissions',
  });
  expect(await rowsOf(principal)).toMatchObject({ keys: null, permissions: null });
  await migrate([{ hash: sha256('a'), permissions: ['new.one'] }]);
  expect((await migrate([{ hash: sha256('b'), permissions: ['new.one'] }], {}, by)).data.failed).toEqual([]);
});

test('a role that there is not refuses the whole call', async () => {
  const keys = [{ hash: sha256('a') }, { hash: sha256('b'), roles: ['nobody'] }];
  await expect(migrate(keys)).rejects.toMatchObject({
    code: 'role_not_found',
    message: expect.stringContaining('nobody'),
  });
  expect(await rowsOf(principal)).toMatchObject({ keys: null });
});

test('a hash says itself what it was made of, and one call may mix them', async () => {
  const digest = hash('sha256', 'long', 'buffer');
  const forms = [
    `prefixedApiKey:${digest.toString('base64')}`,
    digest.toString('hex'),
    `sha256:${digest.toString('base64url')}`,
    `prefixedApiKey:${digest.toString('hex').toUpperCase()}`,
  ];
  const { data } = await migrate(forms);
  // As they were sent, prefix and all.
  expect(data.migrated.map((key) => key.hash)).toEqual(forms.slice(0, 2));
  expect(data.failed).toEqual(forms.slice(2));
  const held = await Promise.all(data.migrated.map(async ({ keyId }) => await storedHash(keyId)));
  expect(held).toEqual(
    (['prefixedApiKey', 'sha256'] as const).map((format) =>
      importedHash(principal.workspaceId, format, 'mig_1', sha256('long')),
    ),
  );
  // A later call of the migration isn't bound by it, and another migration has the prefixed hash for itself.
  expect((await migrate([`prefixedApiKey:${sha256('b')}`, sha256('c')])).data.failed).toEqual([]);
  expect((await migrate(forms.slice(0, 2), { migrationId: 'mig_2' })).data).toMatchObject({
    migrated: [{ hash: forms[0] }],
    failed: [forms[1]],
  });
});

test('a key that was deleted is imported again, as another one, and the feed tells of its hash', async () => {
  const first = (await migrate([sha256('a'), sha256('b')])).data.migrated.map(({ keyId }) => keyId);
  const held = await storedHash(first[0]);
  await side.manage.keys.deleteKey(contextOf(principal), { keyId: first[0] ?? '' });
  const { data, revision } = await migrate([sha256('b'), sha256('a')]);
  expect(data).toMatchObject({ migrated: [{ hash: sha256('a') }], failed: [sha256('b')] });
  const second = data.migrated[0]?.keyId;
  expect(second).not.toBe(first[0]);
  const told = (await readChanges(side.pool)).filter(({ xid }) => xid === revision.xid.toString());
  expect(told).toEqual([expect.objectContaining({ kind: 'key', id: second, hash: held })]);
  expect(await storedHash(second)).toBe(held);
  expect(await storedHash(first[0])).not.toBe(held);
  // Deleted once more, and once more.
  await side.manage.keys.deleteKey(contextOf(principal), { keyId: second ?? '' });
  expect((await migrate([sha256('a')])).data.failed).toEqual([]);
});

test('keys of a deleted API are imported into another one; those of another workspace stay as they are', async () => {
  const other = await makePrincipal(side.pool);
  const gone = { apiId: await makeApi(other) };
  const theirs = (await migrate([sha256('a')], gone, other)).data.migrated[0]?.keyId;
  await side.manage.apis.deleteApi(contextOf(other), gone);
  const before = await rowsOf(other);
  const ours = (await migrate([sha256('a')])).data.migrated[0]?.keyId;
  await side.manage.apis.deleteApi(contextOf(principal), { apiId });
  const next = { apiId: await makeApi(principal) };
  const { data } = await migrate([sha256('a')], next);
  expect(data.failed).toEqual([]);
  expect(await storedHash(data.migrated[0]?.keyId)).not.toBe(await storedHash(ours));
  expect(await rowsOf(other)).toEqual(before);
  expect(await storedHash(theirs)).toBe(importedHash(other.workspaceId, 'sha256', 'mig_1', sha256('a')));
});

test('imports of the same deleted keys at the same time import each once', async () => {
  const hashes = Array.from({ length: 50 }, (_, n) => sha256(`deleted ${n}`));
  await migrate(hashes);
  await side.pool.query('update keys set deleted_at = now() where api_id = $1', [apiId]);
  const answers = await Promise.all(
    [hashes, hashes.toReversed(), hashes].map((all) => migrateElsewhere(all)),
  );
  expect(answers.flatMap(({ data }) => data.migrated)).toHaveLength(50);
  expect(answers.flatMap(({ data }) => data.failed)).toHaveLength(100);
});

test('each key has its change row, under what it is held under, and the call audit lines without hashes', async () => {
  const { data, revision } = await migrate([
    { hash: sha256('a'), name: 'secret name', externalId: 'someone', credits: { remaining: 1 } },
    sha256('b'),
    sha256('b'),
  ]);
  const xid = revision.xid.toString();
  const changes = (await readChanges(side.pool)).filter((change) => change.xid === xid);
  const keys = changes.filter(({ kind }) => kind === 'key');
  expect(keys.map(({ id }) => id)).toEqual(data.migrated.map(({ keyId }) => keyId));
  for (const { id, hash: held } of keys) expect(held).toBe(await storedHash(id));
  expect(changes.map(({ kind }) => kind).toSorted()).toEqual(['credits', 'identity', 'key', 'key']);
  const { rows } = await side.pool.query(
    'select action, target_id, detail from audit_log where xid = $1 order by action',
    [xid],
  );
  // What is made on the way has a line of its own, as by the call that makes it.
  expect(rows).toEqual([
    {
      action: 'identity.create',
      target_id: changes.find(({ kind }) => kind === 'identity')?.id,
      detail: { meta: false, ratelimits: 0 },
    },
    { action: 'key.migrate', target_id: 'mig_1', detail: { apiId, migrated: 2, failed: 1 } },
  ]);
});

test('a repeat with the same idempotency key answers the same keys', async () => {
  const context = contextOf(principal, idempotencyOf('once', 'hash'));
  const input = { migrationId: 'mig_1', apiId, keys: [{ hash: sha256('a') }, { hash: sha256('a') }] };
  const first = await side.manage.keys.migrateKeys(context, input);
  const again = await side.manage.keys.migrateKeys(context, input);
  expect(again).toEqual({ ...first, replayed: true });
  expect(first.data).toMatchObject({ migrated: { length: 1 }, failed: [sha256('a')] });
});

test('imports of the same keys at the same time import each key once', async () => {
  const keys = Array.from({ length: 200 }, (_, n) => ({
    hash: sha256(`key ${n}`),
    externalId: `user.${n % 20}`,
    permissions: [`p.${n % 10}`],
  }));
  const orders = [keys, keys.toReversed(), [...keys.slice(100), ...keys.slice(0, 100)]];
  const answers = await Promise.all(orders.map((order) => migrateElsewhere(order)));
  expect(answers.flatMap(({ data }) => data.migrated)).toHaveLength(200);
  expect(answers.flatMap(({ data }) => data.failed)).toHaveLength(400);
  expect(await rowsOf(principal)).toMatchObject({
    keys: { length: 200 },
    identities: { length: 20 },
    permissions: { length: 10 },
  });
});

test('5000 keys are imported by a few statements', async () => {
  await side.pool.query(`insert into roles (id, workspace_id, name) values ($1, $2, 'reader')`, [
    `role_${apiId}`,
    principal.workspaceId,
  ]);
  const keys = Array.from({ length: 5000 }, (_, n) => ({
    hash: sha256(`key ${n}`),
    externalId: `user.${n}`,
    roles: ['reader'],
    permissions: [`p.${n}`],
    credits: { remaining: n },
    ratelimits: [{ name: 'requests', limit: 1, duration: 1000, autoApply: true }],
  }));
  const connection = await side.pool.connect();
  const prototype: { query: unknown } = Object.getPrototypeOf(connection);
  connection.release();
  const query = vi.spyOn(prototype as { query: () => unknown }, 'query');
  const { data } = await migrate(keys);
  const statements = query.mock.calls.length;
  query.mockRestore();
  expect(data).toMatchObject({ migrated: { length: 5000 }, failed: [] });
  expect(statements).toBeLessThan(30);
  const view = await side.manage.keys.getKey(principal, { keyId: data.migrated[4999]?.keyId ?? '' });
  expect(view).toMatchObject({
    identity: { externalId: 'user.4999' },
    permissions: ['p.4999'],
    credits: { remaining: 4999 },
  });
});

test('the text of a key that the workspace made itself isn’t imported beside it, where it would outlive its deletion', async () => {
  const made = await side.manage.keys.createKey(contextOf(principal), { apiId });
  const brought = sha256(made.data.key);
  expect((await migrate([brought])).data).toEqual({ migrated: [], failed: [brought] });
  const other = await makePrincipal(side.pool);
  const theirs = await side.manage.apis.createApi(contextOf(other), { name: 'theirs' });
  const { data } = await migrate([brought], { apiId: theirs.data.apiId }, other);
  expect(data.failed).toEqual([]);
});
