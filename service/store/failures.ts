import { Problem } from '../domain/problem.ts';
import { TokenFailure } from './iam-tokens.ts';

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

/** SQLSTATEs with which a server refuses a session before it begins: who we are, or which database we want. */
const NOT_LET_IN = /^(28...|3D000)$/;

/** Node's and OpenSSL's codes for a server that couldn't prove who it is, or speaks no TLS that we do. */
const TLS_CODES = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|EPROTO)/;

/** The client library has no codes for these. */
const LIBRARY_MESSAGES =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed)/;
const NO_TLS_MESSAGES =
  /^(The server does not support SSL connections|There was an error establishing an SSL connection)/;

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
  if (isRefusedConnection(error)) return true;
  if (code !== undefined) return SOCKET_CODES.has(code) || SESSION_ENDED.test(code);
  return LIBRARY_MESSAGES.test(error.message);
}

/**
 * True where there is no connection because one side refuses the other: a role, a password, a certificate, a database that isn't
 * there. Trying again won't help; somebody has to set something right.
 */
export function isRefusedConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof TokenFailure) return true;
  const code = errorCode(error);
  if (code !== undefined) return NOT_LET_IN.test(code) || TLS_CODES.test(code);
  return NO_TLS_MESSAGES.test(error.message);
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
