/** What a `postgres://user:password@host:port/database` URL says. */
export interface DatabaseUrl {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Undefined where there is none. */
  readonly password: string | undefined;
  readonly database: string;
}

const DEFAULT_PORT = 5432;

/**
 * Reads a database's URL. Throws an Error that says what is allowed, never what stood there. Parameters (`?sslmode=…`) are
 * refused: the client library would let them override what the settings say, TLS checks included.
 */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === '' || url.username === '') {
    throw new Error('must be a postgres:// URL: postgres://user:password@host:port/database');
  }
  if (url.search !== '' || url.hash !== '') {
    throw new Error('must be a postgres:// URL without parameters; TLS is set by KEYHEARTH_DATABASE_TLS');
  }
  const user = decoded(url.username);
  return {
    host: decoded(url.hostname).replace(/^\[(.+)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    user,
    password: url.password === '' ? undefined : decoded(url.password),
    // As Postgres itself does where no database is named.
    database: url.pathname.length > 1 ? decoded(url.pathname.slice(1)) : user,
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Error('must be a postgres:// URL whose parts are percent-encoded: a plain % is written %25');
  }
}
