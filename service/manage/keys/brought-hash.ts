import type { ImportFormat } from '../../domain/held-under.ts';
import type { FieldProblem } from '../../domain/problem.ts';
import { Problem } from '../../domain/problem.ts';

/** A hash as a caller brought it: what it was made of, and its 64 lower-case hex digits. */
export interface BroughtHash {
  readonly format: ImportFormat;
  readonly hex: string;
}

/** What the hash was made of may stand before it, where every client can send it. */
const FORM = /^(?:(sha256|prefixedApiKey):)?([^:]*)$/;
const HEX = /^[0-9a-fA-F]{64}$/;
/** 32 bytes, with or without the padding. */
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;
/** Wrong hashes that a refusal names; as a rule all are wrong in the same way. */
const NAMED = 8;

/** A SHA-256 (64 hex digits, or base64 or base64url of 32 bytes) as 64 lower-case hex digits; null: it is none. */
function readSha256(text: string): string | null {
  if (HEX.test(text)) return text.toLowerCase();
  if (!BASE64.test(text)) return null;
  // Reads both alphabets.
  const bytes = Buffer.from(text, 'base64');
  const bare = text.replace('=', '');
  // Bits that no byte holds would let one hash be written in several ways.
  const same = bytes.toString('base64url') === bare || bytes.toString('base64') === `${bare}=`;
  return same ? bytes.toString('hex') : null;
}

function readBroughtHash(text: string): BroughtHash | null {
  const [, prefix, digest = ''] = FORM.exec(text) ?? [];
  const hex = readSha256(digest);
  return hex === null ? null : { format: prefix === 'prefixedApiKey' ? prefix : 'sha256', hex };
}

/** The hashes of an import, in order. Refuses with `invalid_input` that names each wrong one, up to some. */
export function readBroughtHashes<Key extends { readonly hash: string }>(
  keys: readonly Key[],
): readonly (BroughtHash & { readonly fields: Key })[] {
  const wrong: FieldProblem[] = [];
  const brought = keys.flatMap((fields, index) => {
    const read = readBroughtHash(fields.hash);
    if (read !== null) return [{ ...read, fields }];
    if (wrong.length < NAMED) {
      wrong.push({
        location: `body.keys[${index}].hash`,
        message: 'is not a SHA-256 hash as this call takes it',
        fix:
          'Send its 32 bytes as 64 hex digits, or as base64 or base64url. Put "prefixedApiKey:" before the hash of what follows the ' +
          'last underscore of a key; nothing, or "sha256:", before the hash of a whole key.',
      });
    }
    return [];
  });
  const [first] = wrong;
  if (first === undefined) return brought;
  throw new Problem('invalid_input', `${first.location} ${first.message}.`, { errors: wrong });
}
