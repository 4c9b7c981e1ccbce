import type { FastifyPluginCallback } from 'fastify';
import { readCreditsOperation } from '../../domain/credit-rules.ts';
import { KEY_BODY_BYTES } from '../body-limits.ts';
import type { HttpDeps } from '../deps.ts';
import { prepareManagement } from '../management.ts';
import {
  checkKey,
  CreateKeyBody,
  DeleteKeyBody,
  GetKeyBody,
  UpdateCreditsBody,
  UpdateKeyBody,
  WhoamiBody,
} from '../schemas/keys.ts';

/** Management of keys; verification is a route of its own. */
export function keyRoutes(deps: HttpDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    const add = prepareManagement(app, deps);
    const { keys } = deps.manage;

    add({
      kind: 'write',
      path: '/v2/keys.createKey',
      body: CreateKeyBody,
      bodyBytes: KEY_BODY_BYTES,
      check: checkKey,
      run: keys.createKey,
    });

    add({
      kind: 'write',
      path: '/v2/keys.updateKey',
      body: UpdateKeyBody,
      bodyBytes: KEY_BODY_BYTES,
      check: checkKey,
      run: keys.updateKey,
    });

    add({ kind: 'write', path: '/v2/keys.deleteKey', body: DeleteKeyBody, run: keys.deleteKey });

    add({
      kind: 'write',
      path: '/v2/keys.updateCredits',
      body: UpdateCreditsBody,
      check: readCreditsOperation,
      run: keys.updateCredits,
    });

    add({ kind: 'read', path: '/v2/keys.getKey', body: GetKeyBody, run: keys.getKey });

    add({
      kind: 'read',
      path: '/v2/keys.whoami',
      body: WhoamiBody,
      run: async (principal, { key }) => {
        deps.zoneGuard(key);
        return await keys.whoami(principal, { key });
      },
    });

    done();
  };
}
