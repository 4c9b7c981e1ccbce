/** What a `redis://user:password@host:port` URL says. */
export interface ValkeyUrl {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Undefined: the server's default user. */
  readonly user: string | undefined;
  /** Undefined where there is none. */
  readonly password: string | undefined;
}

const DEFAULT_PORT = 6379;

/**
 * Reads a Valkey's URL. Throws an Error that says what is allowed, never what stood there. Parameters and numbers of databases are
 * refused: a cluster has one database, and what else there is to say is said by settings of its own.
 */
export function parseValkeyUrl(text: string): ValkeyUrl {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    throw new Error('must be a redis:// or, with TLS, a rediss:// URL: rediss://user:password@host:port');
  }
  if (url.search !== '' || url.hash !== '' || !/^\/?$/.test(url.pathname)) {
    throw new Error('must be a redis:// or rediss:// URL that ends after host and port');
  }
  return {
    host: decoded(url.hostname).replace(/^\[(.+)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    tls: url.protocol === 'rediss:',
    user: url.username === '' ? undefined : decoded(url.username),
    password: url.password === '' ? undefined : decoded(url.password),
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Error('must be a URL whose parts are percent-encoded: a plain % is written %25');
  }
}
