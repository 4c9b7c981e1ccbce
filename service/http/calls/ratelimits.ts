import type { FastifyPluginCallback } from 'fastify';
import type { HttpDeps } from '../deps.ts';
import { prepareManagement } from '../management.ts';
import {
  checkOverride,
  CreateNamespaceBody,
  ListOverridesBody,
  OverrideBody,
  SetOverrideBody,
} from '../schemas/ratelimits.ts';

/** The calls of `ratelimit` that are decided at home: namespaces and their overrides. */
export function ratelimitRoutes(deps: HttpDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    const add = prepareManagement(app, deps);
    const { ratelimits } = deps.manage;

    // An extension of ours. A task makes the namespaces that `ratelimit.limit` names for the first time by it, and a caller can
    // make them ahead, so that the first limit has no call to the home in its way.
    add({
      kind: 'write',
      path: '/v2/ratelimit.createNamespace',
      body: CreateNamespaceBody,
      run: ratelimits.createNamespace,
    });

    add({
      kind: 'write',
      path: '/v2/ratelimit.setOverride',
      body: SetOverrideBody,
      check: checkOverride,
      run: ratelimits.setOverride,
    });

    add({
      kind: 'write',
      path: '/v2/ratelimit.deleteOverride',
      body: OverrideBody,
      run: ratelimits.deleteOverride,
    });

    add({
      kind: 'read',
      path: '/v2/ratelimit.getOverride',
      body: OverrideBody,
      run: ratelimits.getOverride,
    });

    add({
      kind: 'list',
      path: '/v2/ratelimit.listOverrides',
      body: ListOverridesBody,
      run: ratelimits.listOverrides,
    });

    done();
  };
}
