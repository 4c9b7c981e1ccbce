import { type Command, InvalidArgumentError, Option } from 'commander';
import { descriptionError } from './description-error.ts';

interface Flags {
  readonly environment?: string;
  readonly zone: readonly string[];
  readonly offline: boolean;
  readonly prices?: string;
  readonly usage: readonly number[];
  readonly detail: boolean;
  readonly allowReplacement: boolean;
  readonly json: boolean;
}

const HELP = `
It deploys nothing. With AWS credentials it compares the description with the stacks of each zone in that account; a zone of another
account is listed and not compared. Without any, or with --offline, it plans as if nothing were deployed.

Refused unless --allow-replacement is given: that AWS makes anew, or takes out of its stack, something that holds data (databases, buckets,
keys, secrets, log groups), a load balancer or an accelerator; that the zone's hostname stops resolving; and, where nothing of a zone is
deployed, that the account has a zone that isn't described, for a renamed zone is a new one.

Refused always: another origin than the deployed one, and a region that isn't described any more while the accelerator leads to it
(\`npx keyhearth region remove\` takes it away). What protects data less than now, or keeps it for a shorter time, is a warning.

Exit codes: 0 nothing stands in the way · 1 it failed · 2 wrong command line · 3 a deployment is refused, here or by AWS

Examples:
  $ npx keyhearth plan --environment trial --offline
  $ AWS_PROFILE=keys-eu npx keyhearth plan --zone eu
  $ npx keyhearth plan --usage 0,250,5000 --prices my-prices.json --detail
  $ npx keyhearth plan --json | jq '.zones[].obstacles'`;

/** `keyhearth plan`. */
export function addPlan(program: Command): void {
  program
    .command('plan')
    .description('what a deployment to AWS would do, what stands in its way, and what it costs')
    .option('--environment <name>', 'of regions.config.ts; the first one where none is given')
    .option('--zone <name>', 'only this zone; may be given several times', collect, [])
    .option('--offline', 'ask AWS nothing', false)
    .option('--prices <file>', 'JSON with prices of your own, in place of those in the repository')
    .addOption(
      new Option('--usage <rates>', 'verifications per second of a zone to price, with commas between')
        .argParser(rates)
        .default([], '0, 100, 1000 and 10000'),
    )
    .option('--detail', 'every change, and every line of the price with its formula', false)
    .option(
      '--allow-replacement',
      'let AWS replace or remove what is guarded (see below), or begin a further zone',
      false,
    )
    .option('--json', 'print one JSON object instead of tables', false)
    .addHelpText('after', HELP)
    .action(async ({ environment, zone, prices, usage, ...flags }: Flags) => {
      const { plan } = await import('./plan.ts').catch((error: unknown) => {
        throw descriptionError(error);
      });
      await plan({ ...flags, environment, zones: zone, prices, rates: usage });
    });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

const RATE_MAX = 1_000_000;

function rates(text: string): readonly number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.every((part) => /^\d{1,7}$/.test(part) && Number(part) <= RATE_MAX)) return parts.map(Number);
  throw new InvalidArgumentError(`It must be whole numbers from 0 to ${RATE_MAX} with commas between.`);
}
