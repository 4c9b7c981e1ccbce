import { AwsClients } from '../lib/aws-clients.ts';
import { runCdk } from '../lib/cdk.ts';
import { hasStack } from '../lib/deployed-stack.ts';
import { UserError } from '../lib/user-error.ts';
import { agree } from './agree.ts';
import { planAddition } from './addition.ts';
import { readStacks, requireAccount } from './observe.ts';
import { withWanted } from './wanted.ts';
import { chosenZone, knownRegion, type ZoneChoice } from './zone.ts';

export interface AddOptions extends ZoneChoice {
  readonly region: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** What `cdk bootstrap` makes in each account and region. */
const BOOTSTRAP_STACK = 'CDKToolkit';

/** `keyhearth region add`: deploys what a region needs, and looks at nothing else. */
export async function addRegion(options: AddOptions): Promise<void> {
  const region = knownRegion(options.region);
  const zone = chosenZone(options);
  const clients = new AwsClients();
  await requireAccount(zone);
  await withWanted(zone, async ({ stacks: wanted, folder }) => {
    const names = planAddition({
      zone,
      region,
      origin: zone.origin,
      listed: zone.regions.map((one) => one.region),
      wanted,
      deployed: await readStacks(clients, wanted),
    });
    if (!(await hasStack(clients.cloudFormation(region), BOOTSTRAP_STACK))) {
      throw new UserError(
        `${region} isn't bootstrapped for the CDK in account ${zone.account} (it has no stack ${BOOTSTRAP_STACK}): \`npx cdk bootstrap aws://${zone.account}/${region}\`, then run this again.`,
      );
    }
    const lines = names.map((name, index) => `  ${index + 1}. deploy ${name}`);
    process.stdout.write(`Zone ${zone.name} gets ${region}:\n\n${lines.join('\n')}\n\n`);
    if (options.dryRun) return;
    await agree(options.yes, `Add ${region} to zone ${zone.name}?`);
    // What was looked at is what is deployed.
    const how = ['--exclusively', '--require-approval', 'never', '--import-existing-resources'];
    await runCdk({ args: ['deploy', '--app', folder, ...how, ...names], shown: true });
  });
}
