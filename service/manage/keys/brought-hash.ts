import type { FieldProblem } from '../../domain/problem.ts';
import { Problem } from '../../domain/problem.ts';

const HEX = /^[0-9a-fA-F]{64}$/;
/** 32 bytes, with or without the padding. */
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;
/** Wrong hashes that a refusal names; as a rule all are wrong in the same way. */
const NAMED = 8;

/** A SHA-256 as a caller brought it (64 hex digits, or base64 or base64url of 32 bytes) as 64 lower-case hex digits; null: it is none. */
function readBroughtHash(text: string): string | null {
  if (HEX.test(text)) return text.toLowerCase();
  if (!BASE64.test(text)) return null;
  // Reads both alphabets.
  const bytes = Buffer.from(text, 'base64');
  const bare = text.replace('=', '');
  // Bits that no byte holds would let one hash be written in several ways.
  const same = bytes.toString('base64url') === bare || bytes.toString('base64') === `${bare}=`;
  return same ? bytes.toString('hex') : null;
}

/** The hashes of an import, in order. Refuses with `invalid_input` that names each wrong one, up to some. */
export function readBroughtHashes(keys: readonly { readonly hash: string }[]): readonly string[] {
  const wrong: FieldProblem[] = [];
  const hashes = keys.map(({ hash }, index) => {
    const hex = readBroughtHash(hash);
    if (hex === null && wrong.length < NAMED) {
      wrong.push({
        location: `body.keys[${index}].hash`,
        message: 'is not a SHA-256 hash',
        fix: 'Send its 32 bytes as 64 hex digits, or as base64.',
      });
    }
    return hex ?? '';
  });
  const [first] = wrong;
  if (first === undefined) return hashes;
  throw new Problem('invalid_input', `${first.location} ${first.message}.`, { errors: wrong });
}
