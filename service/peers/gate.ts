import { LRUCache } from 'lru-cache';
import { PEER_HEADER, readSignature, signatureHolds } from './signature.ts';
import type { PeerGate, PeerVerdict, SignedParts } from './types.ts';

/** How far the clocks of two regions may be apart, the way included. */
const MAX_SKEW_MS = 30_000;

/**
 * Nonces that are remembered. Only requests with a valid signature take a place, so that strangers can't push any out; at
 * this size a replay would need more than 800 passed-on requests a second at one task.
 */
const MAX_NONCES = 50_000;

export interface PeerGateOptions {
  readonly secret: string;
  /** The task's own region: requests signed for another one are refused. */
  readonly region: string;
  /** Epoch ms. */
  readonly nowMs: () => number;
  /** Hears of each region whose task has signed a request that holds. */
  readonly onPeer?: (region: string) => void;
}

/**
 * Recognises requests that a task of the zone signed. What it remembers is this process's own: of several tasks in a region,
 * another one could be handed a copied request within 30 s, by somebody who reads the zone's private network.
 */
export function createPeerGate(options: PeerGateOptions): PeerGate {
  const seen = new LRUCache<string, true>({
    max: MAX_NONCES,
    // A signature is accepted from 30 s before its time until 30 s after.
    ttl: 2 * MAX_SKEW_MS,
    perf: { now: options.nowMs },
    ttlResolution: 0,
  });

  function inspect(request: SignedParts): PeerVerdict {
    const value = request.headers[PEER_HEADER];
    if (value === undefined) return { kind: 'unsigned' };
    const read = typeof value === 'string' ? readSignature(value, options.region) : undefined;
    if (read === undefined) return refused('the signature header is malformed');
    if (!signatureHolds(options.secret, request, read)) return refused('the signature is wrong');
    const skewMs = Math.abs(options.nowMs() - read.stamp.timeMs);
    if (skewMs > MAX_SKEW_MS) return refused(`the signature's time is off by ${skewMs} ms`);
    if (seen.has(read.stamp.nonce)) return refused('the signature was used before');
    seen.set(read.stamp.nonce, true);
    options.onPeer?.(read.stamp.origin.region);
    return { kind: 'peer', origin: read.stamp.origin };
  }

  return { header: PEER_HEADER, inspect };
}

function refused(reason: string): PeerVerdict {
  return { kind: 'refused', reason };
}
