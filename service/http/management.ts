import type { FastifyInstance, FastifyReply, FastifyRequest, preParsingAsyncHookHandler } from 'fastify';
import type { Static, TSchema } from 'typebox';
import type { Principal } from '../domain/principal.ts';
import { Problem } from '../domain/problem.ts';
import {
  compareEpochs,
  type Epoch,
  formatRevision,
  parseRevision,
  type Revision,
} from '../domain/revision.ts';
import type { RegionProgress } from '../home/types.ts';
import type { Page, WriteContext, Written } from '../manage/types.ts';
import type { PeerOrigin } from '../peers/types.ts';
import { requestIdOf, sendData, sendJson, sendPage } from './answers.ts';
import { authenticateRootKey, bearerText } from './authentication.ts';
import { BODY_BYTES, KEY_BODY_BYTES } from './body-limits.ts';
import type { HttpDeps } from './deps.ts';
import { keepRawBody, refuseUnstorable } from './json-body.ts';
import { clientAddressOf, idempotencyOf, minRevisionOf } from './request-headers.ts';

/** How long an answer waits for the answering task's own feed, so that "create, then verify" works with any client. */
const OWN_FEED_MS = 1000;
/** How long the answer to a revocation waits for one other region. */
const REVOCATION_MS = 2000;
const NO_HOME_RETRY_S = 1;

interface CallShape<Body extends TSchema> {
  readonly path: `/v2/${string}`;
  readonly body: Body;
  /**
   * Largest body, in bytes, where the usual limit is too small. Where it is larger than what creating a key takes, nothing of the
   * body is read before its sender is known.
   */
  readonly bodyBytes?: number;
  /** What the schema can't say; throws Problem, before anybody is authenticated. */
  readonly check?: (input: Static<Body>) => void;
}

/** A call that runs at home. `deps.manage` decides whether the caller may make it. */
export type ManagementCall<Body extends TSchema> = CallShape<Body> &
  (
    | {
        readonly kind: 'read';
        readonly run: (principal: Principal, input: Static<Body>) => Promise<unknown>;
        /** How long the call may take by the caller's own wish. */
        readonly waitsMs?: (input: Static<Body>) => number;
      }
    | {
        readonly kind: 'list';
        readonly run: (principal: Principal, input: Static<Body>) => Promise<Page<unknown>>;
      }
    | {
        readonly kind: 'write';
        readonly run: (context: WriteContext, input: Static<Body>) => Promise<Written<unknown>>;
      }
  );

/** Registers calls; to be used inside a plugin that called `prepareManagement`. */
export type AddCall = <Body extends TSchema>(call: ManagementCall<Body>) => void;

/**
 * Prepares an encapsulated context for management calls and returns the function that adds one. Each call: body validation,
 * authentication, and then it runs here, where this is the home, or is passed on to the home, once.
 */
export function prepareManagement(app: FastifyInstance, deps: HttpDeps): AddCall {
  keepRawBody(app);
  app.decorateRequest('peerOrigin', undefined);
  app.addHook('onSend', (_request, reply, payload, done) => {
    // These calls can outlast the moment at which the task was told to stop; verifications can't.
    if (deps.closing()) reply.header('connection', 'close');
    done(null, payload);
  });
  return (call) => {
    const { path, body, bodyBytes = BODY_BYTES } = call;
    const options = {
      schema: { body },
      bodyLimit: bodyBytes,
      ...(bodyBytes <= KEY_BODY_BYTES ? {} : { preParsing: authenticateFirst(deps) }),
    };
    app.post(path, options, (request, reply) => handle(deps, call, request, reply));
  };
}

/** Reading and checking a large body keeps the task from everything else, so strangers may not ask for it. */
function authenticateFirst(deps: HttpDeps): preParsingAsyncHookHandler {
  return async (request) => {
    await authenticateRootKey(deps, bearerText(request.headers.authorization));
  };
}

async function handle<Body extends TSchema>(
  deps: HttpDeps,
  call: ManagementCall<Body>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  // The route's schema has been checked before a handler runs.
  const input = request.body as Static<Body>;
  refuseUnstorable(request);
  call.check?.(input);
  const minRevision = minRevisionOf(request);
  const origin = peerOriginOf(deps, request);
  request.peerOrigin = origin;
  const rootKeyText = bearerText(request.headers.authorization);
  const idempotency =
    call.kind === 'write' ? idempotencyOf(request, call.path, request.rawBody, rootKeyText) : null;
  const principal = await authenticateRootKey(deps, rootKeyText);
  // What a peer passed on was counted where it came in.
  if (origin === undefined) deps.admit(principal);

  const home = deps.home.current();
  if (home.at === 'unknown') throw noHome(`The home region is not known at the moment: ${home.reason}`);
  if (home.at === 'elsewhere') {
    if (origin !== undefined) {
      throw noHome(`Region ${origin.region} passed this request to ${deps.region}, which is not the home.`);
    }
    return await passOn(deps, call, home.region, request, reply);
  }
  requireEpochOf(minRevision, home.epoch);
  const requestId = requestIdOf(request);
  if (call.kind === 'list') return sendPage(reply, requestId, await call.run(principal, input));
  if (call.kind === 'read') return sendData(reply, requestId, await call.run(principal, input));
  const clientAddress = origin?.clientAddress ?? clientAddressOf(request);
  const written = await call.run({ principal, requestId, clientAddress, idempotency }, input);
  reply.header('keyhearth-revision', formatRevision(written.revision));
  await settle(deps, written, reply);
  return sendData(reply, requestId, written.data);
}

/**
 * The home has every revision of its own epoch and of those before it that there still is. A higher epoch has another home, which
 * this task has not heard of yet.
 */
function requireEpochOf(minRevision: Revision | undefined, epoch: Epoch): void {
  if (minRevision === undefined || compareEpochs(minRevision.epoch, epoch) <= 0) return;
  throw new Problem(
    'revision_not_reached',
    'The revision that Keyhearth-Min-Revision names was written by a later home than this one.',
    { retryAfterS: NO_HOME_RETRY_S },
  );
}

/** Marks the answer to a passed-on request whose signature was refused, under the name of the signature's own header. */
const REFUSED = 'refused';

/** Who passed the request on; undefined where it comes straight from its caller. */
function peerOriginOf(deps: HttpDeps, request: FastifyRequest): PeerOrigin | undefined {
  if (request.headers[deps.peerGate.header] === undefined) return undefined;
  const { method, url, headers, rawBody } = request;
  const verdict = deps.peerGate.inspect({ method, path: url, headers, body: rawBody });
  if (verdict.kind === 'peer') return verdict.origin;
  const reason = verdict.kind === 'refused' ? verdict.reason : 'the request is not signed';
  // A request that claims to be passed on is never treated as a caller's own: it could go round in circles.
  const { header } = deps.peerGate;
  const message = 'is not a valid signature of a task of this zone';
  const fix = 'Leave it out: only the tasks of a zone use it among each other.';
  throw new Problem('invalid_input', `The header ${header} ${message}.`, {
    errors: [{ location: `header.${header}`, message, fix }],
    headers: { [header]: REFUSED },
    cause: new Error(`a request that claims to come from a peer was refused: ${reason}`),
  });
}

/**
 * Waits, bounded, until the write is visible here, and a revocation in another region. The write is committed: nothing that
 * goes wrong from here on may turn its answer into an error.
 */
async function settle(deps: HttpDeps, written: Written<unknown>, reply: FastifyReply): Promise<void> {
  const [here, elsewhere] = await Promise.all([
    ownFeed(deps, written.revision, reply),
    written.revokes ? revocationConfirmed(deps, written.revision) : undefined,
  ]);
  if (elsewhere !== undefined) {
    reply.header('keyhearth-revocation', here && elsewhere ? 'confirmed' : 'unconfirmed');
  }
}

/** False, and said in a header: the answering task doesn't show the write yet. */
async function ownFeed(deps: HttpDeps, revision: Revision, reply: FastifyReply): Promise<boolean> {
  let applied = false;
  try {
    applied = await deps.waitForRevision(revision, OWN_FEED_MS);
  } catch (error) {
    warn(deps, error, 'waiting for the own feed failed after a write');
  }
  if (!applied) reply.header('keyhearth-applied-here', 'false');
  return applied;
}

async function revocationConfirmed(deps: HttpDeps, revision: Revision): Promise<boolean> {
  try {
    const progress = await deps.taskStatus.wait(revision, 'another', REVOCATION_MS);
    return progress.some((region) => countsAsAnother(deps, region, progress.length));
  } catch (error) {
    warn(deps, error, 'waiting for another region failed after a revocation');
    return false;
  }
}

/** In a zone of one region, that region stands for the other one. */
function countsAsAnother(deps: HttpDeps, region: RegionProgress, regions: number): boolean {
  return region.state === 'applied' && (region.region !== deps.region || regions === 1);
}

async function passOn<Body extends TSchema>(
  deps: HttpDeps,
  call: ManagementCall<Body>,
  region: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  // Fastify has checked the body against the call's own schema.
  const waitsMs = call.kind === 'read' ? call.waitsMs?.(request.body as Static<Body>) : undefined;
  const answer = await deps.peers.pass(region, {
    path: call.path,
    body: request.rawBody,
    headers: textHeaders(request),
    clientAddress: clientAddressOf(request),
    requestId: request.id,
    write: call.kind === 'write',
    ...(waitsMs === undefined ? {} : { extraTimeoutMs: waitsMs }),
  });
  if (answer.headers[deps.peerGate.header] === REFUSED) {
    // A fault between the tasks (another secret, clocks apart), and none of the caller.
    throw noHome(`The home region, ${region}, did not accept the signature of region ${deps.region}.`);
  }
  for (const [name, value] of Object.entries(answer.headers)) {
    // Whether home itself shows the write says nothing about this task.
    if (name === 'keyhearth-applied-here') continue;
    if (name.startsWith('keyhearth-') || name === 'retry-after') reply.header(name, value);
  }
  const revision = parseRevision(answer.headers['keyhearth-revision'] ?? '');
  // What home took for confirmed isn't, while the region that the caller talks to still answers by the old state.
  const here = revision === undefined || (await ownFeed(deps, revision, reply));
  if (!here && reply.hasHeader('keyhearth-revocation')) reply.header('keyhearth-revocation', 'unconfirmed');
  return sendJson(reply, answer.status, answer.body, answer.headers['content-type']);
}

function textHeaders(request: FastifyRequest): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string') headers[name] = value;
  }
  return headers;
}

function noHome(detail: string): Problem {
  return new Problem('no_home', detail, { retryAfterS: NO_HOME_RETRY_S });
}

function warn(deps: HttpDeps, error: unknown, message: string): void {
  deps.logger.warn({ reason: error instanceof Error ? error.message : typeof error }, message);
}
