import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { Problem } from '../domain/problem.ts';
import type { Principal } from '../domain/principal.ts';
import type { Authenticator } from '../verify/authenticator.ts';
import type { Freshness } from '../verify/ports.ts';
import type { Verdict, Verifier, VerifyRequest } from '../verify/verifier.ts';
import { flagView, sendJson } from './answers.ts';
import { bearerText } from './authentication.ts';
import { clientAddressOf, MIN_REVISION_WAIT_MS, minRevisionOf } from './request-headers.ts';
import { checkWantedLimits, VerifyKeyBody } from './schemas/verify-key.ts';
import { verifyAnswer } from './verify-answer.ts';

export interface VerifyKeyDeps {
  readonly authenticator: Pick<Authenticator, 'authenticate' | 'confirm'>;
  /** Counts the call against its workspace's own limit; throws Problem `workspace_rate_limited`. */
  readonly admit: (principal: Principal) => void;
  readonly verifier: Pick<Verifier, 'verify' | 'confirm'>;
  readonly freshness: Pick<Freshness, 'waitFor'>;
  /** Told of each verification that got a verdict, from the parsed request to the sent answer. @default nobody is told */
  readonly stopwatch?: Stopwatch;
}

/** Runs on every verification: cheap, and never fails. */
interface Stopwatch {
  start(): number;
  stop(startedMs: number): void;
}

/**
 * `POST /v2/keys.verifyKey`. With root key, key and credits in memory, and without exact limits, the handler runs from the parsed body to
 * the sent answer without a promise and without I/O.
 */
export function verifyKeyRoute(deps: VerifyKeyDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    app.post<{ Body: Static<typeof VerifyKeyBody> }>(
      '/v2/keys.verifyKey',
      { schema: { body: VerifyKeyBody } },
      (request, reply) => {
        const startedMs = deps.stopwatch?.start() ?? 0;
        const { body } = request;
        checkWantedLimits(body.ratelimits);
        const rootKeyText = bearerText(request.headers.authorization);
        const wanted = {
          key: body.key,
          permissions: body.permissions,
          migrationId: body.migrationId,
          cost: body.credits?.cost,
          ratelimits: body.ratelimits,
          clientAddress: () => clientAddressOf(request),
        };
        if (request.headers['keyhearth-min-revision'] !== undefined) {
          return timed(deps, startedMs, verifyAtRevision(deps, request, reply, rootKeyText, wanted));
        }
        const principal = deps.authenticator.authenticate(rootKeyText);
        if (principal instanceof Promise) {
          return timed(deps, startedMs, verifyLater(deps, request, reply, principal, wanted));
        }
        deps.admit(principal);
        const verdict = deps.verifier.verify(principal, wanted);
        if (verdict instanceof Promise) {
          return timed(
            deps,
            startedMs,
            verdict.then((late) => send(request, reply, late)),
          );
        }
        send(request, reply, verdict);
        deps.stopwatch?.stop(startedMs);
        return reply;
      },
    );
    done();
  };
}

async function timed(
  { stopwatch }: VerifyKeyDeps,
  startedMs: number,
  sent: Promise<FastifyReply>,
): Promise<FastifyReply> {
  const reply = await sent;
  stopwatch?.stop(startedMs);
  return reply;
}

async function verifyLater(
  deps: VerifyKeyDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  principal: Promise<Principal>,
  wanted: VerifyRequest,
): Promise<FastifyReply> {
  const caller = await principal;
  deps.admit(caller);
  return send(request, reply, await deps.verifier.verify(caller, wanted));
}

/**
 * Waits for the revision, then asks home, then refuses: a caller that names a revision never gets an older answer. Who calls is
 * looked at first, so that strangers can make nobody wait.
 */
async function verifyAtRevision(
  deps: VerifyKeyDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  rootKeyText: string,
  wanted: VerifyRequest,
): Promise<FastifyReply> {
  const revision = minRevisionOf(request);
  const { authenticator, verifier, freshness } = deps;
  const caller = await authenticator.authenticate(rootKeyText);
  deps.admit(caller);
  if (revision === undefined) return send(request, reply, await verifier.verify(caller, wanted));
  if (await freshness.waitFor(revision, MIN_REVISION_WAIT_MS)) {
    const principal = await authenticator.authenticate(rootKeyText, 'verified');
    return send(request, reply, await verifier.verify(principal, wanted, 'verified'));
  }
  const principal = await authenticator.confirm(rootKeyText, revision).catch(notReached);
  return send(request, reply, await verifier.confirm(principal, wanted, revision).catch(notReached));
}

/** Says what became of asking home for the record; what failed after that, such as taking credits, keeps its own words. */
function notReached(error: unknown): never {
  const code = error instanceof Problem ? error.code : 'no_home';
  if (code === 'revision_not_reached') {
    throw new Problem(
      code,
      'No region has the revision that Keyhearth-Min-Revision names yet: home was asked.',
      {
        retryAfterS: 1,
        cause: error,
      },
    );
  }
  if (code !== 'no_home' && code !== 'database_unavailable') throw error;
  throw new Problem(
    'revision_not_reached',
    'This region has not applied the revision that Keyhearth-Min-Revision names, and home could not be asked.',
    { retryAfterS: 1, cause: error },
  );
}

function send(request: FastifyRequest, reply: FastifyReply, verdict: Verdict): FastifyReply {
  flagView(reply, verdict);
  return sendJson(reply, 200, verifyAnswer(verdict, request.id));
}
