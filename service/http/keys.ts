import type { FastifyPluginCallback } from 'fastify';
import { KEY_BODY_BYTES } from './body-limits.ts';
import type { HttpDeps } from './deps.ts';
import { prepareManagement } from './management.ts';
import {
  checkCredits,
  checkMeta,
  CreateKeyBody,
  DeleteKeyBody,
  GetKeyBody,
  refuseUnavailable,
  UpdateKeyBody,
  WhoamiBody,
} from './schemas.ts';

/** Management of keys; verification is a route of its own. */
export function keyRoutes(deps: HttpDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    const add = prepareManagement(app, deps);

    add({
      kind: 'write',
      path: '/v2/keys.createKey',
      body: CreateKeyBody,
      bodyBytes: KEY_BODY_BYTES,
      check: (input) => {
        checkCredits(input.credits);
        checkMeta(input.meta);
        refuseUnavailable(input);
      },
      // What is refused above, or means nothing when false, isn't part of what is done.
      run: (context, { credits: _c, ratelimits: _r, recoverable: _e, ...input }) =>
        deps.manage.createKey(context, input),
    });

    add({
      kind: 'write',
      path: '/v2/keys.updateKey',
      body: UpdateKeyBody,
      bodyBytes: KEY_BODY_BYTES,
      check: (input) => {
        checkCredits(input.credits);
        checkMeta(input.meta);
        refuseUnavailable(input);
      },
      run: (context, { credits: _c, ratelimits: _r, ...input }) => deps.manage.updateKey(context, input),
    });

    add({
      kind: 'write',
      path: '/v2/keys.deleteKey',
      body: DeleteKeyBody,
      run: (context, input) => deps.manage.deleteKey(context, input),
    });

    add({
      kind: 'read',
      path: '/v2/keys.getKey',
      body: GetKeyBody,
      check: refuseUnavailable,
      run: (principal, { keyId }) => deps.manage.getKey(principal, { keyId }),
    });

    add({
      kind: 'read',
      path: '/v2/keys.whoami',
      body: WhoamiBody,
      run: async (principal, { key }) => {
        deps.zoneGuard(key);
        return await deps.manage.whoami(principal, { key });
      },
    });

    done();
  };
}
