import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { fastify, type FastifyInstance, LogController } from 'fastify';
import { analyticsRoutes } from './http/calls/analytics.ts';
import { apiRoutes } from './http/calls/apis.ts';
import { BODY_BYTES } from './http/body-limits.ts';
import { answerBrokenRequest, closeConnectionsWhenStopping } from './http/connections.ts';
import type { HttpDeps } from './http/deps.ts';
import { createErrorMapping, registerErrorHandling } from './http/errors.ts';
import { internalRoutes } from './http/internal.ts';
import { registerJsonBody } from './http/json-body.ts';
import { identityRoutes } from './http/calls/identities.ts';
import { keyChangeRoutes } from './http/calls/key-changes.ts';
import { keyGrantRoutes } from './http/calls/key-grants.ts';
import { keyRoutes } from './http/calls/keys.ts';
import { permissionRoutes } from './http/calls/permissions.ts';
import { ratelimitRoutes } from './http/calls/ratelimits.ts';
import { operationRoutes } from './http/operations.ts';
import { createRequestIds } from './http/request-id.ts';
import { revisionRoutes } from './http/calls/revisions.ts';
import { compileValidator } from './http/validation.ts';

/** From the first byte of a request to its last. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than load balancers keep an idle connection (60 s as a rule), so that it is never this side that closes first. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** Silence on a connection, also while a call is answered: `revisions.wait` may take 30 s, and longer when passed on. */
const CONNECTION_TIMEOUT_MS = 120_000;

/**
 * The HTTP surface of a task. It never listens: its owner does. Nothing here runs per verification but its own route; hooks live in
 * the plugins of the management calls.
 */
export function buildApp(deps: HttpDeps): FastifyInstance {
  const nextRequestId = createRequestIds();
  const answerError = createErrorMapping(deps.logger);
  const app = fastify({
    loggerInstance: deps.logger,
    // A line for each request would cost more than the verification, and hold what callers send.
    logController: new LogController({ disableRequestLogging: true }),
    // A child logger per request is costly, and log lines name the request's id themselves.
    childLoggerFactory: (logger) => logger,
    genReqId: nextRequestId,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    bodyLimit: BODY_BYTES,
    trustProxy: deps.trustedProxies.length === 0 ? false : [...deps.trustedProxies],
    // Requests that arrive while connections are drained are served like any other.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, nextRequestId()),
    frameworkErrors: (error, request, reply) => {
      answerError(error, request, reply);
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler(compileValidator);
  registerErrorHandling(app, answerError);
  registerJsonBody(app);
  closeConnectionsWhenStopping(app, deps.closing);

  void app.register(operationRoutes(deps));
  void app.register(keyRoutes(deps));
  void app.register(keyGrantRoutes(deps));
  void app.register(keyChangeRoutes(deps));
  void app.register(apiRoutes(deps));
  void app.register(identityRoutes(deps));
  void app.register(permissionRoutes(deps));
  void app.register(ratelimitRoutes(deps));
  void app.register(analyticsRoutes(deps));
  void app.register(revisionRoutes(deps));
  void app.register(internalRoutes(deps));
  return app;
}
