import pg from 'pg';
import { type DatabaseAccess, PLAIN_ACCESS } from './access.ts';

export interface PoolOptions {
  /** `postgres://user:password@host:port/database`; without the password where `access` has another proof. */
  readonly url: string;
  /** @default the password in the URL, no TLS */
  readonly access?: DatabaseAccess;
  /** Shown in the database's own views, e.g. `keyhearth reader`. */
  readonly applicationName: string;
  /** Connections at most. @default 10 */
  readonly connections?: number;
  /** For a connection, and for a free place in the pool. @default 2000 */
  readonly connectionTimeoutMs?: number;
  /** One statement. @default 5000 */
  readonly statementTimeoutMs?: number;
  /** Waiting for a lock. @default 3000 */
  readonly lockTimeoutMs?: number;
  /** A whole transaction. One left open holds the feed's watermark down for everybody. @default 8000 */
  readonly transactionTimeoutMs?: number;
  /** A transaction in which nothing happens. @default 2000 */
  readonly idleInTransactionTimeoutMs?: number;
  /** Tells of a connection that broke while nobody used it; the pool replaces it. */
  readonly onIdleError: (error: Error) => void;
}

/** More than the server's own limits, so that normally the server answers first and says what it did. */
const ANSWER_GRACE_MS = 1000;

/**
 * The library keeps the socket of a client whose password can't be had; the server would hold a place for it, and this process would
 * not end, for a minute. After any error of its connection a client is of no use: its socket goes at once.
 */
class ClosingClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    const { connection } = this;
    connection.on('error', () => void connection.stream.destroy());
  }
}

/**
 * A pool whose connections can't hang: connecting, statements, locks, transactions and idle transactions are bounded, by the
 * server and, should the server be silent, by the client. A broken idle connection is reported and never ends the process.
 * Throws an Error that names the fix where the URL and the access don't fit.
 */
export function createPool(options: PoolOptions): pg.Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 5000;
  const connectionTimeoutMs = options.connectionTimeoutMs ?? 2000;
  const pool = new pg.Pool({
    ...(options.access ?? PLAIN_ACCESS).clientConfig(options.url, { connectionTimeoutMs }),
    Client: ClosingClient,
    application_name: options.applicationName,
    max: options.connections ?? 10,
    connectionTimeoutMillis: connectionTimeoutMs,
    idleTimeoutMillis: 60_000,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + ANSWER_GRACE_MS,
    lock_timeout: options.lockTimeoutMs ?? 3000,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 2000,
    options: `-c transaction_timeout=${options.transactionTimeoutMs ?? 8000}`,
    keepAlive: true,
  });
  pool.on('error', (error) => {
    // The pool hangs the whole client on the error, and whoever logs the error would log that: socket, keys and all.
    Reflect.deleteProperty(error, 'client');
    options.onIdleError(error);
  });
  return pool;
}
