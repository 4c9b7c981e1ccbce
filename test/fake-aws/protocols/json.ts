import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from '../refusal.ts';
import { isProperties, type Json, type Properties } from '../values.ts';

/** `AmazonSSM.GetParameter`: what is after the dot. Throws `UnknownOperationException` where nothing is. */
export function targetOf(headers: IncomingHttpHeaders): string {
  const action = /\.(\w+)$/.exec(String(headers['x-amz-target'] ?? ''))?.[1];
  if (action === undefined) throw new Refusal('UnknownOperationException', 'The call has no X-Amz-Target.');
  return action;
}

/** Throws `SerializationException`. */
export function jsonInput(body: Buffer): Properties {
  let input: Json;
  try {
    // What `JSON.parse` returns is JSON, which its type doesn't say.
    input = body.length === 0 ? {} : (JSON.parse(body.toString()) as Json);
  } catch {
    throw new Refusal('SerializationException', 'The body of the call is no JSON.');
  }
  if (!isProperties(input))
    throw new Refusal('SerializationException', 'The body of the call is no JSON object.');
  return input;
}
