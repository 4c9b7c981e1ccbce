import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

const ITERATIONS = 4096;
const KEY_BYTES = 32;

/**
 * What Postgres keeps of a password (RFC 5802, RFC 7677): sent instead of the password, it keeps the password out of the server's
 * log of statements. `password` is printable ASCII, which needs no normalisation; `salt` is 16 random bytes.
 */
export function scramVerifier(password: string, salt: Uint8Array): string {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, KEY_BYTES, 'sha256');
  const keyOf = (name: string): Buffer => createHmac('sha256', salted).update(name).digest();
  const storedKey = createHash('sha256').update(keyOf('Client Key')).digest();
  const encoded = [Buffer.from(salt), storedKey, keyOf('Server Key')].map((one) => one.toString('base64'));
  return `SCRAM-SHA-256$${ITERATIONS}:${encoded[0]}$${encoded[1]}:${encoded[2]}`;
}
