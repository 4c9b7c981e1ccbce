import { createApi } from './create-api.ts';
import { createKey } from './create-key.ts';
import { deleteKey } from './delete-key.ts';
import type { ManageDeps } from './deps.ts';
import { getApi } from './get-api.ts';
import { getKey } from './get-key.ts';
import type { Manage } from './types.ts';
import { updateKey } from './update-key.ts';
import { whoami } from './whoami.ts';

/** All management calls. Inputs have been validated by the schemas of the routes. */
export function createManage(deps: ManageDeps): Manage {
  return {
    createKey: (context, input) => createKey(deps, context, input),
    updateKey: (context, input) => updateKey(deps, context, input),
    deleteKey: (context, input) => deleteKey(deps, context, input),
    getKey: (principal, input) => getKey(deps, principal, input),
    whoami: (principal, input) => whoami(deps, principal, input),
    createApi: (context, input) => createApi(deps, context, input),
    getApi: (principal, input) => getApi(deps, principal, input),
  };
}
