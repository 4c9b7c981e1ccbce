import type { FastifyPluginCallback } from 'fastify';
import { sendData, sendJson } from './answers.ts';
import type { HttpDeps, Readiness } from './deps.ts';

/** What load balancers, orchestrators and Prometheus ask. None of it needs a root key. */
export function operationRoutes(
  deps: Pick<HttpDeps, 'readiness' | 'metrics' | 'closing'>,
): FastifyPluginCallback {
  return (app, _options, done) => {
    app.get('/v2/liveness', (request, reply) => sendData(reply, request.id, { message: 'OK' }));

    // Says that the process runs its loop, and nothing about what it depends on: restarting it would mend nothing there.
    app.get('/livez', (_request, reply) => sendJson(reply, 200, '{"live":true}'));

    app.get('/readyz', (_request, reply) => {
      const readiness = deps.closing() ? stopping(deps.readiness()) : deps.readiness();
      return sendJson(reply, readiness.ready ? 200 : 503, JSON.stringify(readiness));
    });

    app.get('/metrics', async (_request, reply) => {
      const { contentType, body } = await deps.metrics();
      return reply.header('content-type', contentType).send(body);
    });

    done();
  };
}

function stopping(readiness: Readiness): Readiness {
  return { ...readiness, ready: false, reasons: [...readiness.reasons, 'the task is stopping'] };
}
