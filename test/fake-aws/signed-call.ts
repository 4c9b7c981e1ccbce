import { accountKeys } from './account.ts';
import type { Properties } from './values.ts';

/** A call as a client signs it, for services whose client isn't installed. */
export interface SignedCall {
  readonly account: string;
  readonly region: string;
  /** Signing name. */
  readonly service: string;
}

/** The header that names account, region and service. Its signature is none: nobody verifies it here. */
export function authorization({ account, region, service }: SignedCall): string {
  const scope = `${accountKeys(account).accessKeyId}/20260101/${region}/${service}/aws4_request`;
  return `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=none`;
}

/** Calls an action of a service that speaks JSON 1.1. @param target as in `X-Amz-Target`: `AmazonSSM.GetParameter` */
export async function jsonCall(
  endpoint: string,
  call: SignedCall & { readonly target: string; readonly input?: Properties },
): Promise<{ readonly status: number; readonly headers: Headers; readonly body: Properties }> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: authorization(call),
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': call.target,
    },
    body: JSON.stringify(call.input ?? {}),
  });
  // The endpoint answers JSON calls with objects of JSON.
  return { status: response.status, headers: response.headers, body: (await response.json()) as Properties };
}
