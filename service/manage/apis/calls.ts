import type { ManageDeps } from '../deps.ts';
import { createApi } from './create-api.ts';
import { deleteApi } from './delete-api.ts';
import { getApi } from './get-api.ts';
import { listKeys } from './list-keys.ts';
import type { ApiCalls } from './types.ts';
import { updateApi } from './update-api.ts';

/** The calls of `apis`. */
export function createApiCalls(deps: ManageDeps): ApiCalls {
  return {
    createApi: (context, input) => createApi(deps, context, input),
    updateApi: (context, input) => updateApi(deps, context, input),
    deleteApi: (context, input) => deleteApi(deps, context, input),
    getApi: (principal, input) => getApi(deps, principal, input),
    listKeys: (principal, input) => listKeys(deps, principal, input),
  };
}
