import type { FastifyPluginCallback } from 'fastify';
import { MIGRATE_BODY_BYTES } from '../body-limits.ts';
import type { HttpDeps } from '../deps.ts';
import { prepareManagement } from '../management.ts';
import { checkMigration, MigrateKeysBody, RerollKeyBody } from '../schemas/key-changes.ts';

/** Keys that are made out of others: rerolled and imported ones. */
export function keyChangeRoutes(deps: HttpDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    const add = prepareManagement(app, deps);
    const { keys } = deps.manage;

    add({ kind: 'write', path: '/v2/keys.rerollKey', body: RerollKeyBody, run: keys.rerollKey });

    add({
      kind: 'write',
      path: '/v2/keys.migrateKeys',
      body: MigrateKeysBody,
      bodyBytes: MIGRATE_BODY_BYTES,
      check: checkMigration,
      run: keys.migrateKeys,
    });

    done();
  };
}
