import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { Principal } from '../../domain/principal.ts';
import { Problem } from '../../domain/problem.ts';
import type { Authenticator } from '../../verify/authenticator.ts';
import type {
  LimitAnswer,
  LimitInput,
  LimitOutcome,
  NamespaceLimits,
} from '../../verify/namespace-limits.ts';
import type { Freshness } from '../../verify/ports.ts';
import { flagView, sendData } from '../answers.ts';
import { bearerText } from '../authentication.ts';
import { KEY_BODY_BYTES } from '../body-limits.ts';
import { BAD_TEXT, isStorableText } from '../json-body.ts';
import { clientAddressOf, MIN_REVISION_WAIT_MS, minRevisionOf } from '../request-headers.ts';
import { refused } from '../schemas/fields.ts';
import { LimitBody, MultiLimitBody } from '../schemas/limit.ts';
import type { MakeNamespaceFor } from './make-namespace.ts';

export interface LimitDeps {
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  /** Counts the call against its workspace's own limit; throws Problem `workspace_rate_limited`. */
  readonly admit: (principal: Principal) => void;
  readonly limits: Pick<NamespaceLimits, 'limit'>;
  readonly freshness: Pick<Freshness, 'waitFor'>;
  readonly makeNamespace: MakeNamespaceFor;
}

/** A caller's limits, and how the answer to them is written. */
interface Call {
  readonly inputs: readonly LimitInput[];
  /** Where an input stands in the body. */
  readonly locationOf: (input: LimitInput) => string;
  readonly dataOf: (outcomes: readonly LimitOutcome[]) => unknown;
}

/**
 * `POST /v2/ratelimit.limit` and `ratelimit.multiLimit`, answered by the task itself: with root key and namespaces in memory, from the
 * parsed body to the sent answer without a promise and without I/O.
 */
export function limitRoutes(deps: LimitDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    app.post<{ Body: Static<typeof LimitBody> }>(
      '/v2/ratelimit.limit',
      { schema: { body: LimitBody } },
      (request, reply) => {
        const { body } = request;
        const dataOf = ([outcome]: readonly LimitOutcome[]) =>
          outcome && { ...viewOf(outcome), success: outcome.passed };
        return answer(deps, request, reply, { inputs: [body], locationOf: () => 'body', dataOf });
      },
    );

    app.post<{ Body: Static<typeof MultiLimitBody> }>(
      '/v2/ratelimit.multiLimit',
      { schema: { body: MultiLimitBody }, bodyLimit: KEY_BODY_BYTES },
      (request, reply) => {
        const { body } = request;
        return answer(deps, request, reply, {
          inputs: body,
          locationOf: (input) => `body[${body.findIndex((one) => one === input)}]`,
          dataOf: (outcomes) => ({
            passed: outcomes.every(({ passed }) => passed),
            limits: outcomes.map((outcome, index) => ({
              namespace: body[index]?.namespace,
              identifier: body[index]?.identifier,
              ...viewOf(outcome),
              passed: outcome.passed,
            })),
          }),
        });
      },
    );

    done();
  };
}

function viewOf({ limit, remaining, resetMs, overrideId }: LimitOutcome): Readonly<Record<string, unknown>> {
  return { limit, remaining, reset: resetMs, ...(overrideId === null ? {} : { overrideId }) };
}

function answer(
  deps: LimitDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  call: Call,
): FastifyReply | Promise<FastifyReply> {
  for (const input of call.inputs) requireStorable(input, call.locationOf);
  const rootKeyText = bearerText(request.headers.authorization);
  if (request.headers['keyhearth-min-revision'] !== undefined) {
    return answerAtRevision(deps, request, reply, call, rootKeyText);
  }
  const principal = deps.authenticator.authenticate(rootKeyText);
  if (principal instanceof Promise) {
    return principal.then(async (caller) => {
      deps.admit(caller);
      return send(request, reply, call, await decide(deps, request, call, caller, rootKeyText));
    });
  }
  deps.admit(principal);
  const outcomes = decide(deps, request, call, principal, rootKeyText);
  if (outcomes instanceof Promise) return outcomes.then((late) => send(request, reply, call, late));
  return send(request, reply, call, outcomes);
}

/** Waits for the revision, then refuses: a caller that names one never gets an answer by an older override. */
async function answerAtRevision(
  deps: LimitDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  call: Call,
  rootKeyText: string,
): Promise<FastifyReply> {
  const revision = minRevisionOf(request);
  deps.admit(await deps.authenticator.authenticate(rootKeyText));
  if (revision !== undefined && !(await deps.freshness.waitFor(revision, MIN_REVISION_WAIT_MS))) {
    throw new Problem(
      'revision_not_reached',
      'This region has not applied the revision that Keyhearth-Min-Revision names.',
      { retryAfterS: 1 },
    );
  }
  const principal = await deps.authenticator.authenticate(rootKeyText, 'verified');
  return send(request, reply, call, await decide(deps, request, call, principal, rootKeyText, 'verified'));
}

function decide(
  deps: LimitDeps,
  request: FastifyRequest,
  { inputs }: Call,
  principal: Principal,
  rootKeyText: string,
  need: 'any' | 'verified' = 'any',
): LimitAnswer | Promise<LimitAnswer> {
  const make = async (namespace: string) =>
    await deps.makeNamespace(
      { principal, rootKeyText, requestId: request.id, clientAddress: clientAddressOf(request) },
      namespace,
    );
  return deps.limits.limit(principal, inputs, make, need);
}

function send(request: FastifyRequest, reply: FastifyReply, call: Call, answered: LimitAnswer): FastifyReply {
  flagView(reply, answered);
  return sendData(reply, request.id, call.dataOf(answered.outcomes));
}

/** A namespace's name is written to the database at its first use, which can't hold every text. */
function requireStorable(input: LimitInput, locationOf: Call['locationOf']): void {
  const { namespace } = input;
  if (isStorableText(namespace)) return;
  throw refused(`${locationOf(input)}.namespace`, BAD_TEXT, 'Send a name without it.');
}
