import { hash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import {
  contextOf,
  makePrincipal,
  makeWriteSide,
  readChanges,
  type WriteSide,
} from '../../test/write-side.ts';
import { asHash } from '../../test/records.ts';
import type { Principal } from '../domain/principal.ts';
import { RecordReader } from '../store/record-reader.ts';
import type { CreateKeyInput } from './keys/types.ts';
import type { RateLimitInput } from './types.ts';

/** What calls make of `exact` and `onUnavailable`, and how verifications read it. */
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

let principal: Principal;
let apiId: string;
beforeEach(async () => {
  principal = await makePrincipal(side.pool);
  apiId = (await side.manage.apis.createApi(contextOf(principal), { name: 'payments' })).data.apiId;
});

const LOOSE: RateLimitInput = { name: 'loose', limit: 10, duration: 60_000, autoApply: true };
const LOCAL: RateLimitInput = { ...LOOSE, name: 'local', exact: true };
const DENY: RateLimitInput = { ...LOOSE, name: 'strict', exact: true, onUnavailable: 'deny' };
const ALL = [DENY, LOCAL, { ...LOOSE, exact: false }];
const id = expect.stringMatching(/^rl_/);
/** Sorted by name; what isn't exact says nothing of it. */
const SHOWN = [
  { id, ...LOCAL, onUnavailable: 'local' },
  { id, ...LOOSE },
  { id, ...DENY },
];
const READ = [
  { id, name: 'local', limit: 10, durationMs: 60_000, autoApply: true, exact: 'local' },
  { id, name: 'loose', limit: 10, durationMs: 60_000, autoApply: true },
  { id, name: 'strict', limit: 10, durationMs: 60_000, autoApply: true, exact: 'deny' },
];

async function makeKey(input: Partial<CreateKeyInput> = {}) {
  return (await side.manage.keys.createKey(contextOf(principal), { apiId, ...input })).data;
}

const view = async (keyId: string) => await side.manage.keys.getKey(principal, { keyId });

async function hashOf(keyId: string) {
  const { rows } = await side.pool.query<{ hash: string }>(
    `select encode(hash, 'hex') as hash from keys where id = $1`,
    [keyId],
  );
  return asHash(rows[0]?.hash ?? '');
}

/** As verifications read the key, with its identity. */
async function read(keyId: string) {
  const keyHash = await hashOf(keyId);
  const found = (await new RecordReader(side.pool).readRecords([keyHash])).keys.get(keyHash);
  const identity = found?.shared.find((object) => object.kind === 'identity');
  return { key: found?.row.ratelimits, identity: identity?.ratelimits };
}

test('of a key: stored, shown by every call that shows keys, and read by verifications', async () => {
  const { keyId, key } = await makeKey({ ratelimits: ALL });
  expect((await view(keyId)).ratelimits).toEqual(SHOWN);
  expect((await side.manage.keys.whoami(principal, { key })).ratelimits).toEqual(SHOWN);
  const { items } = await side.manage.apis.listKeys(principal, { apiId });
  expect(items.map(({ ratelimits }) => ratelimits)).toEqual([SHOWN]);
  expect((await read(keyId)).key).toEqual(READ);
});

test('of an identity: shown by every call that shows it, alone and with its keys', async () => {
  const externalId = 'user';
  const { identities } = side.manage;
  await identities.createIdentity(contextOf(principal), { externalId, ratelimits: ALL });
  expect((await identities.getIdentity(principal, { identity: externalId })).ratelimits).toEqual(SHOWN);
  const { items } = await identities.listIdentities(principal, {});
  expect(items.map(({ ratelimits }) => ratelimits)).toEqual([SHOWN]);
  const { keyId } = await makeKey({ externalId });
  expect((await view(keyId)).identity?.ratelimits).toEqual(SHOWN);
  expect((await read(keyId)).identity).toEqual(READ);
});

test('an update changes nothing but what it says, keeps the counter, and is a change of the key', async () => {
  const { keyId } = await makeKey({ ratelimits: [LOOSE] });
  const before = (await view(keyId)).ratelimits?.[0]?.id;
  const update = async (limit: RateLimitInput) => {
    const { length } = await readChanges(side.pool);
    const { revokes } = await side.manage.keys.updateKey(contextOf(principal), {
      keyId,
      ratelimits: [limit],
    });
    const kinds = (await readChanges(side.pool)).slice(length).map((change) => [change.kind, change.id]);
    expect(kinds).toEqual([['key', keyId]]);
    return { revokes, limits: (await view(keyId)).ratelimits };
  };
  const same = { ...LOOSE, id: before };
  expect(await update({ ...LOOSE, exact: true })).toEqual({
    revokes: true,
    limits: [{ ...same, exact: true, onUnavailable: 'local' }],
  });
  expect(await update({ ...LOOSE, exact: true, onUnavailable: 'deny' })).toEqual({
    revokes: true,
    limits: [{ ...same, exact: true, onUnavailable: 'deny' }],
  });
  expect((await read(keyId)).key).toMatchObject([{ exact: 'deny' }]);
  expect(await update(LOOSE)).toEqual({ revokes: false, limits: [same] });
  expect((await read(keyId)).key).toEqual([expect.not.objectContaining({ exact: expect.anything() })]);
  // Exact again, it is local again: nothing of before is remembered.
  expect(await update({ ...LOOSE, exact: true })).toMatchObject({ limits: [{ onUnavailable: 'local' }] });
});

test('an update of an identity that changes only this is a change of it', async () => {
  const externalId = 'user';
  const context = contextOf(principal);
  await side.manage.identities.createIdentity(context, { externalId, ratelimits: [LOOSE] });
  const { length } = await readChanges(side.pool);
  const { data, revokes } = await side.manage.identities.updateIdentity(context, {
    identity: externalId,
    ratelimits: [{ ...LOOSE, exact: true, onUnavailable: 'deny' }],
  });
  expect([revokes, data.ratelimits]).toEqual([true, [{ id, ...LOOSE, exact: true, onUnavailable: 'deny' }]]);
  expect((await readChanges(side.pool)).slice(length)).toMatchObject([{ kind: 'identity', id: data.id }]);
});

test('imported and rerolled keys have them, too', async () => {
  const { data } = await side.manage.keys.migrateKeys(contextOf(principal), {
    migrationId: 'mig_1',
    apiId,
    keys: [{ hash: hash('sha256', principal.workspaceId, 'hex'), ratelimits: ALL }],
  });
  const keyId = data.migrated[0]?.keyId ?? '';
  expect((await view(keyId)).ratelimits).toEqual(SHOWN);
  expect((await read(keyId)).key).toEqual(READ);
  const old = await makeKey({ ratelimits: ALL });
  const next = await side.manage.keys.rerollKey(contextOf(principal), { keyId: old.keyId, expiration: 0 });
  expect((await view(next.data.keyId)).ratelimits).toEqual(SHOWN);
});
