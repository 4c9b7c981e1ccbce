import { stackNames, type ZoneName } from '../../infra/names.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { AssemblyStack } from '../lib/assembly.ts';
import type { DeployedStack } from '../lib/deployed-stack.ts';
import { UserError } from '../lib/user-error.ts';
import { differing } from './differing.ts';

/** A region that a zone gets, and what AWS has. */
export interface ComingRegion {
  readonly zone: ZoneName;
  readonly region: AwsRegion;
  readonly origin: AwsRegion;
  /** All regions of the zone, as the description lists them. */
  readonly listed: readonly AwsRegion[];
  /** The zone's stacks as they are to be, in the order in which they are deployed. */
  readonly wanted: readonly AssemblyStack[];
  /** By name: those of them that exist. */
  readonly deployed: ReadonlyMap<string, DeployedStack>;
}

/**
 * Names of the stacks to deploy so that a zone gets a region, in order; each is deployed again without a change where it is there
 * already. Fails with `UserError` where the zone isn't ready for it, or where more than that region would change: whatever else was
 * edited is deployed first, and seen for itself.
 */
export function planAddition({
  zone,
  region,
  origin,
  listed,
  wanted,
  deployed,
}: ComingRegion): readonly string[] {
  if (region === origin || !listed.includes(region)) {
    throw new UserError(
      region === origin
        ? `${region} is the origin of zone ${zone.name}: \`npx cdk deploy\` makes the zone with it.`
        : `regions.config.ts doesn't list ${region} in zone ${zone.name}. Add it to \`replicas\`, then run this again.`,
    );
  }
  if (!deployed.has(stackNames.edge(zone))) {
    throw new UserError(
      `Zone ${zone.name} isn't deployed yet: \`npx cdk deploy\` makes it with all its regions (docs/DEPLOYING.md).`,
    );
  }
  const others = listed.filter((one) => one !== region);
  const own = new Set([
    stackNames.base(zone, region),
    ...others.flatMap((other) => [
      stackNames.link(zone, region, other),
      stackNames.link(zone, other, region),
    ]),
    stackNames.zone(zone),
    stackNames.data(zone, region),
    stackNames.service(zone, region),
    stackNames.edge(zone),
  ]);
  const changed = differing(wanted, deployed, own);
  if (changed.length > 0) {
    const names = changed.join(', ');
    throw new UserError(
      others.length === 1
        ? `With a second region the database of zone ${zone.name} becomes global, which changes ${names}. Follow docs/OPERATIONS.md, "From one region to several".`
        : `regions.config.ts says more than the new region: ${names} would change as well. Deploy that first (\`npx keyhearth plan\` shows it), or take it back.`,
    );
  }
  return wanted.flatMap(({ name }) => (own.has(name) ? [name] : []));
}
