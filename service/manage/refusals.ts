import type { Principal } from '../domain/principal.ts';
import { Problem } from '../domain/problem.ts';
import { mayRoot, type RootPermission } from '../domain/root-permissions.ts';

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

/** Refuses with `insufficient_permissions` unless the root key holds the permission for all objects or for this one, and names both. */
export function requireFor(principal: Principal, permission: RootPermission, id: string): void {
  if (mayRoot(principal, permission, id)) return;
  throw lacksPermission(
    permission,
    permission.replace('*', () => id),
  );
}

/** JSON may carry the character U+0000 in a text, and Postgres can't store it. */
export function refuseNul(field: string, ...texts: readonly (string | null | undefined)[]): void {
  if (!texts.some((text) => text?.includes('\0'))) return;
  const location = `body.${field}`;
  throw new Problem('invalid_input', `${location} holds the character U+0000.`, {
    errors: [{ location, message: 'holds the character U+0000', fix: 'remove it' }],
  });
}
