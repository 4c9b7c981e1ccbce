import type { IncomingHttpHeaders } from 'node:http';
import type { Service } from '../call.ts';
import { Refusal } from '../refusal.ts';
import type { Properties } from '../values.ts';
import { decodeChunks } from './chunked.ts';
import { parseForm } from './form.ts';
import { jsonInput, targetOf } from './json.ts';
import { readRpc, rpcOf } from './rpc.ts';

/** An HTTP request, as it came. */
export interface Received {
  readonly method: string;
  /** Path, as it was sent: still encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a request asks its service for. */
export interface Asked {
  readonly action: string;
  readonly input: Properties;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Reads a request in its service's protocol. Throws AWS's own refusal for what can't be read (`SerializationException`, `MissingAction`).
 */
export function readCall(service: Service, received: Received): Asked {
  switch (service.protocol) {
    case 'json':
      return { ...received, action: targetOf(received.headers), input: jsonInput(received.body) };
    case 'query':
    case 'ec2': {
      const rpc = rpcOf(received.headers);
      if (rpc !== undefined) return { ...received, ...readRpc(rpc, received) };
      const form = new URLSearchParams([
        ...received.query,
        ...new URLSearchParams(received.method === 'POST' ? received.body.toString() : ''),
      ]);
      const action = form.get('Action');
      if (action === null) throw new Refusal('MissingAction', 'The request is missing an action.');
      return { ...received, action, input: parseForm(form, { named: service.protocol === 'query' }) };
    }
    case 'rest': {
      const { method, query } = received;
      const action = service.actionOf?.(method, received.path, query) ?? `${method} ${received.path}`;
      return { ...unchunked(received), action, input: {} };
    }
  }
}

function unchunked({ headers, body }: Received): Pick<Asked, 'headers' | 'body'> {
  const content = String(headers['x-amz-content-sha256'] ?? '');
  if (!content.startsWith('STREAMING-') && !String(headers['content-encoding']).includes('aws-chunked'))
    return { headers, body };
  const { bytes, trailers } = decodeChunks(body);
  return { headers: { ...headers, ...trailers }, body: bytes };
}
