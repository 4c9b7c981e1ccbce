import { Problem } from '../domain/problem.ts';

export function apiNotFound(): Problem {
  return new Problem('api_not_found', 'There is no such API.');
}

export function keyNotFound(): Problem {
  return new Problem('key_not_found', 'There is no such key.');
}

/** `needed` are the permissions of which any would do. */
export function lacksPermission(...needed: readonly string[]): Problem {
  return new Problem('insufficient_permissions', `The root key lacks a permission: ${needed.join(' or ')}.`);
}

/** JSON may carry the character U+0000 in a text, and Postgres can't store it. */
export function refuseNul(field: string, ...texts: readonly (string | null | undefined)[]): void {
  if (!texts.some((text) => text?.includes('\0'))) return;
  const location = `body.${field}`;
  throw new Problem('invalid_input', `${location} holds the character U+0000.`, {
    errors: [{ location, message: 'holds the character U+0000', fix: 'remove it' }],
  });
}
