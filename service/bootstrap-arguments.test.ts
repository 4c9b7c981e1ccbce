import { expect, test } from 'vitest';
import { readBootstrapArguments } from './bootstrap-arguments.ts';
import { ROOT_PERMISSIONS } from './domain/root-permissions.ts';

test('without arguments a workspace named default gets a root key that may do everything', () => {
  expect(readBootstrapArguments([])).toEqual({
    help: false,
    workspace: { name: 'default' },
    permissions: ROOT_PERMISSIONS,
    rootKeyHash: undefined,
    rootKeyStart: undefined,
  });
});

test('help needs nothing else', () => {
  expect(readBootstrapArguments(['--help']).help).toBe(true);
});

test('permissions are those of this version, with * or with an id where calls look for one', () => {
  const { permissions } = readBootstrapArguments([
    '--permissions',
    'api.*.create_api,api.api_1.verify_key, ratelimit.rlns_1.limit,identity.id_1.read_identity',
  ]);
  expect(permissions).toEqual([
    'api.*.create_api',
    'api.api_1.verify_key',
    'ratelimit.rlns_1.limit',
    'identity.id_1.read_identity',
  ]);
});

test.each([
  ['', 'is no permission of this version'],
  ['api.*.verify_key,', 'is no permission of this version'],
  ['*', 'is no permission of this version'],
  ['api.*.verify', 'is no permission of this version'],
  ['api.*.verify_key.more', 'is no permission of this version'],
  ['api..verify_key', 'has neither * nor an id in its middle'],
  ['api.a-b-c.verify_key', 'has neither * nor an id in its middle'],
  ['api.api_1.create_api', 'there is only api.*.create_api'],
  ['api.api_1.read_analytics', 'there is only api.*.read_analytics'],
  ['identity.id_1.create_identity', 'there is only identity.*.create_identity'],
  ['rbac.role_1.delete_role', 'there is only rbac.*.delete_role'],
])('permissions "%s" are refused: one %s', (list, sentence) => {
  expect(() => readBootstrapArguments(['--permissions', list])).toThrow(sentence);
});

test.each([
  [['--workspace', ''], '--workspace must be a name of 1–256 characters'],
  [['--workspace', ' '], '--workspace must be a name of 1–256 characters'],
  [['--workspace', 'a'.repeat(257)], '--workspace must be a name of 1–256 characters'],
  [['--workspace', 'a', '--workspace-id', 'ws_1'], 'give one of them'],
])('%j is refused', (args, sentence) => {
  expect(() => readBootstrapArguments(args)).toThrow(sentence);
});
