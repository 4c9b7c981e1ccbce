import { pino } from 'pino';
import type { RootKeyId, WorkspaceId } from '../../service/domain/brands.ts';
import { Problem } from '../../service/domain/problem.ts';
import type { Principal } from '../../service/domain/principal.ts';
import type { Revision } from '../../service/domain/revision.ts';
import type { RegionProgress } from '../../service/home/types.ts';
import type { HttpDeps } from '../../service/http/deps.ts';
import type { Manage, WriteContext, Written } from '../../service/manage/types.ts';
import { createPeerGate } from '../../service/peers/gate.ts';

export const ROOT_KEY = 'kh_root_testing';
export const PEER_SECRET = 'a secret of thirty-two characters';
export const REVISION: Revision = { epoch: { counter: 3, id: 'abcd1234' }, xid: 77n };
export const REVISION_TEXT = '3.abcd1234.77';

export const PRINCIPAL: Principal = {
  // Brands are given where values are parsed; a test's principal was never parsed.
  rootKeyId: 'rk_1' as RootKeyId,
  workspaceId: 'ws_1' as WorkspaceId,
  permissions: new Set(['api.*.create_key']),
};

/** The calls of all groups; no two have the same name. */
export type Calls = Manage['keys'] &
  Manage['apis'] &
  Manage['identities'] &
  Manage['permissions'] &
  Manage['ratelimits'];

/** One call of `Manage`, as the routes made it. */
export interface ManageCall {
  readonly name: keyof Calls;
  readonly caller: WriteContext | Principal;
  readonly input: unknown;
}

export interface TestDeps extends HttpDeps {
  readonly calls: ManageCall[];
  readonly logged: string[];
}

/**
 * Dependencies of an app that is the home, accepts `ROOT_KEY`, and manages without a database: each call is noted, and answered with
 * what its type says. Whatever a test is about, it overrides.
 */
export function testDeps(overrides: Partial<HttpDeps> = {}): TestDeps {
  const calls: ManageCall[] = [];
  const logged: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
  const region = overrides.region ?? 'us-east-1';
  return {
    region,
    logger,
    trustedProxies: [],
    zoneGuard: () => undefined,
    authenticate: (text) => {
      if (text !== ROOT_KEY) throw new Problem('root_key_not_found', 'There is no such root key.');
      return PRINCIPAL;
    },
    admit: () => undefined,
    manage: fakeManage(calls),
    home: { current: () => ({ at: 'here', epoch: REVISION.epoch }) },
    taskStatus: { wait: () => Promise.resolve(APPLIED) },
    waitForRevision: () => Promise.resolve(true),
    peers: { pass: () => Promise.reject(new Error('this test passes nothing on')) },
    peerGate: createPeerGate({ secret: PEER_SECRET, region, nowMs: () => Date.now() }),
    peerEndpoint: { answer: () => Promise.resolve(undefined) },
    readiness: () => ({ ready: true, reasons: [] }),
    metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
    closing: () => false,
    ...overrides,
    calls,
    logged,
  };
}

export const APPLIED: readonly RegionProgress[] = [
  { region: 'us-east-1', state: 'applied', afterMs: 1 },
  { region: 'eu-west-1', state: 'applied', afterMs: 40 },
];

export function written<T>(data: T, more: Partial<Written<T>> = {}): Written<T> {
  return { data, revision: REVISION, revokes: false, replayed: false, ...more };
}

export const KEY_VIEW = { keyId: 'key_1', start: 'kh_abcd', enabled: true, createdAt: 1_700_000_000_000 };

const PAGE = { items: [], cursor: null };

/** A `Manage` that notes its calls. */
export function fakeManage(calls: ManageCall[], overrides: Partial<Calls> = {}): Manage {
  function note<T>(
    name: keyof Calls,
    answer: T,
  ): (caller: WriteContext | Principal, input: unknown) => Promise<T> {
    return (caller, input) => {
      calls.push({ name, caller, input });
      return Promise.resolve(answer);
    };
  }
  const all: Calls = {
    createKey: note('createKey', written({ keyId: 'key_1', key: 'kh_the_new_key' })),
    updateKey: note('updateKey', written({})),
    deleteKey: note('deleteKey', written({}, { revokes: true })),
    updateCredits: note('updateCredits', written({ remaining: 7 })),
    rerollKey: note('rerollKey', written({ keyId: 'key_2', key: 'kh_the_next_key' })),
    migrateKeys: note('migrateKeys', written({ migrated: [], failed: [] })),
    addPermissions: note('addPermissions', written([])),
    removePermissions: note('removePermissions', written([])),
    setPermissions: note('setPermissions', written([])),
    addRoles: note('addRoles', written([])),
    removeRoles: note('removeRoles', written([])),
    setRoles: note('setRoles', written([])),
    getKey: note('getKey', KEY_VIEW),
    whoami: note('whoami', KEY_VIEW),
    createApi: note('createApi', written({ apiId: 'api_1' })),
    updateApi: note('updateApi', written({})),
    deleteApi: note('deleteApi', written({})),
    getApi: note('getApi', { id: 'api_1', name: 'payments', ipAllowlist: [], recoverableKeys: false }),
    listKeys: note('listKeys', PAGE),
    createIdentity: note('createIdentity', written({ identityId: 'id_1' })),
    updateIdentity: note('updateIdentity', written({ id: 'id_1', externalId: 'user' })),
    deleteIdentity: note('deleteIdentity', written({})),
    getIdentity: note('getIdentity', { id: 'id_1', externalId: 'user' }),
    listIdentities: note('listIdentities', PAGE),
    createPermission: note('createPermission', written({ permissionId: 'perm_1' })),
    deletePermission: note('deletePermission', written({})),
    getPermission: note('getPermission', { id: 'perm_1', name: 'Read', slug: 'docs.read' }),
    listPermissions: note('listPermissions', PAGE),
    createRole: note('createRole', written({ roleId: 'role_1' })),
    deleteRole: note('deleteRole', written({})),
    getRole: note('getRole', { id: 'role_1', name: 'reader' }),
    listRoles: note('listRoles', PAGE),
    setRolePermissions: note('setRolePermissions', written([])),
    createNamespace: note('createNamespace', written({ namespaceId: 'rlns_1' })),
    setOverride: note('setOverride', written({ overrideId: 'rlor_1' })),
    deleteOverride: note('deleteOverride', written({})),
    getOverride: note('getOverride', { overrideId: 'rlor_1', identifier: 'user', limit: 1, duration: 1000 }),
    listOverrides: note('listOverrides', PAGE),
    ...overrides,
  };
  return { keys: all, apis: all, identities: all, permissions: all, ratelimits: all };
}

export const AUTHORIZED = { authorization: `Bearer ${ROOT_KEY}` };
