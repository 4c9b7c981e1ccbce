import { type Command, InvalidArgumentError } from 'commander';

interface Flags {
  readonly environment?: string;
  readonly zone?: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
}

const DRAIN_SECONDS = 60;
const DRAIN_SECONDS_MAX = 3_600;

function seconds(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) > DRAIN_SECONDS_MAX)
    throw new InvalidArgumentError(`It must be a whole number of seconds from 0 to ${DRAIN_SECONDS_MAX}.`);
  return Number(text);
}

/** `keyhearth region`. */
export function addRegionCommands(program: Command): void {
  const region = program.command('region').description('bring a region to a zone in AWS, or take one away');
  common(
    region
      .command('add <region>')
      .description('deploy what a region needs that regions.config.ts lists, and nothing else'),
  )
    .addHelpText('after', examples('region add eu-west-3 --zone eu'))
    .action(async (name: string, { environment, zone, yes, dryRun }: Flags) => {
      const { addRegion } = await import('./add.ts');
      await addRegion({ region: name, environment, zone, yes, dryRun });
    });
  common(
    region
      .command('remove <region>')
      .description(
        'take a region away that regions.config.ts no longer lists, in the order that loses no client',
      ),
  )
    .option(
      '--drain-seconds <number>',
      `how long clients get to go elsewhere, 0 to ${DRAIN_SECONDS_MAX}`,
      seconds,
      DRAIN_SECONDS,
    )
    .addHelpText('after', examples('region remove eu-west-3 --zone eu --dry-run'))
    .action(
      async (
        name: string,
        { environment, zone, yes, dryRun, drainSeconds }: Flags & { readonly drainSeconds: number },
      ) => {
        const { removeRegion } = await import('./remove.ts');
        await removeRegion({ region: name, environment, zone, yes, dryRun, drainSeconds });
      },
    );
}

function common(command: Command): Command {
  return command
    .option('--environment <name>', 'of regions.config.ts; the first one where none is given')
    .option('--zone <name>', 'the zone, where the environment has several')
    .option('--dry-run', 'say what would be done, and do nothing', false)
    .option('-y, --yes', "don't ask", false);
}

function examples(line: string): string {
  return `
Interrupted, it goes on where it stopped: give the same command again. It needs credentials for the zone's account.

It asks before it changes anything. Without a terminal nobody can be asked: it fails, unless --yes or --dry-run is given.

Exit codes: 0 done, or nothing to do · 1 refused or failed; the reason is on stderr · 2 wrong command line

Example:
  $ npx keyhearth ${line}`;
}
