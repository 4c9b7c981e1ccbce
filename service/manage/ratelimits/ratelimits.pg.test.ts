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
import { namespaceHash } from '../../domain/held-under.ts';
import type { Principal } from '../../domain/principal.ts';
import { RecordReader } from '../../store/record-reader.ts';
import type { Written } from '../types.ts';
import type { RatelimitCalls, SetOverrideInput } from './types.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
let side: WriteSide;
let calls: RatelimitCalls;
/** Of a workspace that each test has for itself, with a namespace `emails`. */
let principal: Principal;
let namespaceId: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
  side = await makeWriteSide(await postgres.createDatabase());
  calls = side.manage.ratelimits;
});
afterAll(async () => {
  await side.end();
  await postgres.stop();
});
beforeEach(async () => {
  principal = await makePrincipal(side.pool);
  namespaceId = (await createNamespace('emails')).data.namespaceId;
});

async function createNamespace(namespace: string, caller = principal) {
  return await calls.createNamespace(contextOf(caller), { namespace });
}

async function set(input: Partial<SetOverrideInput> = {}, caller = principal) {
  const full = { namespace: 'emails', identifier: 'user', limit: 10, duration: 60_000, ...input };
  return await calls.setOverride(contextOf(caller), full);
}

async function remove(identifier = 'user', caller = principal) {
  return await calls.deleteOverride(contextOf(caller), { namespace: 'emails', identifier });
}

async function expectChange({ revision }: Written<unknown>): Promise<void> {
  const rows = (await readChanges(side.pool)).filter((row) => row.xid === String(revision.xid));
  const hash = namespaceHash(principal.workspaceId, 'emails');
  expect(rows).toMatchObject([{ kind: 'namespace', id: namespaceId, hash }]);
}

async function auditOf({ revision }: Written<unknown>) {
  const { rows } = await side.pool.query<{ action: string; target_id: string; detail: object }>(
    'select action, target_id, detail from audit_log where xid = $1::text::xid8',
    [String(revision.xid)],
  );
  return rows;
}

test('a name that looks like the id of a namespace makes none: whoever gives it means the one with that id', async () => {
  await expect(createNamespace(namespaceId)).rejects.toMatchObject({ code: 'ratelimit_namespace_not_found' });
});

test('a namespace is made once, by however many calls at the same time, and found under its hash', async () => {
  const made = await Promise.all(Array.from({ length: 4 }, () => createNamespace('logins')));
  const ids = new Set(made.map(({ data }) => data.namespaceId));
  expect(ids.size).toBe(1);
  const audits = (await Promise.all(made.map(auditOf))).flat();
  expect(audits.filter(({ detail }) => 'made' in detail && detail.made === true)).toHaveLength(1);
  const hash = namespaceHash(principal.workspaceId, 'logins');
  const { namespaces } = await new RecordReader(side.pool).readRecords([hash]);
  expect(namespaces.get(hash)?.row).toMatchObject({
    namespaceId: [...ids][0],
    name: 'logins',
    deleted: false,
  });
});

test('the feed tells of a namespace also where it was there already', async () => {
  const again = await createNamespace('emails');
  expect(again).toMatchObject({ data: { namespaceId }, revokes: false });
  await expectChange(again);
});

test('workspaces have namespaces of the same name without knowing of each other', async () => {
  const stranger = await makePrincipal(side.pool);
  expect((await createNamespace('emails', stranger)).data.namespaceId).not.toBe(namespaceId);
});

test('an override is set, read back, and keeps its id when it is set again', async () => {
  const first = await set({ identifier: 'user *', limit: 0 });
  const { overrideId } = first.data;
  await expectChange(first);
  const audit = await auditOf(first);
  expect(audit).toMatchObject([{ action: 'override.set', target_id: overrideId }]);
  expect(JSON.stringify(audit)).not.toContain('user');
  const second = await set({ identifier: 'user *', limit: 7, duration: 1000, namespace: namespaceId });
  expect(second.data).toEqual({ overrideId });
  const view = { overrideId, identifier: 'user *', limit: 7, duration: 1000 };
  expect(await calls.getOverride(principal, { namespace: 'emails', identifier: 'user *' })).toEqual(view);
  expect(await calls.listOverrides(principal, { namespace: namespaceId })).toEqual({
    items: [view],
    cursor: null,
  });
});

test('the record of the namespace holds its overrides', async () => {
  const { overrideId } = (await set()).data;
  const hash = namespaceHash(principal.workspaceId, 'emails');
  const { namespaces } = await new RecordReader(side.pool).readRecords([hash]);
  expect(namespaces.get(hash)?.row.overrides).toEqual([
    { id: overrideId, identifier: 'user', limit: 10, durationMs: 60_000 },
  ]);
});

test('an override that is new, or stricter than before, is a revocation; a looser one is not', async () => {
  expect((await set()).revokes).toBe(true);
  expect((await set()).revokes).toBe(false);
  expect((await set({ limit: 11, duration: 30_000 })).revokes).toBe(false);
  expect((await set({ limit: 10, duration: 30_000 })).revokes).toBe(true);
  expect((await set({ limit: 99, duration: 30_001 })).revokes).toBe(true);
});

test('calls that set the same override at the same time make one', async () => {
  const made = await Promise.all([1, 2, 3, 4].map((limit) => set({ limit })));
  expect(new Set(made.map(({ data }) => data.overrideId)).size).toBe(1);
  expect((await calls.listOverrides(principal, { namespace: 'emails' })).items).toHaveLength(1);
});

test('a deleted override is gone, by a revocation', async () => {
  const { overrideId } = (await set()).data;
  const deletion = await remove();
  expect(deletion).toMatchObject({ data: {}, revokes: true });
  await expectChange(deletion);
  expect(await auditOf(deletion)).toMatchObject([{ action: 'override.delete', target_id: overrideId }]);
  const gone = { code: 'ratelimit_override_not_found' };
  await expect(remove()).rejects.toMatchObject(gone);
  const read = calls.getOverride(principal, { namespace: 'emails', identifier: 'user' });
  await expect(read).rejects.toMatchObject(gone);
});

test('an identifier is taken as it stands: a pattern reads and deletes nothing but itself', async () => {
  await set();
  for (const identifier of ['*', 'use*', 'USER', 'user ']) {
    await expect(remove(identifier)).rejects.toMatchObject({ code: 'ratelimit_override_not_found' });
  }
});

test('overrides are listed by id, ten a page where the call says nothing', async () => {
  for (let at = 0; at < 12; at += 1) await set({ identifier: `user ${at}` });
  const first = await calls.listOverrides(principal, { namespace: 'emails' });
  expect(first.items).toHaveLength(10);
  const second = await calls.listOverrides(principal, { namespace: 'emails', cursor: String(first.cursor) });
  expect(second.cursor).toBeNull();
  const ids = [...first.items, ...second.items].map(({ overrideId }) => overrideId);
  expect(ids).toHaveLength(12);
  expect(ids).toEqual(ids.toSorted());
  expect((await calls.listOverrides(principal, { namespace: 'emails', limit: 12 })).cursor).toBeNull();
});

/** Fills the namespace with overrides `<prefix>1` and so on. */
async function fill(count: number, prefix: string): Promise<void> {
  await side.pool.query(
    `insert into ratelimit_overrides (id, namespace_id, identifier, limit_units, duration_ms)
     select $1 || $2 || i, $1, $2 || i, 1, 1000 from generate_series(1, $3::integer) i`,
    [namespaceId, prefix, count],
  );
}

test('a namespace takes 10,000 overrides, and no more', async () => {
  await fill(9_999, 'user');
  await set({ identifier: 'the last one' });
  const refusal = await set({ identifier: 'one more' }).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'precondition_failed', message: expect.stringContaining('10000') });
  expect((await set({ identifier: 'the last one', limit: 1 })).revokes).toBe(true);
});

test('200 of them may be patterns, and no more', async () => {
  await fill(199, 'user*');
  await set({ identifier: '*@example.com' });
  const refusal = await set({ identifier: 'one*more' }).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'precondition_failed', message: expect.stringContaining('200 ') });
  await set({ identifier: 'no pattern' });
  await set({ identifier: '*@example.com', limit: 1 });
});

test('a repeat with the same Idempotency-Key answers the same override', async () => {
  const context = () => contextOf(principal, idempotencyOf('once', 'hash'));
  const input = { namespace: 'emails', identifier: 'user', limit: 1, duration: 1000 };
  const first = await calls.setOverride(context(), input);
  expect(await calls.setOverride(context(), input)).toMatchObject({
    data: first.data,
    revokes: true,
    replayed: true,
  });
});

const ON_A_NAMESPACE: readonly [
  action: string,
  run: (caller: Principal, namespace: string) => Promise<unknown>,
][] = [
  ['set_override', (caller, namespace) => set({ namespace }, caller)],
  [
    'delete_override',
    (caller, namespace) => calls.deleteOverride(contextOf(caller), { namespace, identifier: 'user' }),
  ],
  ['read_override', (caller, namespace) => calls.getOverride(caller, { namespace, identifier: 'user' })],
  ['read_override', (caller, namespace) => calls.listOverrides(caller, { namespace })],
];

test.each(ON_A_NAMESPACE)(
  '%s: a permission for the namespace does, one for another does not',
  async (action, run) => {
    await set();
    const other = (await createNamespace('other')).data.namespaceId;
    const holds = (...permissions: string[]): Principal => ({
      ...principal,
      permissions: new Set(permissions),
    });
    await expect(run(holds(`ratelimit.${other}.${action}`), 'emails')).rejects.toMatchObject({
      code: 'insufficient_permissions',
    });
    await run(holds(`ratelimit.${namespaceId}.${action}`), 'emails');
  },
);

test.each(ON_A_NAMESPACE)(
  "%s: another workspace's namespace is as one that never was",
  async (_action, run) => {
    await set();
    const stranger = await makePrincipal(side.pool);
    const powerless = { ...stranger, permissions: new Set<string>() };
    for (const namespace of [namespaceId, 'emails', 'never made']) {
      for (const caller of [stranger, powerless]) {
        await expect(run(caller, namespace)).rejects.toMatchObject({
          code: 'ratelimit_namespace_not_found',
          message: 'There is no such namespace of rate limits.',
        });
      }
    }
  },
);

test('a deleted namespace is refused as gone, for good, but only to who may know of it', async () => {
  await set();
  await side.pool.query('update ratelimit_namespaces set deleted_at = now() where id = $1', [namespaceId]);
  const powerless = { ...principal, permissions: new Set<string>() };
  for (const [, run] of ON_A_NAMESPACE) {
    await expect(run(principal, 'emails')).rejects.toMatchObject({ code: 'ratelimit_namespace_gone' });
    await expect(run(powerless, 'emails')).rejects.toMatchObject({ code: 'insufficient_permissions' });
  }
  await expect(createNamespace('emails')).rejects.toMatchObject({ code: 'ratelimit_namespace_gone' });
});

test('a namespace is made only with the permission for all of them', async () => {
  const permissions = new Set([`ratelimit.${namespaceId}.create_namespace`, 'ratelimit.*.limit']);
  await expect(createNamespace('new', { ...principal, permissions })).rejects.toMatchObject({
    code: 'insufficient_permissions',
  });
});
