import type { FastifyPluginCallback } from 'fastify';
import { Problem } from '../../domain/problem.ts';
import { mayRoot } from '../../domain/root-permissions.ts';
import { lacksPermission } from '../../manage/refusals.ts';
import type { HttpDeps } from '../deps.ts';
import { prepareManagement } from '../management.ts';
import { GetVerificationsBody } from '../schemas/analytics.ts';

/** The calls of `analytics`. This version keeps no events of verifications, and so there is nothing that a query could read. */
export function analyticsRoutes(deps: HttpDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    const add = prepareManagement(app, deps);

    add({
      kind: 'read',
      path: '/v2/analytics.getVerifications',
      body: GetVerificationsBody,
      run: (principal) => {
        const refusal = mayRoot(principal, 'api.*.read_analytics')
          ? new Problem('analytics_not_configured', 'This deployment keeps no events of verifications.')
          : lacksPermission('api.*.read_analytics');
        return Promise.reject(refusal);
      },
    });

    done();
  };
}
