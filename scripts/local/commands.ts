import { UserError } from '../lib/user-error.ts';
import { control } from './control-client.ts';
import type { ChangeCommand } from './control-protocol.ts';
import { placesOf } from './places.ts';
import { statusTable } from './tables.ts';

/** `keyhearth local status`. */
export async function showStatus(options: { zone?: string | undefined; json: boolean }): Promise<void> {
  const { regions = [] } = await control(placesOf().control, { name: 'status', zone: options.zone });
  process.stdout.write(
    options.json ? `${JSON.stringify({ regions }, null, 2)}\n` : `${statusTable(regions)}\n`,
  );
}

/** The other `keyhearth local` commands: does it, then says what is so now. */
export async function change(command: ChangeCommand): Promise<void> {
  const { message } = await control(placesOf().control, command);
  process.stdout.write(`${message}\n`);
}

const lagMsMax = 600_000;

/** Milliseconds of `local lag`. Fails with `UserError`. */
export function parseLag(text: string): number {
  const lagMs = Number(text);
  if (!/^\d+$/.test(text) || lagMs > lagMsMax) {
    throw new UserError(
      `The lag must be a whole number of milliseconds from 0 to ${lagMsMax}, not ${JSON.stringify(text)}.`,
    );
  }
  return lagMs;
}
