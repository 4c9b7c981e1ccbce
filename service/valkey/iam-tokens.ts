import { createHash, createHmac } from 'node:crypto';
import { KMSClient } from '@aws-sdk/client-kms';

/** Whom a token lets in, and into what. */
export interface TokenPlace {
  /** The cache's name, not its address. */
  readonly cache: string;
  /** An ElastiCache user whose id and name are the same. */
  readonly user: string;
  /** Tokens of serverless caches say so. */
  readonly serverless: boolean;
}

/** Makes a new token: text that stands in for the password for 15 minutes. May take long, or fail with any error. */
export type SignToken = (place: TokenPlace) => Promise<string>;

export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface PresignInput {
  readonly service: string;
  readonly region: string;
  /** What the signature is bound to, as in a Host header. */
  readonly host: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly credentials: SigningCredentials;
  readonly now: Date;
}

const TOKEN_SECONDS = 900;

/**
 * Signs tokens of ElastiCache with the credentials that the AWS SDK finds (in ECS: the task role's). Signing is arithmetic; what may
 * go over the network is finding the credentials, which the SDK keeps and renews. No package of the SDK signs these tokens.
 */
export function elastiCacheTokens(region: string): SignToken {
  // The client is never asked to do anything: it is how this SDK hands out the credentials that all its clients use.
  const { credentials } = new KMSClient({ region }).config;
  return async (place) => elastiCacheToken(place, region, await credentials(), new Date());
}

/**
 * A request to connect, signed ahead of time, without its scheme. The form is ElastiCache's:
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
 */
export function elastiCacheToken(
  { cache, user, serverless }: TokenPlace,
  region: string,
  credentials: SigningCredentials,
  now: Date,
): string {
  const kind: Readonly<Record<string, string>> = serverless ? { ResourceType: 'ServerlessCache' } : {};
  const parameters = { Action: 'connect', User: user, ...kind };
  return presigned({ service: 'elasticache', region, host: cache, parameters, credentials, now });
}

/**
 * `<host>/?<query>` of a GET request, signed with Signature Version 4 in its query:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function presigned({ service, region, host, parameters, credentials, now }: PresignInput): string {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const query = Object.entries({
    ...parameters,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(TOKEN_SECONDS),
    ...(sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }),
    'X-Amz-SignedHeaders': 'host',
  })
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted()
    .join('&');
  const request = ['GET', '/', query, `host:${host}`, '', 'host', sha256('')].join('\n');
  const key = ['aws4_request', service, region, time.slice(0, 8)].reduceRight<Buffer | string>(
    (before, part) => hmac(before, part),
    `AWS4${secretAccessKey}`,
  );
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(request)].join('\n')).toString('hex');
  return `${host}/?${query}&X-Amz-Signature=${signature}`;
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** As RFC 3986 has it: of the characters that JavaScript leaves alone, five are encoded as well. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
