/**
 * Something that the person at the keyboard can mend: the message is one clear sentence that says what is wrong and what to do.
 * The command prints it as it stands and exits with 1; any other error is a fault of ours and keeps its stack in the log.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** The `code` of a system or Postgres error (`ENOSPC`, `57P03`), or undefined where there is none. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What an error says, for a line of output. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
