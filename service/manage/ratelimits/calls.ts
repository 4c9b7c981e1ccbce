import type { ManageDeps } from '../deps.ts';
import { createNamespace } from './create-namespace.ts';
import { deleteOverride } from './delete-override.ts';
import { getOverride, listOverrides } from './read-overrides.ts';
import { setOverride } from './set-override.ts';
import type { RatelimitCalls } from './types.ts';

/** The calls of `ratelimit` that are decided at home. */
export function createRatelimitCalls(deps: ManageDeps): RatelimitCalls {
  return {
    createNamespace: (context, input) => createNamespace(deps, context, input),
    setOverride: (context, input) => setOverride(deps, context, input),
    deleteOverride: (context, input) => deleteOverride(deps, context, input),
    getOverride: (principal, input) => getOverride(deps, principal, input),
    listOverrides: (principal, input) => listOverrides(deps, principal, input),
  };
}
