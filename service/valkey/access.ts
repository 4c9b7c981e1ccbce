import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { elastiCacheTokens, type SignToken, type TokenPlace } from './iam-tokens.ts';
import { inTime } from './in-time.ts';
import { parseValkeyUrl } from './setting.ts';

/** The settings of a task that lead to its region's Valkey. */
export interface AccessSettings {
  /** `redis://…` or `rediss://…`; empty: there is none. */
  readonly valkey: string;
  /** `password`: the URL's, if any. `iam`: a token is signed for each connection. */
  readonly valkeyAuth: 'password' | 'iam';
  /** For `iam`: who this task is. */
  readonly valkeyUser: string;
  /** For `iam`: the cache's name. */
  readonly valkeyCache: string;
  /** Path of a PEM file with certificate authorities; empty: the public ones. */
  readonly valkeyTlsCa: string;
  /** AWS region that tokens are signed for. */
  readonly region: string;
}

export interface Credentials {
  /** Undefined: the server's default user. */
  readonly username?: string;
  readonly password?: string;
}

/** How this process gets into the region's Valkey. */
export interface ValkeyAccess {
  readonly host: string;
  readonly port: number;
  /** Null: no TLS. With TLS, chain and host name are always checked. */
  readonly tls: { readonly secureContext: SecureContext } | null;
  /** Asked once for each connection. Fails with an Error whose message names no secret. */
  readonly credentials: () => Promise<Credentials>;
}

/** No token, so no connection. Its message names the cache and the kind of failure, never a token or a credential. */
class TokenFailure extends Error {
  override readonly name = 'TokenFailure';
}

/** Of the time that finding the cluster's nodes may take, which is 5 s. */
const TOKEN_TIMEOUT_MS = 3000;

/** Endpoints of serverless caches say what they are. */
const SERVERLESS = /\.serverless\./;

/**
 * Null where no Valkey is set. Throws an Error naming setting and fix where the settings contradict each other, or the PEM file can't be
 * used.
 *
 * @param signToken @default ElastiCache's own, with the credentials that the AWS SDK finds
 */
export function valkeyAccess(settings: AccessSettings, signToken?: SignToken): ValkeyAccess | null {
  const { valkey, valkeyAuth, valkeyUser, valkeyCache, valkeyTlsCa, region } = settings;
  if (valkey === '') {
    const set = Object.entries({
      KEYHEARTH_VALKEY_AUTH: valkeyAuth === 'iam',
      KEYHEARTH_VALKEY_USER: valkeyUser !== '',
      KEYHEARTH_VALKEY_CACHE: valkeyCache !== '',
      KEYHEARTH_VALKEY_TLS_CA: valkeyTlsCa !== '',
    }).find(([, given]) => given)?.[0];
    if (set === undefined) return null;
    throw new Error(
      `${set} is set although KEYHEARTH_VALKEY isn't: give the URL, or take out what is about it`,
    );
  }
  const { host, port, tls, user, password } = parseValkeyUrl(valkey);
  if (valkeyTlsCa !== '' && !tls) {
    throw new Error(
      'KEYHEARTH_VALKEY_TLS_CA is set, but KEYHEARTH_VALKEY has no TLS: make its URL rediss://',
    );
  }
  const place = { host, port, tls: tls ? { secureContext: secureContextOf(valkeyTlsCa) } : null };
  if (valkeyAuth === 'password') {
    const unused = valkeyUser === '' ? 'KEYHEARTH_VALKEY_CACHE' : 'KEYHEARTH_VALKEY_USER';
    if (valkeyUser !== '' || valkeyCache !== '') {
      throw new Error(
        `${unused} is for KEYHEARTH_VALKEY_AUTH=iam: a user with a password stands in KEYHEARTH_VALKEY`,
      );
    }
    const credentials: Credentials = {
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
    };
    return { ...place, credentials: async () => credentials };
  }
  if (!tls) {
    throw new Error(
      'KEYHEARTH_VALKEY_AUTH is iam, which needs TLS, since a token is sent as it is: make the URL of KEYHEARTH_VALKEY rediss://',
    );
  }
  if (user !== undefined || password !== undefined) {
    throw new Error(
      'KEYHEARTH_VALKEY names a user or a password although KEYHEARTH_VALKEY_AUTH is iam: take them out of the URL',
    );
  }
  if (valkeyUser === '' || valkeyCache === '') {
    throw new Error(
      'KEYHEARTH_VALKEY_AUTH is iam, which needs KEYHEARTH_VALKEY_USER and KEYHEARTH_VALKEY_CACHE',
    );
  }
  const sign = signToken ?? elastiCacheTokens(region);
  const token = { cache: valkeyCache, user: valkeyUser, serverless: SERVERLESS.test(host) };
  return { ...place, credentials: async () => await tokenInTime(sign, token) };
}

async function tokenInTime(sign: SignToken, place: TokenPlace): Promise<Credentials> {
  try {
    return { username: place.user, password: await inTime(TOKEN_TIMEOUT_MS, sign(place)) };
  } catch (error) {
    // Only the kind of error is told on, and no cause: what a provider of credentials says may quote what it read.
    const kind = error instanceof Error ? error.name : typeof error;
    throw new TokenFailure(
      `no IAM token for ${place.user} at the cache ${place.cache} within ${TOKEN_TIMEOUT_MS} ms (${kind}): ` +
        'does this task have a role, and its credentials endpoint an answer?',
    );
  }
}

function secureContextOf(path: string): SecureContext {
  if (path === '') return createSecureContext();
  try {
    const ca = readFileSync(path, 'utf8');
    // A file without any certificate would be taken, and then every server refused.
    void new X509Certificate(ca);
    return createSecureContext({ ca });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `KEYHEARTH_VALKEY_TLS_CA: ${path} can't be used (${reason}): name a readable PEM file with certificates of authorities`,
      { cause: error },
    );
  }
}
