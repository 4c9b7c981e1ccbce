import { expect, test } from 'vitest';
import { GrantedPermissions } from './granted-permissions.ts';
import type { PermissionObject, RoleObject } from './records.ts';

function role(name: string, ...permissions: readonly string[]): RoleObject {
  return { kind: 'role', id: name, name, permissions };
}

function own(...slugs: readonly string[]): readonly PermissionObject[] {
  return slugs.map((slug) => ({ kind: 'permission', id: slug, slug }));
}

test('a key has its own permissions and those of all its roles, and no others', () => {
  const granted = new GrantedPermissions([role('one', 'a.read'), role('two', 'b.read')], own('c.read'));
  for (const slug of ['a.read', 'b.read', 'c.read']) expect(granted.has(slug)).toBe(true);
  expect(granted.has('d.read')).toBe(false);
  expect(new GrantedPermissions([], []).has('a.read')).toBe(false);
});

test('they are listed sorted, each once', () => {
  const roles = [role('one', 'd', 'a'), role('two', 'c', 'a')];
  expect([...new GrantedPermissions(roles, own('e', 'b', 'a'))]).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect([...new GrantedPermissions([role('one', 'b', 'B', 'a')], [])]).toEqual(['B', 'a', 'b']);
  expect([...new GrantedPermissions([], [])]).toEqual([]);
});

test('many of its own are found as well', () => {
  const slugs = Array.from({ length: 100 }, (_, at) => `docs.${at}`);
  const granted = new GrantedPermissions([], own(...slugs));
  expect(slugs.every((slug) => granted.has(slug))).toBe(true);
  expect(granted.has('docs.100')).toBe(false);
  expect([...granted]).toEqual(slugs.toSorted());
});

test('a role’s permissions are looked at once for all keys that have it', () => {
  let looks = 0;
  const shared = role('shared');
  Object.defineProperty(shared, 'permissions', {
    get: () => {
      looks += 1;
      return ['docs.read'];
    },
  });
  const keys = Array.from({ length: 10 }, () => new GrantedPermissions([shared], []));
  expect(keys.every((granted) => granted.has('docs.read'))).toBe(true);
  expect(keys.map((granted) => [...granted])).toContainEqual(['docs.read']);
  expect(looks).toBe(1);
});
