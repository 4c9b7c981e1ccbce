import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CALLS } from '../calls.ts';
import type { TargetOf } from '../target.ts';
import type { Workspace } from '../workspace.ts';

/** Not written at home, or nothing to repeat. */
const NO_WRITES = /\.(get|list|verify)|whoami|ratelimit\.(limit|multiLimit)|revisions/;

/** What all writes have in common. */
export function writeCases(target: TargetOf): void {
  const writes = CALLS.filter(({ verb, status }) => !NO_WRITES.test(verb) && status === undefined);
  const byVerb = new Map(
    writes
      .filter((call) => call.with === undefined || !call.permissions.includes('rbac.*.create_permission'))
      .map((call) => [call.verb, call]),
  );

  describe.concurrent('an Idempotency-Key', () => {
    test.for([...byVerb.values()].map((call) => ({ verb: call.verb, call })))(
      'makes a repeat of $verb answer the same and change nothing',
      async ({ verb, call }) => {
        const workspace = await target().workspace();
        const body = call.body(await call.make(workspace));
        const headers = { 'idempotency-key': randomUUID() };
        const first = await workspace.call(verb, body, { headers });
        expect(first.status).toBe(200);
        const second = await workspace.call(verb, body, { headers });
        expect([second.status, second.data]).toEqual([200, first.data]);
        expect(second.headers.get('keyhearth-revision')).toBe(first.headers.get('keyhearth-revision'));
        // Another body, as far as its text goes.
        const other = await workspace.call(verb, `${JSON.stringify(body)} `, { headers });
        expect([other.status, other.error.type]).toEqual([
          422,
          expect.stringMatching(/idempotency_key_reused$/),
        ]);
      },
    );

    test('belongs to its root key, and may be used again where the write was refused', async () => {
      const workspace = await target().workspace();
      const headers = { 'idempotency-key': 'the-same' };
      const input = { externalId: 'user' };
      const first = await workspace.call('identities.createIdentity', input, { headers });
      const rootKey = await workspace.rootKeyWith(['identity.*.create_identity']);
      const other = await workspace.call('identities.createIdentity', input, { headers, rootKey });
      expect([first.status, other.status]).toEqual([200, 409]);
      const again = await workspace.call(
        'identities.createIdentity',
        { externalId: 'next' },
        { headers, rootKey },
      );
      expect(again.status).toBe(200);
    });

    test('makes one key of several calls at once, whose text all are told', async () => {
      const workspace = await target().workspace();
      const apiId = await workspace.apiId();
      const headers = { 'idempotency-key': randomUUID() };
      const answers = await Promise.all(
        Array.from({ length: 5 }, async () => await workspace.must('keys.createKey', { apiId }, { headers })),
      );
      expect(new Set(answers.map(({ key }) => key)).size).toBe(1);
      expect((await workspace.must('apis.listKeys', { apiId })) as unknown).toHaveLength(1);
      expect(await workspace.verify({ key: String(answers[0]?.['key']) })).toMatchObject({ code: 'VALID' });
    });

    test('has 1 to 255 visible characters', async () => {
      const workspace = await target().workspace();
      const { status, error } = await workspace.call(
        'apis.createApi',
        { name: 'abc' },
        {
          headers: { 'idempotency-key': 'x'.repeat(256) },
        },
      );
      expect([status, error.errors?.[0]?.location]).toEqual([400, 'header.idempotency-key']);
    });
  });

  describe.concurrent('lists', () => {
    const lists = [
      { verb: 'apis.listKeys', make: 'keys.createKey', item: (name: string) => ({ name }), of: 'name' },
      {
        verb: 'identities.listIdentities',
        make: 'identities.createIdentity',
        item: (name: string) => ({ externalId: name }),
        of: 'externalId',
      },
      {
        verb: 'permissions.listPermissions',
        make: 'permissions.createPermission',
        item: (name: string) => ({ name, slug: name }),
        of: 'slug',
      },
      {
        verb: 'permissions.listRoles',
        make: 'permissions.createRole',
        item: (name: string) => ({ name }),
        of: 'name',
      },
      {
        verb: 'ratelimit.listOverrides',
        make: 'ratelimit.setOverride',
        item: (name: string) => ({ identifier: name, limit: 1, duration: 1000 }),
        of: 'identifier',
      },
    ] as const;

    test.for(lists)(
      '$verb neither repeats nor hides anything while more is made',
      async ({ verb, make, item, of }) => {
        const workspace = await target().workspace();
        const common = await commonOf(workspace, verb);
        const create = async (name: string) => await workspace.must(make, { ...common, ...item(name) });
        const first = ['one', 'two', 'three', 'four', 'five'];
        await Promise.all(first.map(create));
        const seen: string[] = [];
        let cursor: string | undefined;
        for (let page = 0; page < 20; page++) {
          const { status, body } = await workspace.call(verb, {
            ...common,
            limit: 2,
            ...(cursor === undefined ? {} : { cursor }),
          });
          expect(status).toBe(200);
          const { data, pagination } = body as unknown as Page;
          expect(data.length).toBeLessThanOrEqual(2);
          seen.push(...data.map((one) => String(one[of])));
          expect(pagination.hasMore).toBe(pagination.cursor !== undefined);
          cursor = pagination.cursor;
          if (cursor === undefined) break;
          if (page < 3) await create(`later${page}`);
        }
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen).toEqual(expect.arrayContaining(first));
      },
    );

    test.for(lists)('$verb takes a limit of 1 to 100, and no cursor of its own making', async ({ verb }) => {
      const workspace = await target().workspace();
      const common = await commonOf(workspace, verb);
      for (const [limit, status] of [
        [0, 400],
        [1, 200],
        [100, 200],
        [101, 400],
      ] as const)
        expect([limit, (await workspace.call(verb, { ...common, limit })).status]).toEqual([limit, status]);
    });
  });
}

interface Page {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly pagination: { readonly hasMore: boolean; readonly cursor?: string };
}

async function commonOf(workspace: Workspace, verb: string): Promise<object> {
  if (verb === 'apis.listKeys') return { apiId: await workspace.apiId() };
  if (!verb.startsWith('ratelimit')) return {};
  await workspace.must('ratelimit.createNamespace', { namespace: 'lists' });
  return { namespace: 'lists' };
}
