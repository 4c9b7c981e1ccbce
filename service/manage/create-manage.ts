import { createApiCalls } from './apis/calls.ts';
import type { ManageDeps } from './deps.ts';
import { createIdentityCalls } from './identities/calls.ts';
import { createKeyCalls } from './keys/calls.ts';
import { createPermissionCalls } from './permissions/calls.ts';
import { createRatelimitCalls } from './ratelimits/calls.ts';
import type { Manage } from './types.ts';

/** All management calls. Inputs have been validated by the schemas of the routes. */
export function createManage(deps: ManageDeps): Manage {
  return {
    keys: createKeyCalls(deps),
    apis: createApiCalls(deps),
    identities: createIdentityCalls(deps),
    permissions: createPermissionCalls(deps),
    ratelimits: createRatelimitCalls(deps),
  };
}
