import { Problem } from '../domain/problem.ts';

/** SQLSTATEs after which the session is gone: connection exceptions, shutdowns, and the time limits that end a session. */
const SESSION_ENDED = /^(08...|57P0[123]|25P0[34]|53300)$/;

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** The client library has no codes for these. */
const LIBRARY_MESSAGES =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed)/;

/** SQLSTATE of an error that the server reported, or the code of a socket's; undefined where there is none. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * True where the connection failed, so that nothing is known of what was under way. False where the server refused the
 * statement and said so.
 */
export function isConnectionFailure(error: unknown): boolean {
  // Node reports several refused addresses of one host as one error.
  if (error instanceof AggregateError) return error.errors.some(isConnectionFailure);
  if (!(error instanceof Error)) return false;
  const code = errorCode(error);
  if (code !== undefined) return SOCKET_CODES.has(code) || SESSION_ENDED.test(code);
  return LIBRARY_MESSAGES.test(error.message);
}

/**
 * What a caller is told of an error that certainly left nothing behind: the write had not been committed, or it was a read.
 * A `Problem` stays what it is; what isn't the database's failure is thrown on as a fault of ours.
 */
export function problemOf(error: unknown): unknown {
  if (error instanceof Problem) return error;
  const code = errorCode(error);
  // The endpoint is a standby: its region was home and no longer is.
  if (code === '25006') {
    return new Problem('no_home', 'The home database is moving to another region; nothing was changed.', {
      retryAfterS: 1,
      cause: error,
    });
  }
  // Cancelled by a time limit, or deadlocked more often than is worth trying.
  const cancelled = code === '57014' || code === '55P03' || code === '40P01';
  if (cancelled || isConnectionFailure(error)) {
    return new Problem('database_unavailable', 'The database did not answer in time; nothing was changed.', {
      retryAfterS: 1,
      cause: error,
    });
  }
  return error;
}
