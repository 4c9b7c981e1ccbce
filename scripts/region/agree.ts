import confirm from '@inquirer/confirm';
import { UserError } from '../lib/user-error.ts';

/** Asks, unless `yes`. Fails with `UserError` where nobody can be asked, or the answer is no. */
export async function agree(yes: boolean, message: string): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new UserError('Nobody is there to confirm it: give --yes.');
  if (!(await confirm({ message, default: false }))) throw new UserError('Nothing was changed.');
}
