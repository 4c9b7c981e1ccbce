import { GrantedPermissions } from './granted-permissions.ts';
import { compileIpRules } from './ip-rules.ts';
import type {
  ApiObject,
  CreditsObject,
  IdentityObject,
  PermissionObject,
  RoleObject,
  SharedObject,
  WorkspaceObject,
} from './records.ts';
import type { SharedEntry } from './shared-entry.ts';

/** What a key's shared objects say together, gathered once for many verifications. */
export interface KeyView {
  /** Null: it no longer exists. */
  readonly workspace: WorkspaceObject | null;
  readonly api: ApiObject | null;
  readonly identity: IdentityObject | null;
  /** The account that its credits are in, as it was read; null: unlimited. */
  readonly credits: CreditsObject | null;
  /** Names, sorted. */
  readonly roles: readonly string[];
  /** The key's own permissions and its roles'. */
  readonly permissions: GrantedPermissions;
  /** Null: every address is admitted. */
  readonly admitsAddress: ((address: string) => boolean) | null;
}

export function viewOf(dependencies: readonly SharedEntry[]): KeyView {
  const objects = dependencies.map((entry) => entry.object).filter((object) => object !== null);
  const roles = objects.filter((object): object is RoleObject => object.kind === 'role');
  const own = objects.filter((object): object is PermissionObject => object.kind === 'permission');
  const api = objects.find((object): object is ApiObject => object.kind === 'api') ?? null;
  return {
    workspace: objects.find(isWorkspace) ?? null,
    api,
    identity: objects.find((object): object is IdentityObject => object.kind === 'identity') ?? null,
    credits: objects.find((object): object is CreditsObject => object.kind === 'credits') ?? null,
    roles: roles.map((role) => role.name).toSorted(),
    permissions: new GrantedPermissions(roles, own),
    admitsAddress: addressTest(api),
  };
}

function isWorkspace(object: SharedObject): object is WorkspaceObject {
  return object.kind === 'workspace';
}

const ADDRESS_TESTS = new WeakMap<ApiObject, (address: string) => boolean>();

/** Rules are compiled once per API and not once per key. */
function addressTest(api: ApiObject | null): ((address: string) => boolean) | null {
  if (api === null || api.ipAllowlist.length === 0) return null;
  let test = ADDRESS_TESTS.get(api);
  if (test === undefined) {
    test = compileIpRules(api.ipAllowlist);
    ADDRESS_TESTS.set(api, test);
  }
  return test;
}
