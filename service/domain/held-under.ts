import { hash } from 'node:crypto';
import type { KeyHash } from './brands.ts';
import { hashKey } from './key-text.ts';

/**
 * What records are held under that aren't simply held under the SHA-256 of a key's text. Each is the SHA-256 of a text that begins
 * with the workspace, so that one workspace can neither find nor take the place of what belongs to another, and that is looked
 * up in no other way: a text is looked up under its plain hash only where it carries the zone's marker.
 */

/** What the hash of an imported key was made of: `sha256` of the whole text, `prefixedApiKey` of what follows its last underscore. */
export type ImportFormat = 'sha256' | 'prefixedApiKey';

/** An imported key, by the hash (64 hex digits) that its workspace brought along. `migrationId` is part of it but for `sha256`. */
export function importedHash(
  workspaceId: string,
  format: ImportFormat,
  migrationId: string,
  brought: string,
): KeyHash {
  const scope = format === 'sha256' ? '' : migrationId;
  return heldUnder(`imported ${format}`, workspaceId, scope, brought);
}

/** An imported key by its text; null where the text can't be of that format. */
export function importedHashOf(
  workspaceId: string,
  format: ImportFormat,
  migrationId: string,
  text: string,
): KeyHash | null {
  if (format === 'sha256') return importedHash(workspaceId, format, migrationId, hashKey(text));
  const underscore = text.lastIndexOf('_');
  if (underscore <= 0 || underscore === text.length - 1) return null;
  return importedHash(workspaceId, format, migrationId, hashKey(text.slice(underscore + 1)));
}

/** A namespace of rate limits. */
export function namespaceHash(workspaceId: string, name: string): KeyHash {
  return heldUnder('namespace', workspaceId, name);
}

function heldUnder(...parts: readonly string[]): KeyHash {
  // A hash that nothing but this function makes; the brand says what it may be used for.
  return hash('sha256', parts.join('\n'), 'hex') as KeyHash;
}
