import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import { limitOf } from '../expected.ts';

const LACKS = { valid: false, code: 'INSUFFICIENT_PERMISSIONS' };

export function insufficientPermissionsCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 200 INSUFFICIENT_PERMISSIONS', () => {
    test('where the query does not hold', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey({ permissions: ['docs.read', 'docs.*'] });
      const refused = [
        'docs.write',
        'DOCS.READ',
        'docs.read AND docs.write',
        'docs.write OR docs.delete',
        'docs.read AND (docs.write OR docs.delete)',
        'docs',
        'docs.read.more',
      ];
      for (const permissions of refused)
        expect([permissions, await workspace.verify({ key }, { permissions })]).toMatchObject([
          permissions,
          LACKS,
        ]);
    });

    test('and VALID where it does', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey({ permissions: ['docs.read', 'docs.*', 'a:b-c'] });
      const granted = [
        'docs.read',
        'docs.*',
        'a:b-c',
        'docs.read and a:b-c',
        'docs.write oR docs.read',
        'docs.write OR docs.read AND a:b-c',
        '(docs.write OR docs.read) AND a:b-c',
        '((docs.read))',
      ];
      for (const permissions of granted)
        expect([permissions, await workspace.verify({ key }, { permissions })]).toMatchObject([
          permissions,
          { code: 'VALID' },
        ]);
    });

    test('at once when a role loses the permission, and no longer when it gets it back', async () => {
      const workspace = await target().workspace();
      const { roleId } = await workspace.must('permissions.createRole', {
        name: 'writer',
        permissions: ['docs.write'],
      });
      const { key } = await workspace.createKey({ roles: ['writer'] });
      const permissions = 'docs.write';
      expect(await workspace.verify({ key }, { permissions })).toMatchObject({ code: 'VALID' });
      await workspace.must('permissions.setRolePermissions', { roleId, permissions: [] });
      expect(await workspace.verify({ key }, { permissions })).toMatchObject(LACKS);
      await workspace.must('permissions.setRolePermissions', { roleId, permissions: [permissions] });
      expect(await workspace.verify({ key }, { permissions })).toMatchObject({ code: 'VALID' });
      await workspace.must('permissions.deleteRole', { role: 'writer' });
      expect(await workspace.verify({ key }, { permissions })).toMatchObject(LACKS);
    });

    test('at once when the permission is deleted, or taken from the key', async () => {
      const workspace = await target().workspace();
      const { keyId, key } = await workspace.createKey({ permissions: ['docs.read', 'docs.write'] });
      await workspace.must('keys.removePermissions', { keyId, permissions: ['docs.read'] });
      expect(await workspace.verify({ key }, { permissions: 'docs.read' })).toMatchObject(LACKS);
      expect(await workspace.verify({ key }, { permissions: 'docs.write' })).toMatchObject({ code: 'VALID' });
      await workspace.must('permissions.deletePermission', { permission: 'docs.write' });
      const answer = await workspace.verify({ key }, { permissions: 'docs.write' });
      expect(answer).toMatchObject(LACKS);
      expect(answer).not.toHaveProperty('permissions');
    });

    test('and spends neither credits nor limits', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey({
        credits: { remaining: 2 },
        ratelimits: [limitOf('calls', 1)],
      });
      for (let turn = 0; turn < 3; turn++)
        expect(await workspace.verify({ key }, { permissions: 'none' })).toMatchObject({
          ...LACKS,
          credits: 2,
        });
      expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID', credits: 1 });
    });

    test('before a limit that is used up, and before credits that are gone', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey({
        credits: { remaining: 0 },
        ratelimits: [limitOf('calls', 1)],
      });
      expect(await workspace.verify({ key }, { permissions: 'none' })).toMatchObject({
        ...LACKS,
        credits: 0,
      });
    });
  });
}
