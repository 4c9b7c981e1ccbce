import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from '../refusal.ts';
import { isProperties, type Json, type Properties } from '../values.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { jsonInput, targetOf } from './json.ts';
import { MOMENT } from './moment.ts';
import type { Sent } from './sent.ts';

const HEADER = 'smithy-protocol';
const CBOR = 'rpc-v2-cbor';
const QUERY_MODE = 'x-amzn-query-mode';
const MILLISECONDS = 1000;
const SERVER_FAULT = 500;

/** What newer clients of a service with a Query protocol speak instead of it. */
export type Rpc = 'cbor' | 'json';

interface Request {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Does a call to a service with a Query protocol come as CBOR (the SDKs), or as JSON (the `aws` command line)? CloudWatch's do. It is
 * handed on as if it had come in the Query protocol, with texts alone, and its answer's lists lose the name of their entries.
 * Sources: "Smithy RPC v2 CBOR protocol" and "awsQueryCompatible trait", Smithy 2.0.
 */
export function rpcOf(headers: IncomingHttpHeaders): Rpc | undefined {
  if (headers[HEADER] === CBOR) return 'cbor';
  return headers[QUERY_MODE] === 'true' ? 'json' : undefined;
}

/** Throws `UnknownOperationException` and `SerializationException`. */
export function readRpc(
  rpc: Rpc,
  { path, headers, body }: Request,
): { readonly action: string; readonly input: Properties } {
  if (rpc === 'json') return { action: targetOf(headers), input: asTexts(jsonInput(body)) };
  const action = /^\/service\/[^/]+\/operation\/(\w+)$/.exec(path)?.[1];
  if (action === undefined) throw new Refusal('UnknownOperationException', 'The call names no operation.');
  let input: Json;
  try {
    input = body.length === 0 ? {} : decodeCbor(body);
  } catch {
    throw new Refusal('SerializationException', 'The body of the call is no CBOR.');
  }
  if (!isProperties(input)) throw new Refusal('SerializationException', 'The body of the call is no map.');
  return { action, input: asTexts(input) };
}

export function rpcResult(rpc: Rpc, requestId: string, result: Properties): Sent {
  return answer(rpc, requestId, 200, mapped(result, unnamed));
}

export function rpcRefusal(rpc: Rpc, requestId: string, { code, message, status }: Refusal): Sent {
  const sent = answer(rpc, requestId, status, { __type: code, message });
  const error = `${code};${status < SERVER_FAULT ? 'Sender' : 'Receiver'}`;
  return { ...sent, headers: { ...sent.headers, 'x-amzn-query-error': error } };
}

function answer(rpc: Rpc, requestId: string, status: number, value: Properties): Sent {
  const ids = { 'x-amzn-requestid': requestId };
  if (rpc === 'cbor') {
    const headers = { ...ids, 'content-type': 'application/cbor', [HEADER]: CBOR };
    return { status, headers, body: encodeCbor(value) };
  }
  const headers = { ...ids, 'content-type': 'application/x-amz-json-1.0' };
  return { status, headers, body: JSON.stringify(mapped(value, inSeconds)) };
}

function asTexts(value: Properties): Properties {
  return mapped(value, asText);
}

function asText(value: Json): Json {
  if (Array.isArray(value)) return value.map((entry) => asText(entry));
  if (isProperties(value)) return asTexts(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

/** `{member: […]}` becomes the list. */
function unnamed(value: Json): Json {
  if (Array.isArray(value)) return value.map((entry) => unnamed(entry));
  if (!isProperties(value)) return value;
  const { member } = value;
  if (Array.isArray(member) && Object.keys(value).length === 1) return unnamed(member);
  return mapped(value, unnamed);
}

/** JSON writes a moment as seconds since 1970. */
function inSeconds(value: Json): Json {
  if (Array.isArray(value)) return value.map((entry) => inSeconds(entry));
  if (isProperties(value)) return mapped(value, inSeconds);
  return typeof value === 'string' && MOMENT.test(value) ? Date.parse(value) / MILLISECONDS : value;
}

function mapped(value: Properties, change: (entry: Json) => Json): Properties {
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, change(entry)]));
}
