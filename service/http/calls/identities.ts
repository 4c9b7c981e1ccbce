import type { FastifyPluginCallback } from 'fastify';
import { IDENTITY_BODY_BYTES } from '../body-limits.ts';
import type { HttpDeps } from '../deps.ts';
import { prepareManagement } from '../management.ts';
import {
  checkIdentity,
  CreateIdentityBody,
  DeleteIdentityBody,
  GetIdentityBody,
  ListIdentitiesBody,
  UpdateIdentityBody,
} from '../schemas/identities.ts';

export function identityRoutes(deps: HttpDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    const add = prepareManagement(app, deps);
    const { identities } = deps.manage;

    add({
      kind: 'write',
      path: '/v2/identities.createIdentity',
      body: CreateIdentityBody,
      bodyBytes: IDENTITY_BODY_BYTES,
      check: checkIdentity,
      run: identities.createIdentity,
    });

    add({
      kind: 'write',
      path: '/v2/identities.updateIdentity',
      body: UpdateIdentityBody,
      bodyBytes: IDENTITY_BODY_BYTES,
      check: checkIdentity,
      run: identities.updateIdentity,
    });

    add({
      kind: 'write',
      path: '/v2/identities.deleteIdentity',
      body: DeleteIdentityBody,
      run: identities.deleteIdentity,
    });

    add({
      kind: 'read',
      path: '/v2/identities.getIdentity',
      body: GetIdentityBody,
      run: identities.getIdentity,
    });

    add({
      kind: 'list',
      path: '/v2/identities.listIdentities',
      body: ListIdentitiesBody,
      run: identities.listIdentities,
    });

    done();
  };
}
