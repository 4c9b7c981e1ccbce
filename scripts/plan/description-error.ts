import { errorText, UserError } from '../lib/user-error.ts';

/**
 * What kept a module from being loaded, as a `UserError` with the line where it is regions.config.ts: a missing comma is a mistake of
 * whoever wrote it. Node puts the place into the stack, of errors in its syntax as of those that loading it throws. Any other error is
 * given back.
 */
export function descriptionError(error: unknown): unknown {
  const [, line] = /regions\.config\.ts:(\d+)/.exec(error instanceof Error ? (error.stack ?? '') : '') ?? [];
  return line === undefined
    ? error
    : new UserError(`regions.config.ts can’t be read, line ${line}: ${errorText(error).replace(/\.$/, '')}.`);
}
