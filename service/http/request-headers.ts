import { hash, hkdfSync } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { parseRevision, type Revision } from '../domain/revision.ts';
import type { Idempotency } from '../manage/types.ts';
import { invalidInput } from './errors.ts';

/** How long a request may wait for the revision that it asks for, before home is asked or it is refused. */
export const MIN_REVISION_WAIT_MS = 1000;

/** The revision that `Keyhearth-Min-Revision` asks for; undefined without the header. Throws Problem `invalid_input`. */
export function minRevisionOf(request: FastifyRequest): Revision | undefined {
  const text = request.headers['keyhearth-min-revision'];
  if (text === undefined) return undefined;
  const revision = typeof text === 'string' ? parseRevision(text) : undefined;
  if (revision !== undefined) return revision;
  throw invalidInput('The header Keyhearth-Min-Revision holds no revision.', {
    location: 'header.keyhearth-min-revision',
    message: 'must be a revision',
    fix: 'Send the value of a Keyhearth-Revision header as it was answered.',
  });
}

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;
/** Binds the derived bytes to their one use. */
const DERIVE_INFO = 'keyhearth idempotent key v1';

/** What `Idempotency-Key` asks for; null without the header. The root key's text stays inside the returned function. */
export function idempotencyOf(
  request: FastifyRequest,
  route: string,
  rawBody: string,
  rootKeyText: string,
): Idempotency | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || !VISIBLE_ASCII.test(key)) {
    throw invalidInput('The header Idempotency-Key is not valid.', {
      location: 'header.idempotency-key',
      message: 'must be 1–255 visible ASCII characters',
      fix: 'Send a random text such as a UUID, a new one for each new request.',
    });
  }
  return {
    key,
    requestHash: hash('sha256', `${route}\n${rawBody}`, 'hex'),
    deriveBytes: (salt, length) => new Uint8Array(hkdfSync('sha256', rootKeyText, salt, DERIVE_INFO, length)),
  };
}

/**
 * The address that a request comes from: the socket's, or what a configured proxy says of it. Some proxies add the port; it is
 * cut off. What then is no address is of no use to anybody, and the socket's stands in for it.
 */
export function clientAddressOf(request: FastifyRequest): string {
  const { ip } = request;
  if (isIP(ip) !== 0) return ip;
  const withoutPort = /^\[([^\]]+)\](?::\d+)?$|^([^:]+):\d+$/.exec(ip);
  const address = withoutPort?.[1] ?? withoutPort?.[2] ?? '';
  if (isIP(address) !== 0) return address;
  return request.socket.remoteAddress ?? 'unknown';
}
