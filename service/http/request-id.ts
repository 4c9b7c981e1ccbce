import { randomBytes } from 'node:crypto';
import { encodeBase58 } from '../domain/base58.ts';

/**
 * A generator of request ids: `req_`, a random part drawn once per process (96 bits), and a counter. It costs next to nothing
 * per request; the ids are unique, and no secret.
 */
export function createRequestIds(random: (length: number) => Uint8Array = randomBytes): () => string {
  const head = `req_${encodeBase58(random(12))}`;
  let count = 0;
  return () => {
    count += 1;
    // Fixed width keeps ids of one process in the order in which they were given.
    return head + count.toString(36).padStart(8, '0');
  };
}
