import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { PeerOrigin, SignedParts } from './types.ts';

/** Raised when what is signed, or how, changes. */
const VERSION = 'v1';

/** The header of a signed request: `v1 <from> <time ms> <nonce> <request id> <client address> <HMAC-SHA-256, hex>`. */
export const PEER_HEADER = 'keyhearth-peer';

export interface Stamp {
  readonly origin: PeerOrigin;
  /** Region that the request is meant for, so that it can't be replayed against another one. */
  readonly to: string;
  /** Epoch ms. */
  readonly timeMs: number;
  readonly nonce: string;
}

/** The value of the signature header for a request. */
export function sign(secret: string, request: SignedParts, stamp: Stamp): string {
  return [...stampFields(stamp), macOf(secret, request, stamp).toString('hex')].join(' ');
}

export interface ReadSignature {
  readonly stamp: Stamp;
  readonly mac: Buffer;
}

const HEADER = /^v1 (\S{1,64}) (\d{1,16}) ([A-Za-z0-9_-]{16,64}) (\S{1,256}) (\S{1,256}) ([0-9a-f]{64})$/;

/** Reads the header's value without believing it; undefined where it isn't one. `to` is the reader's own region. */
export function readSignature(value: string, to: string): ReadSignature | undefined {
  const match = HEADER.exec(value);
  if (match === null) return undefined;
  const [, region = '', time = '', nonce = '', requestId = '', clientAddress = '', mac = ''] = match;
  try {
    const origin = {
      region: decodeURIComponent(region),
      requestId: decodeURIComponent(requestId),
      clientAddress: decodeURIComponent(clientAddress),
    };
    return { stamp: { origin, to, timeMs: Number(time), nonce }, mac: Buffer.from(mac, 'hex') };
  } catch {
    // Broken percent-encoding: nothing that `sign` ever wrote.
    return undefined;
  }
}

/** Whether the signature was made with this secret for exactly this request. Takes the same time whatever differs. */
export function signatureHolds(secret: string, request: SignedParts, read: ReadSignature): boolean {
  return timingSafeEqual(macOf(secret, request, read.stamp), read.mac);
}

function macOf(secret: string, request: SignedParts, stamp: Stamp): Buffer {
  // None of the parts can hold a line feed, so that no two requests are written alike.
  const signed = [
    ...stampFields(stamp),
    encodeURIComponent(stamp.to),
    request.method,
    request.path,
    hash('sha256', request.body, 'hex'),
    hash('sha256', headerText(request, 'authorization'), 'hex'),
    hash('sha256', headerText(request, 'idempotency-key'), 'hex'),
  ].join('\n');
  return createHmac('sha256', secret).update(signed).digest();
}

function stampFields({ origin, timeMs, nonce }: Stamp): readonly string[] {
  return [
    VERSION,
    encodeURIComponent(origin.region),
    String(timeMs),
    nonce,
    encodeURIComponent(origin.requestId),
    encodeURIComponent(origin.clientAddress),
  ];
}

function headerText(request: SignedParts, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : (value ?? []).join(', ');
}
