import type { Service } from '../call.ts';
import type { Refusal } from '../refusal.ts';
import type { Properties } from '../values.ts';
import { rpcRefusal, rpcResult, type Rpc } from './rpc.ts';
import type { Sent } from './sent.ts';
import { toXml } from './xml.ts';

/** What an answer says about the call that it is for. */
export interface Envelope {
  readonly service: Pick<Service, 'protocol' | 'namespace'>;
  readonly action: string;
  readonly requestId: string;
  /** Of a JSON call: its answer has the same. */
  readonly contentType: string | undefined;
  /** Of a call to a Query service that didn't come in its protocol. */
  readonly rpc: Rpc | undefined;
}

const EC2_NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';
const JSON_TYPE = 'application/x-amz-json-1.1';
const SERVER_FAULT = 500;

/**
 * A result in the form of its service's protocol. Sources: "AWS query protocol", "AWS EC2 query protocol", "AWS JSON 1.1 protocol",
 * Smithy 2.0.
 */
export function resultAnswer(envelope: Envelope, result: Properties): Sent {
  const { service, action, requestId } = envelope;
  const rpc = rpcFor(envelope);
  if (rpc !== undefined) return rpcResult(rpc, requestId, result);
  switch (service.protocol) {
    case 'json':
      return jsonAnswer(envelope, 200, JSON.stringify(result), {});
    case 'ec2':
      return xmlAnswer(
        envelope,
        200,
        toXml(`${action}Response`, { '@xmlns': service.namespace ?? EC2_NAMESPACE, requestId, ...result }),
      );
    case 'query':
    case 'rest':
      return xmlAnswer(
        envelope,
        200,
        toXml(`${action}Response`, {
          ...namespaceOf(envelope),
          [`${action}Result`]: result,
          ResponseMetadata: { RequestId: requestId },
        }),
      );
  }
}

/** A refusal in the form of its service's protocol. */
export function refusalAnswer(envelope: Envelope, refusal: Refusal): Sent {
  const { code, message, status } = refusal;
  const { service, requestId } = envelope;
  const rpc = rpcFor(envelope);
  if (rpc !== undefined) return rpcRefusal(rpc, requestId, refusal);
  switch (service.protocol) {
    case 'json':
      return jsonAnswer(envelope, status, JSON.stringify({ __type: code, message, Message: message }), {
        'x-amzn-errortype': code,
      });
    case 'ec2':
      return xmlAnswer(
        envelope,
        status,
        toXml('Response', { Errors: { Error: { Code: code, Message: message } }, RequestID: requestId }),
      );
    case 'rest':
      return xmlAnswer(
        envelope,
        status,
        toXml('Error', { Code: code, Message: message, RequestId: requestId, HostId: requestId }),
      );
    case 'query': {
      const Type = status >= SERVER_FAULT ? 'Receiver' : 'Sender';
      const Error = { Type, Code: code, Message: message };
      return xmlAnswer(
        envelope,
        status,
        toXml('ErrorResponse', { ...namespaceOf(envelope), Error, RequestId: requestId }),
      );
    }
  }
}

/** Clients of other services send the same headers along with their own protocol. */
function rpcFor({ service, rpc }: Envelope): Rpc | undefined {
  return service.protocol === 'query' ? rpc : undefined;
}

function namespaceOf({ service: { namespace } }: Envelope): Properties {
  return namespace === undefined ? {} : { '@xmlns': namespace };
}

function xmlAnswer({ requestId, service }: Envelope, status: number, body: string): Sent {
  // S3's clients look for an id of its own name.
  const ids = service.protocol === 'rest' ? { 'x-amz-request-id': requestId } : {};
  return {
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId, ...ids },
    body,
  };
}

function jsonAnswer(
  { requestId, contentType = JSON_TYPE }: Envelope,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): Sent {
  return {
    status,
    headers: { 'content-type': contentType, 'x-amzn-requestid': requestId, ...headers },
    body,
  };
}
