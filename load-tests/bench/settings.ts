import { parseArgs } from 'node:util';

import { errorText } from '../../scripts/lib/user-error.ts';

export interface Settings {
  /** @default the first zone that runs */
  readonly zone: string | undefined;
  /** @default the zone's first region */
  readonly region: string | undefined;
  /** Length of one round. */
  readonly roundS: number;
  readonly rounds: number;
  readonly keys: number;
  readonly isJson: boolean;
}

/** The command line is wrong; the message is one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const HELP = `Usage: npm run bench -- [options]

Hot verifications through one region of the running platform, beside bare node:http that answers the same bytes.

Options:
  --zone <name>      the zone (default: the first one)
  --region <name>    the region that is asked (default: the zone's first one)
  --seconds <number> length of one round (default: 4)
  --rounds <number>  rounds for each server and load; medians are shown (default: 4)
  --keys <number>    keys that are verified in turn (default: 100)
  --json             print JSON instead of a table, and no progress
  --help             print this
`;

/** What the command line asks for; undefined where that is the help. Fails with `UsageError`. */
export function parseSettings(args: readonly string[]): Settings | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  return {
    zone: values.zone,
    region: values.region,
    roundS: aboveZero('--seconds', values.seconds),
    rounds: aboveZero('--rounds', values.rounds),
    keys: aboveZero('--keys', values.keys),
    isJson: values.json,
  };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        zone: { type: 'string' },
        region: { type: 'string' },
        seconds: { type: 'string', default: '4' },
        rounds: { type: 'string', default: '4' },
        keys: { type: 'string', default: '100' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    // Its first sentence says what is wrong; others explain how values that begin with a dash are written.
    const [sentence = ''] = errorText(error).split(/[.\n]/);
    throw new UsageError(`${sentence}; --help shows what there is.`, { cause: error });
  }
}

function aboveZero(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw new UsageError(`${name} must be a whole number above 0, not ${JSON.stringify(text)}.`);
}
