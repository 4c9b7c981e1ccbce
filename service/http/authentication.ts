import { Problem } from '../domain/problem.ts';
import type { Principal } from '../domain/principal.ts';
import type { HttpDeps } from './deps.ts';

const BEARER = /^Bearer +(\S+) *$/i;

/** The root key's text out of an Authorization header. Throws Problem `authentication_missing` or `authentication_malformed`. */
export function bearerText(authorization: string | undefined): string {
  if (authorization === undefined || authorization === '') {
    throw new Problem('authentication_missing', 'The Authorization header is missing.', {
      errors: [
        {
          location: 'header.authorization',
          message: 'is required',
          fix: 'Send the header "Authorization: Bearer <root key>".',
        },
      ],
    });
  }
  // The usual form, without a regular expression: this runs on every verification.
  if (authorization.startsWith('Bearer ') && !authorization.includes(' ', 7) && authorization.length > 7) {
    return authorization.slice(7);
  }
  const text = BEARER.exec(authorization)?.[1];
  if (text !== undefined) return text;
  throw new Problem(
    'authentication_malformed',
    'The Authorization header is not of the form "Bearer <root key>".',
    {
      errors: [
        {
          location: 'header.authorization',
          message: 'must be of the form "Bearer <root key>"',
          fix: 'Send the word Bearer, one space and a root key.',
        },
      ],
    },
  );
}

/**
 * Who calls, by the root key's text. A root key of another zone is told where to go (421) before anything is looked up.
 * Synchronous where the key's record is in memory.
 */
export function authenticateRootKey(
  deps: Pick<HttpDeps, 'zoneGuard' | 'authenticate'>,
  rootKeyText: string,
): Principal | Promise<Principal> {
  deps.zoneGuard(rootKeyText);
  return deps.authenticate(rootKeyText);
}
