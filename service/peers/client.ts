import { Problem } from '../domain/problem.ts';
import { PEER_HEADER, sign } from './signature.ts';
import {
  AnswerLost,
  createTransport,
  type Incoming,
  NotSent,
  type Outgoing,
  type Transport,
} from './transport.ts';
import type { PassedRequest, Peers } from './types.ts';
import * as wire from './wire.ts';

export interface PeersOptions {
  /** The task's own region. */
  readonly region: string;
  /** `http://host:port` of each other region of the zone. */
  readonly urls: ReadonlyMap<string, string>;
  /** The zone's shared secret, 32 characters at least. */
  readonly secret: string;
  /** Epoch ms. */
  readonly nowMs: () => number;
  /** A new random text of 16–64 URL-safe characters for each call. */
  readonly nonce: () => string;
  /** A connection that isn't there after so long is given up. @default 500 */
  readonly connectTimeoutMs?: number;
  /** Limit of a private read, from the call to the whole answer. @default 2000 */
  readonly readTimeoutMs?: number;
  /** Limit of a request that is passed on. Longer than a write may take at home, its waits included. @default 15000 */
  readonly passTimeoutMs?: number;
}

/** Calls to the other regions, over one keep-alive pool each. Its owner closes it when the task stops. */
export interface PeersClient extends Peers {
  close(): Promise<void>;
}

/** Headers of a caller that go with a request that is passed on. */
const PASSED_HEADERS = ['authorization', 'idempotency-key', 'keyhearth-min-revision', 'accept'];

export function createPeers(options: PeersOptions): PeersClient {
  const { connectTimeoutMs = 500, readTimeoutMs = 2000, passTimeoutMs = 15_000 } = options;
  const transports = new Map<string, Transport>();
  for (const [region, url] of options.urls) transports.set(region, createTransport(url, connectTimeoutMs));

  function transportOf(region: string): Transport {
    const transport = transports.get(region);
    if (transport === undefined) throw noHome(`Region ${region} is no peer of this task.`);
    return transport;
  }

  function signed(region: string, request: Outgoing, clientAddress: string, requestId: string): Outgoing {
    const parts = { method: 'POST', path: request.path, body: request.body, headers: request.headers };
    const origin = { region: options.region, clientAddress, requestId };
    const stamp = { origin, to: region, timeMs: options.nowMs(), nonce: options.nonce() };
    return { ...request, headers: { ...request.headers, [PEER_HEADER]: sign(options.secret, parts, stamp) } };
  }

  /** A private call. It changes nothing, or may be repeated: whatever goes wrong, trying again later is right. */
  async function call(region: string, name: string, body: string, signal?: AbortSignal): Promise<string> {
    const request: Outgoing = {
      path: `/internal/${name}`,
      headers: { 'content-type': 'application/json' },
      body,
      timeoutMs: readTimeoutMs,
      ...(signal === undefined ? {} : { signal }),
    };
    let answer: Incoming;
    try {
      answer = await transportOf(region).send(signed(region, request, 'none', 'none'));
    } catch (cause) {
      if (!(cause instanceof NotSent || cause instanceof AnswerLost)) throw cause;
      throw noHome(`Region ${region} did not answer.`, cause);
    }
    if (answer.status !== 200)
      throw noHome(`Region ${region} answered a private call with ${answer.status}.`);
    return answer.body;
  }

  async function pass(region: string, request: PassedRequest): Promise<Incoming> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    for (const name of PASSED_HEADERS) {
      const value = request.headers[name];
      if (value !== undefined) headers[name] = value;
    }
    const timeoutMs = passTimeoutMs + (request.extraTimeoutMs ?? 0);
    const outgoing = { path: request.path, headers, body: request.body, timeoutMs };
    try {
      return await transportOf(region).send(
        signed(region, outgoing, request.clientAddress, request.requestId),
      );
    } catch (cause) {
      if (cause instanceof NotSent) throw noHome(`The home region, ${region}, can't be reached.`, cause);
      if (!(cause instanceof AnswerLost)) throw cause;
      if (!request.write) throw noHome(`The home region, ${region}, did not answer.`, cause);
      throw new Problem(
        'outcome_unknown',
        `The request was sent to the home region, ${region}, and its answer was lost: the write may or may not have been applied.`,
        { cause },
      );
    }
  }

  return {
    regions: [...options.urls.keys()],
    state: async (region, signal) => wire.readState(await call(region, 'state', '{}', signal)),
    pass,
    report: async (region, report, signal) => {
      await call(region, 'report', wire.writeReport(report), signal);
    },
    stopped: async (region, taskId) => {
      await call(region, 'stopped', wire.writeStopped(taskId));
    },
    readRecords: async (region, hashes, floor, from) =>
      wire.readRecords(await call(region, 'records', wire.writeRecordsCall({ hashes, floor, from }))),
    readShared: async (region, refs, floor, from) =>
      wire.readShared(await call(region, 'shared', wire.writeSharedCall({ refs, floor, from }))),
    close: async () => {
      await Promise.all([...transports.values()].map((transport) => transport.close()));
    },
  };
}

function noHome(detail: string, cause?: unknown): Problem {
  return new Problem('no_home', detail, { retryAfterS: 1, ...(cause === undefined ? {} : { cause }) });
}
