import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { Problem } from '../domain/problem.ts';
import { problemText } from './answers.ts';

/**
 * Asks clients to open a new connection, elsewhere, once the task is stopping: answers carry `Connection: close`. A listener of
 * the server itself, since a hook would cost something on every verification.
 */
export function closeConnectionsWhenStopping(app: FastifyInstance, closing: () => boolean): void {
  app.server.prependListener('request', (_request, response) => {
    if (closing()) response.setHeader('connection', 'close');
  });
}

/** Connections that end as soon as what was asked before is answered. */
const ending = new WeakSet<Duplex>();

/**
 * Answers what isn't HTTP, or took too long to arrive: no route and no error handler ever sees that. Requests can be sent without
 * waiting for answers; where an earlier one is still being answered, its answer is left whole, and the connection ends after it.
 */
export function answerBrokenRequest(
  error: Error & { code?: string },
  socket: Duplex,
  requestId: string,
): void {
  if (ending.has(socket)) return;
  const front = frontAnswer(socket);
  // A peer that is gone, or this request's own answer already begun: nobody could read ours.
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable || isOwnAndBegun(front)) {
    socket.destroy();
    return;
  }
  if (front?.req.complete === true) {
    ending.add(socket);
    endAfterAnswers(socket);
    return;
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new Problem('headers_too_large', 'The headers are too large.')
      : new Problem('invalid_input', 'This is no HTTP request.');
  const text = problemText(problem, requestId);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\nConnection: close\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

/** The answer that a connection's next bytes belong to; undefined where nothing waits for one. */
function frontAnswer(socket: Duplex): ServerResponse | undefined {
  // Node's own field, which its default handler of such errors looks at as well; there is no public name for it, and to keep
  // a list would cost something on every verification.
  const { _httpMessage: front } = socket as Duplex & { readonly _httpMessage?: ServerResponse | null };
  return front ?? undefined;
}

/** Whether it is the front answer's own request that broke, in its body, and part of the answer has been written. */
function isOwnAndBegun(front: ServerResponse | undefined): boolean {
  return front !== undefined && !front.req.complete && front.headersSent;
}

function endAfterAnswers(socket: Duplex): void {
  const front = frontAnswer(socket);
  if (front?.req.complete === true) front.once('close', () => endAfterAnswers(socket));
  else socket.end(() => socket.destroy());
}
