import { hash, randomBytes } from 'node:crypto';
import * as errors from '@unkey/api/models/errors';
import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import { limitOf, WINDOW_MS } from '../expected.ts';
import { deleteNamespace } from '../namespaces.ts';

/** What @unkey/api makes of the answers that only some calls have, and of the fields that it knows. */
export function clientAnswerCases(target: TargetOf): void {
  describe.concurrent('@unkey/api reads', () => {
    test('a key with all its fields, by getKey, whoami and listKeys', async () => {
      const workspace = await target().workspace();
      const client = workspace.client();
      const apiId = await workspace.apiId();
      await client.permissions.createRole({ name: 'reader', permissions: ['docs.read'] });
      const expires = Date.now() + 60_000;
      const { data: made } = await client.keys.createKey({
        apiId,
        prefix: 'full',
        name: 'full',
        externalId: 'user',
        meta: { team: 'a' },
        roles: ['reader'],
        permissions: ['docs.write'],
        expires,
        credits: { remaining: 10, refill: { interval: 'monthly', amount: 10, refillDay: 31 } },
        ratelimits: [limitOf('calls', 5)],
      });
      const expected = {
        keyId: made.keyId,
        start: made.key.slice(0, 'full_'.length + 4),
        enabled: true,
        name: 'full',
        meta: { team: 'a' },
        expires,
        createdAt: expect.any(Number),
        roles: ['reader'],
        credits: { remaining: 10, refill: { interval: 'monthly', amount: 10, refillDay: 31 } },
        identity: { externalId: 'user', id: expect.stringMatching(/^id_/) },
        ratelimits: [{ ...limitOf('calls', 5), id: expect.stringMatching(/^rl_/) }],
      };
      expect((await client.keys.getKey({ keyId: made.keyId })).data).toMatchObject(expected);
      expect((await client.keys.whoami({ key: made.key })).data).toMatchObject(expected);
      const page = await client.apis.listKeys({ apiId });
      expect(page.result.data).toMatchObject([expected]);
      expect(page.result.pagination).toMatchObject({ hasMore: false });
    });

    test('exact limits, of which it keeps the fields that it knows', async () => {
      const workspace = await target().workspace();
      const exact = { ...limitOf('calls', 5), exact: true, onUnavailable: 'local' };
      await workspace.must('identities.createIdentity', { externalId: 'user', ratelimits: [exact] });
      const { keyId, key } = await workspace.createKey({ externalId: 'user', ratelimits: [exact] });
      const client = workspace.client();
      const known = [{ ...limitOf('calls', 5), id: expect.stringMatching(/^rl_/) }];
      const { data } = await client.keys.getKey({ keyId });
      expect([data.ratelimits, data.identity?.ratelimits]).toEqual([known, known]);
      expect((await client.keys.whoami({ key })).data.ratelimits).toEqual(known);
      const page = await client.apis.listKeys({ apiId: await workspace.apiId() });
      expect(page.result.data.map(({ ratelimits }) => ratelimits)).toEqual([known]);
      expect((await client.identities.getIdentity({ identity: 'user' })).data.ratelimits).toEqual(known);
      expect((await client.keys.verifyKey({ key })).data).toMatchObject({
        code: 'VALID',
        ratelimits: [{ name: 'calls', remaining: 4 }],
        identity: { ratelimits: known },
      });
    });

    test('a verification', async () => {
      const workspace = await target().workspace();
      const { keyId, key } = await workspace.createKey({
        credits: { remaining: 2 },
        ratelimits: [limitOf('calls', 5)],
      });
      const { meta, data } = await workspace.client().keys.verifyKey({ key, credits: { cost: 2 } });
      expect(meta.requestId).toMatch(/^req_/);
      expect(data).toMatchObject({
        valid: true,
        code: 'VALID',
        keyId,
        credits: 0,
        ratelimits: [{ name: 'calls', limit: 5, remaining: 4, exceeded: false }],
      });
    });

    test('an import of hashes of what follows the prefix', async () => {
      const workspace = await target().workspace();
      const client = workspace.client();
      const secret = randomBytes(16).toString('hex');
      const sent = `prefixedApiKey:${hash('sha256', secret, 'base64')}`;
      const apiId = await workspace.apiId();
      const { data } = await client.keys.migrateKeys({
        migrationId: 'by-client',
        apiId,
        keys: [{ hash: sent, name: 'imported' }],
      });
      expect(data).toMatchObject({ migrated: [{ hash: sent }], failed: [] });
      const asked = { key: `acme_live_${secret}`, migrationId: 'by-client' };
      expect((await client.keys.verifyKey(asked)).data).toMatchObject({
        valid: true,
        code: 'VALID',
        keyId: data.migrated[0]?.keyId,
        name: 'imported',
      });
    });

    test('an API, of which it keeps the fields that it knows', async () => {
      const workspace = await target().workspace();
      const apiId = await workspace.apiId();
      const { data } = await workspace.client().apis.getApi({ apiId });
      expect(Object.keys(data)).toEqual(expect.arrayContaining(['id', 'name']));
      expect(data.id).toBe(apiId);
    });

    test('404 as NotFoundErrorResponse', async () => {
      const workspace = await target().workspace();
      const client = workspace.client();
      const calls = [
        client.keys.getKey({ keyId: 'key_none' }),
        client.keys.createKey({ apiId: 'api_none' }),
        client.keys.rerollKey({ keyId: 'key_none', expiration: 0 }),
        client.keys.updateCredits({ keyId: 'key_none', operation: 'set', value: 1 }),
        client.apis.getApi({ apiId: 'api_none' }),
        client.apis.listKeys({ apiId: 'api_none' }),
        client.identities.getIdentity({ identity: 'nobody' }),
        client.permissions.getRole({ role: 'none' }),
        client.permissions.getPermission({ permission: 'none' }),
        client.permissions.setRolePermissions({ roleId: 'role_none', permissions: [] }),
        client.ratelimit.getOverride({ namespace: 'none', identifier: 'none' }),
        client.ratelimit.listOverrides({ namespace: 'none' }),
      ];
      const thrown = await Promise.all(
        calls.map(async (call) => await call.catch((error: unknown) => error)),
      );
      expect(thrown.map(nameOfError)).toEqual(calls.map(() => 'NotFoundErrorResponse'));
    });

    test('400 as BadRequestErrorResponse, with the fields', async () => {
      const workspace = await target().workspace();
      const thrown: unknown = await workspace
        .client()
        .keys.createKey({ apiId: await workspace.apiId(), byteLength: 1, name: '' })
        .catch((error: unknown) => error);
      if (!(thrown instanceof errors.BadRequestErrorResponse)) throw new Error(`thrown: ${String(thrown)}`);
      expect(thrown.statusCode).toBe(400);
      expect(thrown.meta.requestId).toMatch(/^req_/);
      expect(thrown.error.errors.map(({ location }) => location)).toEqual(
        expect.arrayContaining(['body.byteLength', 'body.name']),
      );
    });

    test('409 as ConflictErrorResponse', async () => {
      const workspace = await target().workspace();
      const client = workspace.client();
      const twice = [
        () => client.identities.createIdentity({ externalId: 'twice' }),
        () => client.permissions.createPermission({ name: 'twice', slug: 'twice' }),
        () => client.permissions.createRole({ name: 'twice' }),
      ];
      for (const make of twice) {
        await make();
        await expect(make()).rejects.toBeInstanceOf(errors.ConflictErrorResponse);
      }
    });

    test('410 as GoneErrorResponse', async () => {
      const workspace = await target().workspace();
      const client = workspace.client();
      const check = { namespace: 'gone', identifier: 'user', limit: 5, duration: WINDOW_MS };
      await client.ratelimit.limit(check);
      await deleteNamespace(workspace, 'gone');
      await expect(client.ratelimit.limit(check)).rejects.toBeInstanceOf(errors.GoneErrorResponse);
      await expect(client.ratelimit.multiLimit([check])).rejects.toBeInstanceOf(errors.GoneErrorResponse);
    });

    test('412 as its general error, since no call of ours has a type for it', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      const calls = [
        workspace.client().keys.verifyKey({ key, ratelimits: [{ name: 'none' }] }),
        workspace.client().keys.createKey({ apiId: await workspace.apiId(), recoverable: true }),
        workspace.client().analytics.getVerifications({ query: 'SELECT 1' }),
      ];
      const thrown = await Promise.all(
        calls.map(async (call) => await call.catch((error: unknown) => error)),
      );
      expect(thrown.map(nameOfError)).toEqual(calls.map(() => 'APIError'));
      expect(thrown).toMatchObject(calls.map(() => ({ statusCode: 412 })));
    });

    test('lists page by page to their end', async () => {
      const workspace = await target().workspace();
      const client = workspace.client();
      const apiId = await workspace.apiId();
      const names = ['one', 'two', 'three'];
      await Promise.all(
        names.flatMap((name) => [
          client.keys.createKey({ apiId, name }),
          client.identities.createIdentity({ externalId: name }),
          client.permissions.createPermission({ name, slug: name }),
          client.permissions.createRole({ name }),
        ]),
      );
      await client.ratelimit.limit({ namespace: 'lists', identifier: 'x', limit: 1, duration: 1000 });
      const override = { namespace: 'lists', limit: 1, duration: 1000 };
      await Promise.all(
        names.map(async (identifier) => await client.ratelimit.setOverride({ ...override, identifier })),
      );
      const lists = {
        keys: await client.apis.listKeys({ apiId, limit: 1 }),
        identities: await client.identities.listIdentities({ limit: 1 }),
        permissions: await client.permissions.listPermissions({ limit: 1 }),
        roles: await client.permissions.listRoles({ limit: 1 }),
        overrides: await client.ratelimit.listOverrides({ namespace: 'lists', limit: 1 }),
      };
      for (const [list, pages] of Object.entries(lists)) {
        const found: unknown[] = [];
        for await (const { result } of pages) found.push(...result.data);
        const different = new Set(found.map((item) => JSON.stringify(item)));
        expect([list, found.length, different.size]).toEqual([list, 3, 3]);
      }
    });
  });
}

function nameOfError(error: unknown): unknown {
  return error instanceof errors.UnkeyError ? error.name : error;
}
