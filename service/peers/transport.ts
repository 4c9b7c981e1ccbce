import { type Dispatcher, Pool } from 'undici';

/** One request to a peer. Always a POST with a JSON body. */
export interface Outgoing {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** From the call to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface Incoming {
  readonly status: number;
  /** Lower-case names; of a header sent several times, the values joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** No byte of the request left this process: the other side certainly didn't act on it. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** The request was sent, at least in part, and no whole answer came. */
export class AnswerLost extends Error {
  override readonly name = 'AnswerLost';
}

/** A keep-alive connection pool to one peer. */
export interface Transport {
  /** Rejects with `NotSent` or `AnswerLost`, and nothing else. */
  send(request: Outgoing): Promise<Incoming>;
  /** Lets the calls that are under way end, and then closes; for a peer that nobody needs any more. */
  retire(): Promise<void>;
  /** Ends all at once. */
  close(): Promise<void>;
}

export interface TransportOptions {
  /** A connection, its TLS handshake included, is given up after so long. */
  readonly connectTimeoutMs: number;
  /** Name that the certificate of an https peer must hold, and that is asked for. @default the URL's host */
  readonly serverName?: string;
  /** PEM of the only authority that certificates may come from. @default those that Node knows */
  readonly ca?: string;
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * `baseUrl` is `http://host:port` or `https://host:port`. A certificate that isn't trusted, has expired or is of another name means
 * no connection: `NotSent`.
 */
export function createTransport(baseUrl: string, options: TransportOptions): Transport {
  const { connectTimeoutMs, serverName, ca } = options;
  const pool = new Pool(baseUrl, {
    connections: 32,
    // HTTP/2 would put many requests on one connection, and tell less clearly which of them were sent when it breaks.
    allowH2: false,
    connect: {
      timeout: connectTimeoutMs,
      keepAlive: true,
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...(ca === undefined ? {} : { ca }),
    },
    // The time limit of a whole call is kept by `send`: undici's own are coarse and start later.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
  return {
    send: (request) => exchange(pool, request),
    retire: () => pool.close(),
    close: () => pool.destroy(),
  };
}

/**
 * Uses undici's `dispatch`, because only there one learns whether a request was still waiting for a connection or had already
 * begun to be written when it failed; that decides between "not applied" and "outcome unknown".
 */
function exchange(pool: Pool, request: Outgoing): Promise<Incoming> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let headers: Record<string, string> = {};
    const chunks: Buffer[] = [];
    let ended = false;

    function end(): boolean {
      if (ended) return false;
      ended = true;
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onAbort);
      return true;
    }
    function fail(message: string, cause?: unknown): void {
      if (!end()) return;
      const failure =
        controller === undefined ? new NotSent(message, { cause }) : new AnswerLost(message, { cause });
      controller?.abort(failure);
      reject(failure);
    }
    function onAbort(): void {
      fail('the call was given up', request.signal?.reason);
    }
    const timer = setTimeout(() => fail(`no answer within ${request.timeoutMs} ms`), request.timeoutMs);
    if (request.signal?.aborted === true) {
      onAbort();
      return;
    }
    request.signal?.addEventListener('abort', onAbort, { once: true });

    pool.dispatch(
      { method: 'POST', path: request.path, headers: request.headers, body: request.body },
      {
        onRequestStart(started) {
          // Called just before the first byte is written. A request given up while it waited for a connection stops here.
          if (ended) started.abort(new NotSent('the call was given up'));
          else controller = started;
        },
        onResponseStart(_controller, statusCode, received) {
          status = statusCode;
          headers = joinHeaders(received);
        },
        onResponseData(_controller, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd() {
          if (end()) resolve({ status, headers, body: Buffer.concat(chunks).toString('utf8') });
        },
        onResponseError(_controller, error) {
          fail(error.message, error);
        },
      },
    );
  });
}

function joinHeaders(received: Record<string, string | string[] | undefined>): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of Object.entries(received)) {
    if (value !== undefined)
      joined[name.toLowerCase()] = typeof value === 'string' ? value : value.join(', ');
  }
  return joined;
}
