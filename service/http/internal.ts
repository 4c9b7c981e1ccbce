import type { FastifyPluginCallback } from 'fastify';
import { sendJson } from './answers.ts';
import { PEER_BODY_BYTES } from './body-limits.ts';
import type { HttpDeps } from './deps.ts';
import { routeNotFound } from './errors.ts';

/**
 * What the zone's tasks ask each other: `POST /internal/<call>`. To everybody whose signature doesn't hold it looks like an unknown
 * route; a request without any is turned away before its body is read.
 */
export function internalRoutes(deps: Pick<HttpDeps, 'peerGate' | 'peerEndpoint'>): FastifyPluginCallback {
  return (app, _options, done) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (_request, body, parsed) =>
      parsed(null, body),
    );
    app.addHook('onRequest', (request, _reply, next) => {
      if (request.headers[deps.peerGate.header] === undefined) next(routeNotFound());
      else next();
    });

    const options = { bodyLimit: PEER_BODY_BYTES };
    app.post<{ Params: { call: string }; Body: string }>(
      '/internal/:call',
      options,
      async (request, reply) => {
        const { method, url, headers } = request;
        const body = typeof request.body === 'string' ? request.body : '';
        const verdict = deps.peerGate.inspect({ method, path: url, headers, body });
        if (verdict.kind !== 'peer') {
          const reason = verdict.kind === 'refused' ? verdict.reason : 'the request is not signed';
          throw routeNotFound(new Error(`a private call was refused: ${reason}`));
        }
        const answer = await deps.peerEndpoint.answer(request.params.call, body);
        if (answer === undefined) throw routeNotFound();
        return sendJson(reply, 200, answer);
      },
    );

    done();
  };
}
