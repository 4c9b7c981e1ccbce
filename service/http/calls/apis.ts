import type { FastifyPluginCallback } from 'fastify';
import type { HttpDeps } from '../deps.ts';
import { prepareManagement } from '../management.ts';
import {
  checkIpAllowlist,
  CreateApiBody,
  DeleteApiBody,
  GetApiBody,
  ListKeysBody,
  UpdateApiBody,
} from '../schemas/apis.ts';

export function apiRoutes(deps: HttpDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    const add = prepareManagement(app, deps);
    const { apis } = deps.manage;

    add({ kind: 'write', path: '/v2/apis.createApi', body: CreateApiBody, run: apis.createApi });

    add({
      kind: 'write',
      path: '/v2/apis.updateApi',
      body: UpdateApiBody,
      check: checkIpAllowlist,
      run: apis.updateApi,
    });

    add({ kind: 'write', path: '/v2/apis.deleteApi', body: DeleteApiBody, run: apis.deleteApi });

    add({ kind: 'read', path: '/v2/apis.getApi', body: GetApiBody, run: apis.getApi });

    add({
      kind: 'list',
      path: '/v2/apis.listKeys',
      body: ListKeysBody,
      run: async (principal, { revalidateKeysCache: _alwaysFresh, ...input }) =>
        await apis.listKeys(principal, input),
    });

    done();
  };
}
