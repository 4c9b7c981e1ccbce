import { type Command, InvalidArgumentError, Option } from 'commander';

export function aboveZero(text: string): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('It must be a whole number above 0.');
  return Number(text);
}

export const jsonOption = (): Option => new Option('--json', 'print JSON instead of a table').default(false);

/** `keyhearth measure …`. */
export function addMeasure(measure: Command): void {
  measure
    .command('revocation')
    .description('per region: time from the answer to a delete until the key is refused')
    .option('--count <number>', 'keys to delete', aboveZero, 200)
    .option('--zone <name>', 'only this zone')
    .addOption(jsonOption())
    .action(async (options: { count: number; zone?: string; json: boolean }) => {
      const { measureRevocation } = await import('./measure-revocation.ts');
      await measureRevocation(options);
    });
  addRateLimit(measure);
  addCredits(measure);
}

interface RateLimitFlags {
  readonly zone?: string;
  readonly region?: string;
  readonly limit: number;
  readonly duration: number;
  readonly times: number;
  readonly seconds?: number;
  readonly json: boolean;
}

function addRateLimit(measure: Command): void {
  measure
    .command('ratelimit')
    .description(
      'one region: how much more than a limit its tasks let through together, and how much they may',
    )
    .option('--limit <number>', 'units that a window allows', aboveZero, 100)
    .option('--duration <ms>', 'of a window', aboveZero, 10_000)
    .option('--times <number>', 'units to ask for each that is allowed', aboveZero, 10)
    .option(
      '--seconds <number>',
      'of each run (default: three windows, at least 5 and at most 60)',
      aboveZero,
    )
    .option('--zone <name>', 'this zone (default: the first)')
    .option('--region <name>', 'this region (default: the home)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes: 0, the bound held; 1, it did not, or it could not be measured (then standard error says why).',
    )
    .action(async (options: RateLimitFlags) => {
      const { measureRateLimit } = await import('./measure-ratelimit.ts');
      await measureRateLimit(options);
    });
}

interface CreditFlags {
  readonly zone?: string;
  readonly keys: number;
  readonly credits: number;
  readonly connections: number;
  readonly rate: number;
  readonly seconds: number;
  readonly kill: boolean;
  readonly pause: boolean;
  readonly json: boolean;
}

function addCredits(measure: Command): void {
  measure
    .command('credits')
    .description(
      'one zone: spend credits in all regions at once and compare what was granted, admitted and lost',
    )
    .option('--keys <number>', 'keys to make', aboveZero, 50)
    .option('--credits <number>', 'of each key', aboveZero, 200)
    .option('--connections <number>', 'over all tasks of all regions', aboveZero, 64)
    .option('--rate <number>', 'verifications a second, at most', aboveZero, 1_000)
    .option('--seconds <number>', 'how long it may take', aboveZero, 120)
    .option('--kill', 'kill tasks at random meanwhile; the platform starts them again', false)
    .option('--pause', 'pause the replication of regions at random meanwhile', false)
    .option('--zone <name>', 'this zone (default: the first)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes: 0, nothing was spent twice and no more was lost than may be; 1, otherwise, or it could not be measured (then standard error says why).',
    )
    .action(async (options: CreditFlags) => {
      const { measureCredits } = await import('./measure-credits.ts');
      await measureCredits(options);
    });
}
