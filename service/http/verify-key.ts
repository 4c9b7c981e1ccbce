import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { Problem } from '../domain/problem.ts';
import type { Principal } from '../domain/principal.ts';
import type { Authenticator } from '../verify/authenticator.ts';
import type { Freshness } from '../verify/ports.ts';
import type { Verdict, Verifier, VerifyRequest } from '../verify/verifier.ts';
import { sendJson } from './answers.ts';
import { bearerText } from './authentication.ts';
import { clientAddressOf, minRevisionOf } from './request-headers.ts';
import { verifyAnswer } from './verify-answer.ts';

export interface VerifyKeyDeps {
  readonly authenticator: Pick<Authenticator, 'authenticate' | 'confirm'>;
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

/** How long a request may wait for the revision that it asks for, before home is asked. */
const MIN_REVISION_WAIT_MS = 1000;

const VerifyKeyBody = Type.Object(
  {
    key: Type.String({ minLength: 1, maxLength: 512 }),
    permissions: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
    tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { maxItems: 20 })),
    migrationId: Type.Optional(Type.String({ maxLength: 256 })),
    credits: Type.Optional(
      Type.Object({ cost: Type.Integer({ minimum: 0, maximum: 1e12 }) }, { additionalProperties: false }),
    ),
    ratelimits: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ minLength: 3, maxLength: 255 }),
            cost: Type.Optional(Type.Integer({ minimum: 0 })),
            limit: Type.Optional(Type.Integer({ minimum: 0 })),
            duration: Type.Optional(Type.Integer({ minimum: 0 })),
          },
          { additionalProperties: false },
        ),
        { maxItems: 50 },
      ),
    ),
  },
  { additionalProperties: false },
);

type VerifyKeyBody = Static<typeof VerifyKeyBody>;

/**
 * `POST /v2/keys.verifyKey`. With root key and key in memory the handler runs from the parsed body to the sent answer without a
 * promise and without I/O.
 */
export function verifyKeyRoute(deps: VerifyKeyDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    app.post<{ Body: VerifyKeyBody }>(
      '/v2/keys.verifyKey',
      { schema: { body: VerifyKeyBody } },
      (request, reply) => {
        const startedMs = deps.stopwatch?.start() ?? 0;
        const rootKeyText = bearerText(request.headers.authorization);
        const { body } = request;
        if (body.credits !== undefined) throw notYet('credits');
        if (body.ratelimits !== undefined) throw notYet('ratelimits');
        const wanted = {
          key: body.key,
          permissions: body.permissions,
          clientAddress: () => clientAddressOf(request),
        };
        if (request.headers['keyhearth-min-revision'] !== undefined) {
          return timed(deps, startedMs, verifyAtRevision(deps, request, reply, rootKeyText, wanted));
        }
        const principal = deps.authenticator.authenticate(rootKeyText);
        if (principal instanceof Promise) {
          return timed(deps, startedMs, verifyLater(deps, request, reply, principal, wanted));
        }
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
  return send(request, reply, await deps.verifier.verify(await principal, wanted));
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
  if (revision === undefined) return send(request, reply, await verifier.verify(caller, wanted));
  if (await freshness.waitFor(revision, MIN_REVISION_WAIT_MS)) {
    const principal = await authenticator.authenticate(rootKeyText, 'verified');
    return send(request, reply, await verifier.verify(principal, wanted, 'verified'));
  }
  const principal = await authenticator.confirm(rootKeyText, revision).catch(notReached);
  return send(request, reply, await verifier.confirm(principal, wanted, revision).catch(notReached));
}

function notReached(error: unknown): never {
  if (error instanceof Problem && error.status < 500) throw error;
  throw new Problem(
    'revision_not_reached',
    'This region has not applied the revision that Keyhearth-Min-Revision names, and home could not be asked.',
    { retryAfterS: 1, cause: error },
  );
}

function send(request: FastifyRequest, reply: FastifyReply, verdict: Verdict): FastifyReply {
  if (verdict.staleMs !== null) reply.header('keyhearth-staleness-ms', String(Math.round(verdict.staleMs)));
  if (verdict.unverified) reply.header('keyhearth-unverified', 'true');
  return sendJson(reply, 200, verifyAnswer(verdict, request.id));
}

function notYet(field: string): Problem {
  return new Problem('not_available_yet', `The field ${field} is not available in this version.`, {
    errors: [
      {
        location: `body.${field}`,
        message: 'is not available in this version',
        fix: `Leave ${field} out: it would not be enforced.`,
      },
    ],
  });
}
