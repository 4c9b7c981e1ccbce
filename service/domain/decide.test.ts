import { expect, test } from 'vitest';
import { asWorkspaceId, buildApi, buildKeyRow } from '../../test/records.ts';
import type { RootKeyId } from './brands.ts';
import { decide, isVisible } from './decide.ts';
import { HotKey } from './hot-records.ts';
import { parsePermissionQuery } from './permission-query.ts';
import type { Principal } from './principal.ts';
import type { ApiObject, KeyRow, SharedObject } from './records.ts';
import { SharedEntry } from './shared-entry.ts';

const NOW_MS = 1_800_000_000_000;

interface Given {
  readonly row?: Partial<KeyRow>;
  readonly api?: Partial<ApiObject> | null;
  readonly workspaceEnabled?: boolean;
  readonly more?: readonly SharedObject[];
}

function makeKey({ row = {}, api = {}, workspaceEnabled = true, more = [] }: Given = {}): HotKey {
  const workspace: SharedObject = {
    kind: 'workspace',
    id: asWorkspaceId('ws_1'),
    enabled: workspaceEnabled,
    rateLimit: null,
  };
  const entries = [workspace, ...more].map((object) => new SharedEntry(object.kind, object.id, object, 0));
  entries.push(new SharedEntry('api', 'api_1', api === null ? null : buildApi(api), 0));
  return new HotKey(buildKeyRow('aa', row), entries, 0, 0);
}

function principal(permissions: readonly string[] = ['api.*.verify_key'], workspaceId = 'ws_1'): Principal {
  return {
    rootKeyId: 'rootkey_1' as RootKeyId,
    workspaceId: asWorkspaceId(workspaceId),
    permissions: new Set(permissions),
  };
}

function verdict(given: Given, query?: string, address = '192.0.2.1'): string {
  return decide(makeKey(given), {
    principal: principal(),
    query: query === undefined ? null : parsePermissionQuery(query),
    clientAddress: () => address,
    nowMs: NOW_MS,
  });
}

const ROLE: SharedObject = { kind: 'role', id: 'role_1', name: 'editor', permissions: ['docs.write'] };
const PERMISSION: SharedObject = { kind: 'permission', id: 'perm_1', slug: 'docs.read' };

test('a key in order is valid', () => expect(verdict({})).toBe('VALID'));

test('a disabled workspace forbids', () => expect(verdict({ workspaceEnabled: false })).toBe('FORBIDDEN'));

test('a disabled key is disabled, whatever else holds', () => {
  expect(verdict({ row: { enabled: false, expiresAtMs: 1 }, api: { ipAllowlist: ['10.0.0.1'] } })).toBe(
    'DISABLED',
  );
});

test('a disabled workspace goes before a disabled key', () => {
  expect(verdict({ workspaceEnabled: false, row: { enabled: false } })).toBe('FORBIDDEN');
});

test('a key expires in the very millisecond that it names', () => {
  expect(verdict({ row: { expiresAtMs: NOW_MS } })).toBe('EXPIRED');
  expect(verdict({ row: { expiresAtMs: NOW_MS + 1 } })).toBe('VALID');
});

test('IP rules forbid addresses that they don’t name, before permissions are looked at', () => {
  const api = { ipAllowlist: ['10.0.0.0/8'] };
  expect(verdict({ api }, 'docs.read')).toBe('FORBIDDEN');
  expect(verdict({ api }, undefined, '10.1.2.3')).toBe('VALID');
});

test('permissions count from the key and from its roles', () => {
  const more = [ROLE, PERMISSION];
  expect(verdict({ more }, 'docs.read AND docs.write')).toBe('VALID');
  expect(verdict({ more }, 'docs.delete OR docs.read')).toBe('VALID');
  expect(verdict({ more }, 'docs.delete')).toBe('INSUFFICIENT_PERMISSIONS');
  expect(verdict({}, 'docs.read')).toBe('INSUFFICIENT_PERMISSIONS');
});

test('a key is visible in its own workspace, to who may verify keys of its API, while the API exists', () => {
  expect(isVisible(makeKey(), principal())).toBe(true);
  expect(isVisible(makeKey(), principal(['api.api_1.verify_key']))).toBe(true);
  expect(isVisible(makeKey(), principal(['api.api_2.verify_key']))).toBe(false);
  expect(isVisible(makeKey(), principal(['api.*.create_key']))).toBe(false);
  expect(isVisible(makeKey(), principal(['api.*.verify_key'], 'ws_2'))).toBe(false);
  expect(isVisible(makeKey({ api: null }), principal())).toBe(false);
});
