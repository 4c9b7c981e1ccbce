import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../target.ts';
import { limitOf } from './expected.ts';

/** What the calls of apis, identities and permissions do to what they name. */
export function groupCases(target: TargetOf): void {
  describe.concurrent('apis', () => {
    test('are made, read, renamed and deleted, with all their keys', async () => {
      const workspace = await target().workspace();
      const { apiId } = await workspace.must('apis.createApi', { name: 'payments' });
      expect(apiId).toMatch(/^api_/);
      const made = { id: apiId, name: 'payments', ipAllowlist: [], recoverableKeys: false };
      expect(await workspace.must('apis.getApi', { apiId })).toEqual(made);
      const update = { name: 'billing', ipAllowlist: ['192.0.2.0/24'], recoverableKeys: true };
      await workspace.must('apis.updateApi', { apiId, ...update });
      expect(await workspace.must('apis.getApi', { apiId })).toEqual({ id: apiId, ...update });
      const { keyId } = await workspace.must('keys.createKey', { apiId });
      await workspace.must('apis.deleteApi', { apiId });
      for (const [verb, body] of [
        ['apis.getApi', { apiId }],
        ['apis.listKeys', { apiId }],
        ['apis.deleteApi', { apiId }],
        ['keys.getKey', { keyId }],
        ['keys.updateKey', { keyId }],
      ] as const)
        expect([verb, (await workspace.call(verb, body)).status]).toEqual([verb, 404]);
    });

    test('list the keys of one identity', async () => {
      const workspace = await target().workspace();
      const apiId = await workspace.apiId();
      const { keyId } = await workspace.createKey({ externalId: 'one' });
      await workspace.createKey({ externalId: 'two' });
      const listed = async (externalId: string) =>
        (await workspace.must('apis.listKeys', { apiId, externalId })) as unknown;
      expect(await listed('one')).toMatchObject([{ keyId, identity: { externalId: 'one' } }]);
      expect(await listed('nobody')).toEqual([]);
    });

    test('have a name of 3 to 256 characters', async () => {
      const workspace = await target().workspace();
      for (const [name, status] of [
        ['ab', 400],
        ['abc', 200],
        ['x'.repeat(256), 200],
        ['x'.repeat(257), 400],
      ] as const)
        expect([name, (await workspace.call('apis.createApi', { name })).status]).toEqual([name, status]);
    });
  });

  describe.concurrent('identities', () => {
    test('are made once, read and found by id and external id, changed and deleted', async () => {
      const workspace = await target().workspace();
      const input = { externalId: 'user_1', meta: { plan: 'pro' }, ratelimits: [limitOf('calls', 5)] };
      const { identityId } = await workspace.must('identities.createIdentity', input);
      const again = await workspace.call('identities.createIdentity', input);
      expect([again.status, again.error.type]).toEqual([
        409,
        expect.stringMatching(/identity_already_exists$/),
      ]);
      for (const identity of ['user_1', identityId])
        expect(await workspace.must('identities.getIdentity', { identity })).toEqual({
          id: identityId,
          externalId: 'user_1',
          meta: { plan: 'pro' },
          ratelimits: [{ id: expect.stringMatching(/^rl_/), ...limitOf('calls', 5) }],
        });
      const kept = await workspace.must('identities.updateIdentity', {
        identity: 'user_1',
        meta: { plan: 'free' },
      });
      expect(kept).toMatchObject({ meta: { plan: 'free' }, ratelimits: [{ name: 'calls' }] });
      const emptied = await workspace.must('identities.updateIdentity', {
        identity: identityId,
        ratelimits: [],
      });
      expect(emptied).toEqual({ id: identityId, externalId: 'user_1', meta: { plan: 'free' } });
      await workspace.must('identities.deleteIdentity', { identity: identityId });
      expect((await workspace.call('identities.getIdentity', { identity: 'user_1' })).status).toBe(404);
      const anew = await workspace.must('identities.createIdentity', { externalId: 'user_1' });
      expect(anew['identityId']).not.toBe(identityId);
    });

    test('leave their keys when they are deleted, at once', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ externalId: 'leaving' });
      expect(await workspace.verify(key)).toMatchObject({ identity: { externalId: 'leaving' } });
      await workspace.must('identities.deleteIdentity', { identity: 'leaving' });
      const answer = await workspace.verify(key);
      expect(answer).toMatchObject({ code: 'VALID' });
      expect(answer).not.toHaveProperty('identity');
    });

    test('take metadata of up to 1 MiB, and no more', async () => {
      const workspace = await target().workspace();
      const meta = (bytes: number) => ({ text: 'x'.repeat(bytes) });
      const create = async (externalId: string, bytes: number) =>
        (await workspace.call('identities.createIdentity', { externalId, meta: meta(bytes) })).status;
      expect(await create('large', 1024 * 1024 - 20)).toBe(200);
      expect(await create('larger', 1024 * 1024)).toBe(400);
    });
  });

  describe.concurrent('permissions and roles', () => {
    test('permissions are made once, read by id and slug, and deleted', async () => {
      const workspace = await target().workspace();
      const input = { name: 'Read', slug: 'docs.read', description: 'Read documents' };
      const { permissionId } = await workspace.must('permissions.createPermission', input);
      expect((await workspace.call('permissions.createPermission', input)).status).toBe(409);
      for (const permission of ['docs.read', permissionId])
        expect(await workspace.must('permissions.getPermission', { permission })).toEqual({
          id: permissionId,
          ...input,
        });
      await workspace.must('permissions.deletePermission', { permission: permissionId });
      const gone = await workspace.call('permissions.getPermission', { permission: 'docs.read' });
      expect([gone.status, gone.error.type]).toEqual([404, expect.stringMatching(/permission_not_found$/)]);
      expect((await workspace.call('permissions.createPermission', input)).status).toBe(200);
    });

    test('roles are made once with their permissions, read by id and name, changed and deleted', async () => {
      const workspace = await target().workspace();
      const input = { name: 'admin', description: 'all', permissions: ['b', 'a'] };
      const { roleId } = await workspace.must('permissions.createRole', input);
      expect((await workspace.call('permissions.createRole', input)).status).toBe(409);
      for (const role of ['admin', roleId])
        expect(await workspace.must('permissions.getRole', { role })).toMatchObject({
          id: roleId,
          name: 'admin',
          description: 'all',
          permissions: [{ slug: 'a' }, { slug: 'b' }],
        });
      const set = (await workspace.must('permissions.setRolePermissions', {
        roleId,
        permissions: ['c', 'a'],
      })) as unknown;
      expect(set).toMatchObject([{ slug: 'a' }, { slug: 'c' }]);
      await workspace.must('permissions.deleteRole', { role: 'admin' });
      const gone = await workspace.call('permissions.getRole', { role: roleId });
      expect([gone.status, gone.error.type]).toEqual([404, expect.stringMatching(/role_not_found$/)]);
    });

    test('are found by what their texts contain', async () => {
      const workspace = await target().workspace();
      await workspace.must('permissions.createPermission', { name: 'Find Me', slug: 'one' });
      await workspace.must('permissions.createPermission', { name: '100% other', slug: 'two' });
      const found = async (search: string): Promise<unknown> => {
        const data = (await workspace.must('permissions.listPermissions', { search })) as unknown;
        return (data as { slug: string }[]).map(({ slug }) => slug);
      };
      expect(await found('find')).toEqual(['one']);
      expect(await found('0%')).toEqual(['two']);
      expect(await found('%')).toEqual(['two']);
      expect(await found('none')).toEqual([]);
    });
  });
}
