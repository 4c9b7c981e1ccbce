import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Problem, type ProblemCode, PROBLEMS } from '../domain/problem.ts';
import type { Page } from '../manage/types.ts';
import type { PeerOrigin } from '../peers/types.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set where a peer passed the request on and its signature holds; only on management routes. */
    peerOrigin?: PeerOrigin | undefined;
  }
}

/** Where each problem is explained. `type` in an answer is this and `<system>/<category>/<specific>`, an anchor of that page. */
const DOCS_URL = 'https://github.com/keyhearth/keyhearth/blob/main/docs/ERRORS.md#';
const SYSTEM = 'keyhearth';

const JSON_TYPE = 'application/json';
const PROBLEM_TYPE = 'application/problem+json';

/** `<system>/<category>/<specific>` of a problem: the anchor of its row in docs/ERRORS.md. */
export function problemAnchor(code: ProblemCode): string {
  return `${SYSTEM}/${PROBLEMS[code].type}`;
}

/** `type` of a problem in answers. */
export function problemUrl(code: ProblemCode): string {
  return DOCS_URL + problemAnchor(code);
}

/** Sends ready-made JSON text. The content type stays as given, without the charset that Fastify would append. */
export function sendJson(
  reply: FastifyReply,
  status: number,
  text: string,
  contentType = JSON_TYPE,
): FastifyReply {
  return reply.code(status).header('content-type', contentType).serializer(identity).send(text);
}

/** Sends a success: `{meta: {requestId}, data}`. */
export function sendData(reply: FastifyReply, requestId: string, data: unknown): FastifyReply {
  return sendJson(reply, 200, JSON.stringify({ meta: { requestId }, data }));
}

/** Sends a part of a list: `{meta: {requestId}, data, pagination: {cursor?, hasMore}}`. */
export function sendPage(
  reply: FastifyReply,
  requestId: string,
  { items, cursor }: Page<unknown>,
): FastifyReply {
  const pagination = cursor === null ? { hasMore: false } : { cursor, hasMore: true };
  return sendJson(reply, 200, JSON.stringify({ meta: { requestId }, data: items, pagination }));
}

/** Says in headers where an answer was made by a view that is older than the zone allows, or by a record of an earlier writer. */
export function flagView(
  reply: FastifyReply,
  { staleMs, unverified }: { readonly staleMs: number | null; readonly unverified: boolean },
): void {
  if (staleMs !== null) reply.header('keyhearth-staleness-ms', String(Math.round(staleMs)));
  if (unverified) reply.header('keyhearth-unverified', 'true');
}

/**
 * Sends a refusal in the contract's envelope. `errors` stands in every 400, empty or not, and nowhere else; 429 is always
 * `application/problem+json`, the others where the caller's `Accept` asks for it.
 */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const { status } = problem;
  for (const [name, value] of Object.entries(problem.headers)) reply.header(name, value);
  if (problem.retryAfterS !== undefined) reply.header('retry-after', String(problem.retryAfterS));
  const text = problemText(problem, requestIdOf(request));
  return sendJson(reply, status, text, wantsProblemType(request, status) ? PROBLEM_TYPE : JSON_TYPE);
}

/** The envelope of a refusal, as JSON text. */
export function problemText(problem: Problem, requestId: string): string {
  const { status, title } = PROBLEMS[problem.code];
  const error = {
    title,
    detail: problem.message,
    status,
    type: problemUrl(problem.code),
    ...(status === 400 ? { errors: problem.errors } : {}),
  };
  return JSON.stringify({ meta: { requestId }, error });
}

/** The id that stands in the answer and the logs: of a request that a peer passed on, the one that its own task gave it. */
export function requestIdOf(request: FastifyRequest): string {
  return request.peerOrigin?.requestId ?? request.id;
}

function wantsProblemType(request: FastifyRequest, status: number): boolean {
  // Official clients know a 429 by its content type, and of one call every error.
  if (status === TOO_MANY_REQUESTS || request.routeOptions.url === DELETE_IDENTITY) return true;
  return request.headers.accept?.toLowerCase().includes(PROBLEM_TYPE) ?? false;
}

const TOO_MANY_REQUESTS: number = 429;
const DELETE_IDENTITY = '/v2/identities.deleteIdentity';

function identity(text: unknown): string {
  return String(text);
}
