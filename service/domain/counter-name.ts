import { hash } from 'node:crypto';

/** Longest name that stands in a counter's name as it is: half a million counters are held in memory. */
const NAME_LENGTH_MAX = 64;

/**
 * What is counted together under a name that a caller chose, e.g. an identifier in a namespace. `owner` is an id, or a word and an id, with
 * neither `#` nor a space in it.
 */
export function counterName(owner: string, name: string): string {
  return name.length <= NAME_LENGTH_MAX
    ? `${owner} ${name}`
    : `${owner}#${hash('sha256', name, 'base64url')}`;
}
