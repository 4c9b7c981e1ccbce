import type { FastifyPluginCallback } from 'fastify';
import type { HttpDeps } from './deps.ts';
import { prepareManagement } from './management.ts';
import { CreateApiBody, GetApiBody } from './schemas.ts';

export function apiRoutes(deps: HttpDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    const add = prepareManagement(app, deps);

    add({
      kind: 'write',
      path: '/v2/apis.createApi',
      body: CreateApiBody,
      run: (context, input) => deps.manage.createApi(context, input),
    });

    add({
      kind: 'read',
      path: '/v2/apis.getApi',
      body: GetApiBody,
      run: (principal, input) => deps.manage.getApi(principal, input),
    });

    done();
  };
}
