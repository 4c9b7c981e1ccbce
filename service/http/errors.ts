import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type FieldProblem, Problem, type ProblemCode } from '../domain/problem.ts';
import { requestIdOf, sendProblem } from './answers.ts';
import { BODY_BYTES } from './body-limits.ts';
import { fieldProblems } from './field-problems.ts';

/** A dependency that fails, fails for every request, and anybody can send what is logged: of each kind, one line in this time. */
const LOG_INTERVAL_MS = 1000;

type AnswerError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/**
 * The one place where what was thrown becomes an answer: the caller's own mistake, a dependency's failure, or, for anything else, a
 * bare 500 and a log line that knows the request. A mistake is logged only where it has a cause that its answer doesn't tell.
 * `monotonicMs` is a clock for durations.
 */
export function createErrorMapping(
  logger: FastifyBaseLogger,
  monotonicMs: () => number = () => performance.now(),
): AnswerError {
  const logged = new Map<ProblemCode, { atMs: number; unlogged: number }>();

  function logFailure(problem: Problem, request: FastifyRequest): void {
    const nowMs = monotonicMs();
    const last = logged.get(problem.code);
    if (last !== undefined && nowMs - last.atMs < LOG_INTERVAL_MS) {
      last.unlogged += 1;
      return;
    }
    logged.set(problem.code, { atMs: nowMs, unlogged: 0 });
    const alike = last?.unlogged ?? 0;
    logger.warn(
      { ...placeOf(request), problem: problem.code, unloggedBefore: alike, fault: faultOf(problem) },
      'a request was refused',
    );
  }

  return (error, request, reply) => {
    const problem = asProblem(error, request);
    if (problem === undefined) {
      logger.error({ ...placeOf(request), fault: faultOf(error) }, 'a request failed by a fault of ours');
      return sendProblem(request, reply, new Problem('internal_error', 'Something went wrong on our side.'));
    }
    if (problem.status >= 500 || problem.cause !== undefined) logFailure(problem, request);
    return sendProblem(request, reply, problem);
  };
}

/** Covers every route: an unknown one, too. */
export function registerErrorHandling(app: FastifyInstance, answerError: AnswerError): void {
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, routeNotFound()));
}

/** `cause` is for the log; to the caller all unknown routes look alike. */
export function routeNotFound(cause?: Error): Problem {
  return new Problem('route_not_found', 'There is no such call. Check the path and the method.', { cause });
}

/** A request that is wrong in one place. */
export function invalidInput(detail: string, ...errors: readonly FieldProblem[]): Problem {
  return new Problem('invalid_input', detail, { errors });
}

/** What Fastify throws before a handler runs, in the words of the API; undefined for a fault of ours. */
function asProblem(error: unknown, request: FastifyRequest): Problem | undefined {
  if (error instanceof Problem) return error;
  if (!(error instanceof Error)) return undefined;
  // Fastify's errors carry more than an Error; each field is looked at before it is used.
  const { code, statusCode, validation, validationContext } = error as Partial<FastifyError>;
  if (validation !== undefined) {
    const errors = fieldProblems(validation, validationContext ?? 'body');
    return invalidInput(summary(errors), ...errors);
  }
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bodyTooLarge(request.routeOptions.bodyLimit ?? BODY_BYTES);
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return invalidInput('The body is empty.', {
        location: 'body',
        message: 'must not be empty',
        fix: 'Send a JSON object.',
      });
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return invalidInput('The body is not valid JSON.', {
        location: 'body',
        message: 'must be valid JSON',
        fix: 'Send a JSON object.',
      });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return invalidInput('The content type is not JSON.', {
        location: 'header.content-type',
        message: 'must be application/json',
        fix: 'Send the header "Content-Type: application/json" and a JSON object.',
      });
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'ECONNRESET':
      if (statusCode !== 400) return undefined;
      return invalidInput('The body ended early.', {
        location: 'body',
        message: 'must be as long as Content-Length says',
        fix: 'Send the whole body.',
      });
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return routeNotFound();
    case undefined:
    default:
      return undefined;
  }
}

function bodyTooLarge(limit: number): Problem {
  return new Problem('body_too_large', `The body is larger than ${limit} bytes, the limit of this call.`);
}

function summary(errors: readonly FieldProblem[]): string {
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return first === undefined ? 'The request is not valid.' : `${first.location} ${first.message}${more}.`;
}

function placeOf(request: FastifyRequest): Record<string, unknown> {
  return { requestId: requestIdOf(request), method: request.method, route: request.routeOptions.url };
}

/** What a log line may show of an error: never its own fields, which may hold what the caller sent. */
function faultOf(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.cause === undefined || depth === 3 ? {} : { cause: faultOf(error.cause, depth + 1) }),
  };
}
