import type { Workspace } from '../workspace.ts';

/** What a call names: ids, names and texts. All are strings, so that others of the same form can take their places. */
export type Made = Readonly<Record<string, string>>;

/** One call of the contract, as the tables of permissions and workspaces need it. */
export interface Call {
  /** E.g. `keys.createKey`. */
  readonly verb: string;
  /** What makes this one different from others of the same verb. */
  readonly with?: string;
  readonly isList?: boolean;
  /** Makes in a workspace what the call will name. */
  readonly make: (workspace: Workspace) => Promise<Made>;
  /** The body; called with what was made, or with things that don't exist. */
  readonly body: (made: Made) => unknown;
  /** All that a root key needs, in the form for all objects; empty: any root key may. */
  readonly permissions: readonly string[];
  /** Id that may stand for `*` in these permissions; absent: nothing may. */
  readonly scope?: (made: Made, workspace: Workspace) => Promise<string> | string;
  /** What a root key is told that has all other permissions. @default 403, that a permission is missing */
  readonly lacking?: Lacking;
  /** What the call answers where all is well. @default 200 */
  readonly status?: number;
}

export interface Lacking {
  readonly status: number;
  /** End of the error's type, or what the verification answers. */
  readonly type?: string;
  readonly data?: unknown;
}

export const FORBIDDEN: Lacking = { status: 403, type: 'authorization/insufficient_permissions' };

export function nameOf(call: Call): string {
  return call.with === undefined ? call.verb : `${call.verb} with ${call.with}`;
}

/** A string of a field of an answer. */
export function text(data: Readonly<Record<string, unknown>>, field: string): string {
  const value = data[field];
  if (typeof value !== 'string') throw new Error(`${field} is no text in ${JSON.stringify(data)}`);
  return value;
}
