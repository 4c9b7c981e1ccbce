import { callerOf } from './account.ts';
import type { Answer, Service } from './call.ts';
import { refusalAnswer, resultAnswer, type Envelope } from './protocols/answers.ts';
import { readCall, type Asked, type Received } from './protocols/calls.ts';
import { rpcOf } from './protocols/rpc.ts';
import type { Sent } from './protocols/sent.ts';
import { scopeOf, type Scope } from './protocols/signature.ts';
import { Refusal } from './refusal.ts';
import type { RequestLog } from './request-log.ts';
import type { World } from './world.ts';

const FORBIDDEN = 403;
/** Not 500 or 503, which every client tries again. */
const NOT_IMPLEMENTED = 501;
const FAULT = 500;
const REQUEST_ID_DIGITS = 12;

/** Services whose API is in one region only. Source: "AWS service endpoints", AWS General Reference. */
const ONLY_REGION: ReadonlyMap<string, string> = new Map([
  ['globalaccelerator', 'us-west-2'],
  ['iam', 'us-east-1'],
  ['route53', 'us-east-1'],
  ['budgets', 'us-east-1'],
]);

export interface Dispatch {
  readonly world: World;
  readonly services: readonly Service[];
  readonly log: RequestLog;
  /** Faults of the fake itself; a client sees an `InternalFailure`. */
  readonly faults: unknown[];
  /** Base URL of this endpoint. */
  readonly endpoint: () => string;
}

/** Answers a signed call: finds who calls which service, reads the call, and writes the answer in the service's protocol. Never throws. */
export async function dispatch(to: Dispatch, received: Received): Promise<Sent> {
  const scope = scopeOf(received.headers, received.query);
  const service = to.services.find(({ signingName }) => signingName === scope?.service);
  let asked: Asked | undefined;
  let account = '';
  let envelope = envelopeOf(to, received, service ?? likeService(received));
  let sent: Sent;
  let code: string | undefined;
  try {
    const caller = checkScope(scope);
    account = caller.account;
    const known = knownService(to, caller, service);
    asked = readCall(known, received);
    envelope = { ...envelope, action: asked.action };
    const answer = await act(to, { service: known, account, scope: caller, asked, received });
    sent =
      'raw' in answer ? rawAnswer(answer.raw, envelope.requestId) : resultAnswer(envelope, answer.result);
  } catch (error) {
    const refusal = refusalOf(to, error);
    ({ code } = refusal);
    sent = refusalAnswer(envelope, refusal);
  }
  to.log.add({
    service: scope?.service ?? '',
    action: asked?.action ?? '',
    account,
    region: scope?.region ?? '',
    status: sent.status,
    ...(code === undefined ? {} : { code }),
  });
  return sent;
}

type SignedBy = Scope & { readonly account: string };

/** Throws what AWS's services answer to calls that nobody signed, or with keys that nobody has. Source: "Common errors" of their API References. */
function checkScope(scope: Scope | undefined): SignedBy {
  if (scope === undefined)
    throw new Refusal('MissingAuthenticationToken', 'Request is missing Authentication Token', FORBIDDEN);
  const caller = callerOf(scope.accessKeyId, scope.sessionToken);
  if (caller === undefined)
    throw new Refusal(
      'InvalidClientTokenId',
      'The security token included in the request is invalid.',
      FORBIDDEN,
    );
  const only = ONLY_REGION.get(scope.service);
  if (only !== undefined && scope.region !== only)
    throw new Refusal(
      'SignatureDoesNotMatch',
      `Credential should be scoped to a valid region: ${scope.service} is in ${only} only.`,
      FORBIDDEN,
    );
  return { ...scope, account: caller.account };
}

function knownService({ log }: Dispatch, scope: Scope, service: Service | undefined): Service {
  if (service !== undefined) return service;
  log.addUnknown(scope.service);
  throw new Refusal(
    'InvalidAction',
    `Nothing here answers for the service ${scope.service}.`,
    NOT_IMPLEMENTED,
  );
}

interface Act {
  readonly service: Service;
  readonly account: string;
  readonly scope: Scope;
  readonly asked: Asked;
  readonly received: Received;
}

async function act(
  { world, log, endpoint }: Dispatch,
  { service, account, scope, asked, received }: Act,
): Promise<Answer> {
  const does = Object.hasOwn(service.actions, asked.action) ? service.actions[asked.action] : undefined;
  if (does === undefined) {
    log.addUnknown(`${service.signingName}:${asked.action}`);
    throw new Refusal(
      service.protocol === 'json' ? 'UnknownOperationException' : 'InvalidAction',
      `The action ${asked.action} of ${service.signingName} isn't there in this local AWS.`,
      NOT_IMPLEMENTED,
    );
  }
  return does({
    ...asked,
    world,
    account,
    region: scope.region,
    method: received.method,
    path: received.path,
    query: received.query,
    endpoint: endpoint(),
  });
}

/** A service that isn't here has its protocol too: its client has to be able to read the refusal. */
function likeService({ headers }: Received): Pick<Service, 'protocol'> {
  const type = headers['content-type'] ?? '';
  if (headers['x-amz-target'] !== undefined || type.includes('json')) return { protocol: 'json' };
  return { protocol: type.includes('x-www-form-urlencoded') ? 'query' : 'rest' };
}

function envelopeOf({ world }: Dispatch, { headers }: Received, service: Envelope['service']): Envelope {
  // In the form that AWS's have: a UUID.
  const requestId = `00000000-0000-4000-8000-${world.hex(REQUEST_ID_DIGITS)}`;
  return { service, action: '', requestId, contentType: headers['content-type'], rpc: rpcOf(headers) };
}

function rawAnswer(raw: Extract<Answer, { raw: unknown }>['raw'], requestId: string): Sent {
  return {
    status: raw.status,
    headers: { 'x-amzn-requestid': requestId, 'x-amz-request-id': requestId, ...raw.headers },
    body: raw.body ?? '',
  };
}

function refusalOf({ faults }: Dispatch, error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  faults.push(error);
  const message = error instanceof Error ? error.message : String(error);
  return new Refusal('InternalFailure', `A fault of this local AWS: ${message}`, FAULT);
}
