import type { IncomingHttpHeaders } from 'node:http';

/** What the signature of a call says about it. Nobody verifies the signature itself. */
export interface Scope {
  readonly accessKeyId: string;
  readonly region: string;
  /** Signing name: `cloudformation`, `s3`, … */
  readonly service: string;
  readonly sessionToken: string | undefined;
}

/**
 * Scope of a call signed with Signature Version 4, in its header or (a URL that was signed ahead) in its query; undefined for a call that
 * isn't signed.
 * Source: "Elements of an AWS API request signature", AWS Identity and Access Management User Guide.
 */
export function scopeOf(headers: IncomingHttpHeaders, query: URLSearchParams): Scope | undefined {
  const header = /^AWS4-HMAC-SHA256\s.*\bCredential=([^,\s]+)/.exec(headers.authorization ?? '')?.[1];
  const [accessKeyId, , region, service, end] = (header ?? query.get('X-Amz-Credential') ?? '').split('/');
  if (accessKeyId === undefined || region === undefined || service === undefined || end !== 'aws4_request')
    return undefined;
  const token = headers['x-amz-security-token'] ?? query.get('X-Amz-Security-Token') ?? undefined;
  return { accessKeyId, region, service, sessionToken: Array.isArray(token) ? token[0] : token };
}
