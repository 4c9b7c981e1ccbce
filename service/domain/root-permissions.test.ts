import { expect, test } from 'vitest';
import type { RootKeyId, WorkspaceId } from './brands.ts';
import { mayRoot } from './root-permissions.ts';

function principal(...permissions: readonly string[]) {
  return {
    rootKeyId: 'rootkey_1' as RootKeyId,
    workspaceId: 'ws_1' as WorkspaceId,
    permissions: new Set(permissions),
  };
}

test('a permission for all objects covers each of them', () => {
  expect(mayRoot(principal('api.*.read_key'), 'api.*.read_key', 'api_1')).toBe(true);
});

test('a permission for one object covers that one only', () => {
  const one = principal('api.api_1.read_key');
  expect(mayRoot(one, 'api.*.read_key', 'api_1')).toBe(true);
  expect(mayRoot(one, 'api.*.read_key', 'api_2')).toBe(false);
  expect(mayRoot(one, 'api.*.read_key')).toBe(false);
  expect(mayRoot(one, 'api.*.update_key', 'api_1')).toBe(false);
});

test('an id is never taken for a pattern', () => {
  expect(mayRoot(principal('api.$&.read_key'), 'api.*.read_key', '$&')).toBe(true);
  expect(mayRoot(principal('api.api_1.read_key'), 'api.*.read_key', '*')).toBe(false);
});
