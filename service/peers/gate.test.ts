import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPeerGate } from './gate.ts';
import { PEER_HEADER, readSignature, sign, signatureHolds, type Stamp } from './signature.ts';
import type { SignedParts } from './types.ts';

const SECRET = 'a secret of thirty-two characters';
const NOW_MS = 1_790_000_000_000;

const parts: SignedParts = {
  method: 'POST',
  path: '/v2/keys.createKey',
  body: '{"apiId":"api_1"}',
  headers: { authorization: 'Bearer kh_root', 'idempotency-key': 'retry-1' },
};
const stamp: Stamp = {
  origin: { region: 'eu-west-1', clientAddress: '2001:db8::1', requestId: 'req_1' },
  to: 'us-east-1',
  timeMs: NOW_MS,
  nonce: '0123456789abcdef',
};

function gateAt(clock: { nowMs: number }) {
  return createPeerGate({ secret: SECRET, region: 'us-east-1', nowMs: () => clock.nowMs });
}

function signed(request: SignedParts = parts, with_: Partial<Stamp> = {}, secret = SECRET): SignedParts {
  const headers = { ...request.headers, [PEER_HEADER]: sign(secret, request, { ...stamp, ...with_ }) };
  return { ...request, headers };
}

test('a signed request tells where it comes from', () => {
  expect(gateAt({ nowMs: NOW_MS }).inspect(signed())).toEqual({ kind: 'peer', origin: stamp.origin });
});

test('a request without the header is unsigned', () => {
  expect(gateAt({ nowMs: NOW_MS }).inspect(parts)).toEqual({ kind: 'unsigned' });
});

test.each<[what: string, change: Partial<SignedParts>]>([
  ['method', { method: 'GET' }],
  ['path', { path: '/v2/keys.deleteKey' }],
  ['query', { path: '/v2/keys.createKey?x=1' }],
  ['body', { body: '{"apiId":"api_2"}' }],
  ['authorization', { headers: { ...parts.headers, authorization: 'Bearer kh_other' } }],
  ['missing authorization', { headers: { 'idempotency-key': 'retry-1' } }],
  ['idempotency key', { headers: { ...parts.headers, 'idempotency-key': 'retry-2' } }],
])('another %s breaks the signature', (_what, change) => {
  const header = { [PEER_HEADER]: signed().headers[PEER_HEADER] };
  const changed = { ...parts, ...change };
  const verdict = gateAt({ nowMs: NOW_MS }).inspect({
    ...changed,
    headers: { ...changed.headers, ...header },
  });
  expect(verdict).toEqual({ kind: 'refused', reason: 'the signature is wrong' });
});

test('every field of the header is covered', () => {
  const fields = String(signed().headers[PEER_HEADER]).split(' ');
  const others = [
    'v1',
    'ap-south-1',
    '1790000000001',
    '0123456789abcdeX',
    'req_2',
    '192.0.2.1',
    '0'.repeat(64),
  ];
  for (const [index, other] of others.entries()) {
    if (index === 0) continue;
    const header = fields.with(index, other).join(' ');
    const verdict = gateAt({ nowMs: NOW_MS }).inspect({
      ...parts,
      headers: { ...parts.headers, [PEER_HEADER]: header },
    });
    expect(verdict).toEqual({ kind: 'refused', reason: 'the signature is wrong' });
  }
});

test.each([
  '',
  'v1',
  'v2 a 1 0123456789abcdef r c '.concat('0'.repeat(64)),
  'v1 %zz 1 0123456789abcdef r c '.concat('0'.repeat(64)),
])('header %j is malformed', (header) => {
  const verdict = gateAt({ nowMs: NOW_MS }).inspect({ ...parts, headers: { [PEER_HEADER]: header } });
  expect(verdict).toEqual({ kind: 'refused', reason: 'the signature header is malformed' });
});

test('another secret, and another region, are refused', () => {
  const gate = gateAt({ nowMs: NOW_MS });
  expect(gate.inspect(signed(parts, {}, 'another secret of 32 characters..')).kind).toBe('refused');
  expect(gate.inspect(signed(parts, { to: 'eu-west-3' })).kind).toBe('refused');
});

test('a signature holds for 30 s before and after its time', () => {
  const clock = { nowMs: NOW_MS };
  const gate = gateAt(clock);
  for (const [offsetMs, nonce, kind] of [
    [-30_000, 'nonce-of-the-first', 'peer'],
    [30_000, 'nonce-of-the-second', 'peer'],
    [-30_001, 'nonce-of-the-third', 'refused'],
    [30_001, 'nonce-of-the-fourth', 'refused'],
  ] as const) {
    clock.nowMs = NOW_MS + offsetMs;
    expect(gate.inspect(signed(parts, { nonce })).kind).toBe(kind);
  }
});

test('a nonce is refused for as long as its signature would hold', () => {
  const clock = { nowMs: NOW_MS - 30_000 };
  const gate = gateAt(clock);
  expect(gate.inspect(signed()).kind).toBe('peer');
  for (const offsetMs of [-30_000, 0, 29_999, 30_000]) {
    clock.nowMs = NOW_MS + offsetMs;
    expect(gate.inspect(signed())).toEqual({ kind: 'refused', reason: 'the signature was used before' });
  }
});

test('a request with a wrong signature takes no place among the nonces', () => {
  const gate = gateAt({ nowMs: NOW_MS });
  gate.inspect(signed(parts, {}, 'another secret of 32 characters..'));
  expect(gate.inspect(signed()).kind).toBe('peer');
});

test('whatever a stamp holds comes back from the header', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      text,
      text,
      fc.nat(),
      fc.string({ maxLength: 50 }),
      (clientAddress, requestId, timeMs, body) => {
        const written: Stamp = {
          ...stamp,
          origin: { region: 'eu-west-1', clientAddress, requestId },
          timeMs,
        };
        const request = { ...parts, body };
        const read = readSignature(sign(SECRET, request, written), written.to);
        expect(read?.stamp).toEqual(written);
        expect(read !== undefined && signatureHolds(SECRET, request, read)).toBe(true);
      },
    ),
  );
});
