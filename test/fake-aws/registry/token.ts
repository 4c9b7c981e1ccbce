const PREFIX = 'local-registry-';

/** The password with which an account's user `AWS` logs in at the registry. It never expires. */
export function passwordOf(account: string): string {
  return Buffer.from(`${PREFIX}${account}`).toString('base64url');
}

/** Whose password it is, or undefined where it is none. */
export function accountOfPassword(password: string): string | undefined {
  const text = Buffer.from(password, 'base64url').toString();
  return text.startsWith(PREFIX) ? /^\d{12}$/.exec(text.slice(PREFIX.length))?.[0] : undefined;
}
