import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { PROBLEMS } from '../domain/problem.ts';
import { problemUrl } from './answers.ts';

/**
 * Asks clients to open a new connection, elsewhere, once the task is stopping: answers carry `Connection: close`. A listener of
 * the server itself, since a hook would cost something on every verification.
 */
export function closeConnectionsWhenStopping(app: FastifyInstance, closing: () => boolean): void {
  app.server.prependListener('request', (_request, response) => {
    if (closing()) response.setHeader('connection', 'close');
  });
}

/** Answers what isn't HTTP, or took too long to arrive: no route and no error handler ever sees that. */
export function answerBrokenRequest(
  error: Error & { code?: string },
  socket: Duplex,
  requestId: string,
): void {
  // A peer that is gone, or an answer already under way on this connection: nobody could read ours.
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  const { status, title } = PROBLEMS.invalid_input;
  const detail =
    error.code === 'HPE_HEADER_OVERFLOW' ? 'The headers are too large.' : 'This is no HTTP request.';
  const text = JSON.stringify({
    meta: { requestId },
    error: { title, detail, status, type: problemUrl('invalid_input'), errors: [] },
  });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
