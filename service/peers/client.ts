import { Problem } from '../domain/problem.ts';
import { PEER_HEADER, sign } from './signature.ts';
import { refusalOf } from '../domain/refusal.ts';
import { drawAt, settleAt } from './draw.ts';
import type { LedgerPeer } from './ledger-peer.ts';
import { AnswerLost, type Incoming, NotSent, type Outgoing } from './transport.ts';
import { createTransports, type PeerPlaces } from './transports.ts';
import type { PassedRequest, Peers } from './types.ts';
import * as wire from './wire.ts';

export interface PeersOptions extends PeerPlaces {
  /** The task's own region. */
  readonly region: string;
  /** The other regions of the zone as they are known now. @default those that `urls` names */
  readonly regions?: () => readonly string[];
  /** The zone's shared secret, 32 characters at least. */
  readonly secret: string;
  /** Epoch ms. */
  readonly nowMs: () => number;
  /** A new random text of 16–64 URL-safe characters for each call. */
  readonly nonce: () => string;
  /** Limit of a private read, from the call to the whole answer. @default 2000 */
  readonly readTimeoutMs?: number;
  /** Limit of a request that is passed on. Longer than a write may take at home, its waits included. @default 15000 */
  readonly passTimeoutMs?: number;
  /** Limit of a draw of credits: home may wait before it refuses, for credits that other tasks hold. @default 2400 */
  readonly drawTimeoutMs?: number;
  /** Limit of a settlement of what was drawn. @default 2000 */
  readonly settleTimeoutMs?: number;
}

/** Calls to the other regions, over one keep-alive pool each. Its owner closes it when the task stops. */
export interface PeersClient extends Peers {
  /** Ends the connections to all regions but these, once what is under way has ended. */
  retain(regions: readonly string[]): void;
  close(): Promise<void>;
}

/** Headers of a caller that go with a request that is passed on. */
const PASSED_HEADERS = ['authorization', 'idempotency-key', 'keyhearth-min-revision', 'accept'];

export function createPeers(options: PeersOptions): PeersClient {
  const {
    readTimeoutMs = 2000,
    passTimeoutMs = 15_000,
    drawTimeoutMs = 2400,
    settleTimeoutMs = 2000,
  } = options;
  /** Regions whose tasks have answered a draw. */
  const drawing = new Set<string>();
  const transports = createTransports(options);
  const regionsNow = options.regions ?? ((): readonly string[] => [...options.urls.keys()]);

  async function send(region: string, request: Outgoing): Promise<Incoming> {
    const transport = transports.of(region);
    if (transport === undefined) throw noHome(`Region ${region} is no peer of this task.`);
    return await transport.send(request);
  }

  function signed(region: string, request: Outgoing, clientAddress: string, requestId: string): Outgoing {
    const parts = { method: 'POST', path: request.path, body: request.body, headers: request.headers };
    const origin = { region: options.region, clientAddress, requestId };
    const stamp = { origin, to: region, timeMs: options.nowMs(), nonce: options.nonce() };
    return { ...request, headers: { ...request.headers, [PEER_HEADER]: sign(options.secret, parts, stamp) } };
  }

  async function ask(
    region: string,
    name: string,
    body: string,
    { timeoutMs = readTimeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal | undefined } = {},
  ): Promise<Incoming> {
    const request: Outgoing = {
      path: `/internal/${name}`,
      headers: { 'content-type': 'application/json' },
      body,
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    };
    return await send(region, signed(region, request, 'none', 'none'));
  }

  /** A private call. It changes nothing, or may be repeated: whatever goes wrong, trying again later is right. */
  async function call<T>(
    region: string,
    name: string,
    body: string,
    read: (text: string) => T,
    signal?: AbortSignal,
  ): Promise<T> {
    let answer: Incoming;
    try {
      answer = await ask(region, name, body, { signal });
    } catch (cause) {
      if (!(cause instanceof NotSent || cause instanceof AnswerLost)) throw cause;
      throw noHome(`Region ${region} did not answer.`, cause);
    }
    if (answer.status !== 200) {
      const refusal = refusalOf(answer.body, ['revision_not_reached']);
      if (refusal !== undefined) throw new Problem(refusal.code, refusal.detail, { retryAfterS: 1 });
      throw noHome(`Region ${region} answered a private call with ${answer.status}.`);
    }
    try {
      return read(answer.body);
    } catch (cause) {
      throw noHome(
        `Region ${region} answered what this version doesn’t read: it may run another one.`,
        cause,
      );
    }
  }

  /** All calls made through one of these end within `timeoutMs`. */
  function ledgerPeer(region: string, timeoutMs: number, signal?: AbortSignal): LedgerPeer {
    const endsMs = options.nowMs() + timeoutMs;
    return {
      region,
      draws: drawing.has(region),
      ask: async (name, body) => {
        // The clock may be set while a call waits.
        const leftMs = Math.min(Math.max(endsMs - options.nowMs(), 1), timeoutMs);
        return requireTask(await ask(region, name, body, { timeoutMs: leftMs, signal }));
      },
    };
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
      const answer = await send(region, signed(region, outgoing, request.clientAddress, request.requestId));
      return requireTask(answer);
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
    get regions() {
      return regionsNow();
    },
    state: async (region, signal) => await call(region, 'state', '{}', wire.readState, signal),
    pass,
    report: async (region, report, signal) => {
      await call(region, 'report', wire.writeReport(report), unread, signal);
    },
    register: async (region, report, signal) =>
      await call(region, 'register', wire.writeReport(report), wire.readFloor, signal),
    stopped: async (region, taskId) => {
      await call(region, 'stopped', wire.writeStopped(taskId), unread);
    },
    readRecords: async (region, hashes, floor, from) =>
      await call(region, 'records', wire.writeRecordsCall({ hashes, floor, from }), wire.readRecords),
    readShared: async (region, refs, floor, from) =>
      await call(region, 'shared', wire.writeSharedCall({ refs, floor, from }), wire.readShared),
    draw: async (region, draw, signal) => {
      const peer = ledgerPeer(region, drawTimeoutMs, signal);
      return await drawAt(peer, draw, () => drawing.add(region));
    },
    settle: async (region, settlements) => await settleAt(ledgerPeer(region, settleTimeoutMs), settlements),
    retain: (regions) => transports.retain(regions),
    close: async () => await transports.close(),
  };
}

/**
 * A task says even its own failures in JSON; others come from a load balancer in front of it. Its 503 says that there was no task
 * to hand the request to; any other failure leaves open what became of the request.
 */
function requireTask(answer: Incoming): Incoming {
  if (answer.status < 500) return answer;
  if (/^application\/([\w.+-]+\+)?json\b/.test(answer.headers['content-type'] ?? '')) return answer;
  const message = `a load balancer answered with ${answer.status} in place of a task`;
  throw answer.status === 503 ? new NotSent(message) : new AnswerLost(message);
}

/** For an answer that says no more than that it came. */
function unread(): void {}

function noHome(detail: string, cause?: unknown): Problem {
  return new Problem('no_home', detail, { retryAfterS: 1, ...(cause === undefined ? {} : { cause }) });
}
