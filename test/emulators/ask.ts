import { XMLParser } from 'fast-xml-parser';
import type { Credentials } from './cdk.ts';

/** Where a call goes, and as whom. */
export interface Caller {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials;
}

const XML = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  isArray: (name) => name === 'item',
});

/**
 * Calls for services whose client isn't among the repository's packages. They name their caller as a signed call does, but with a
 * signature that is none: emulators don't look at it.
 */
export async function askEc2(caller: Caller, action: string): Promise<unknown> {
  const body = new URLSearchParams({ Action: action, Version: '2016-11-15' });
  const text = await post(
    caller,
    'ec2',
    '/',
    { 'content-type': 'application/x-www-form-urlencoded' },
    body.toString(),
  );
  return XML.parse(text);
}

export async function askJson(
  caller: Caller,
  service: string,
  target: string,
  input: unknown,
): Promise<unknown> {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
  return JSON.parse(await post(caller, service, '/', headers, JSON.stringify(input)));
}

/** Makes a public hosted zone. Returns its id. */
export async function createHostedZone(caller: Caller, name: string): Promise<string> {
  const xml = `<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>${name}</Name><CallerReference>${name}</CallerReference></CreateHostedZoneRequest>`;
  const text = await post(caller, 'route53', '/2013-04-01/hostedzone', { 'content-type': 'text/xml' }, xml);
  const id = /<Id>\/hostedzone\/(\w+)<\/Id>/.exec(text)?.[1];
  if (id === undefined) throw new Error(`no hosted zone in ${text}`);
  return id;
}

async function post(
  { endpoint, region, credentials }: Caller,
  service: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<string> {
  const response = await fetch(`${endpoint}${path}`, {
    method: 'POST',
    headers: {
      ...headers,
      authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
      ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
    },
    body,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${service} in ${region}: ${response.status} ${text.slice(0, 500)}`);
  return text;
}
