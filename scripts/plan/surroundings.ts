import { acceleratorName, stackNames, type ZoneName } from '../../infra/names.ts';
import { AWS_REGION_CODES } from '../../topology/aws-regions.ts';
import type { DescribedZone } from '../lib/target.ts';
import { stackNamesOf } from '../lib/zone-stacks.ts';
import { type Accelerator, listAccelerators, regionsOfAccelerator } from './accelerators.ts';
import type { AccountStacks, ListedStack } from './account-stacks.ts';
import { mapLimited } from './map-limited.ts';
import { stateOf } from './stack-status.ts';

/** What a zone's account has besides the stacks in the zone's own regions, as far as it bears on a deployment. */
export interface Surroundings {
  /** Regions outside the zone's description that have stacks of its names. */
  readonly alsoIn: readonly string[];
  /** Zones that nobody describes: `<environment>-<zone>`, and the regions of their stacks. */
  readonly strangers: readonly { readonly name: string; readonly regions: readonly string[] }[];
  /** Regions of the zone that the CDK hasn't been prepared for. */
  readonly withoutBootstrap: readonly string[];
  /** Sentences on what couldn't be looked at. */
  readonly unseen: readonly string[];
}

export const NO_SURROUNDINGS: Surroundings = { alsoIn: [], strangers: [], withoutBootstrap: [], unseen: [] };

const AT_ONCE = 6;
/** What `cdk bootstrap` makes unless it is given another name. */
const BOOTSTRAP_STACK = 'CDKToolkit';
const PREFIX = stackNames.zone({ environment: '', name: '' }).split('-', 1)[0] ?? '';
const REGION = AWS_REGION_CODES.join('|');
/** `keyhearth-<environment>-<zone>-…`: which hyphen is the one between is nobody's to know. */
const STACK_OF_A_ZONE = new RegExp(
  `^${PREFIX}-(.+?)-(?:zone|edge|(?:base|data|svc)-(?:${REGION})|link-(?:${REGION})-(?:${REGION}))$`,
);

/**
 * Looks for what a description can't name: a zone that is deployed from another origin, or under another name. In every region of the
 * whole description, and in those that accelerators of ours lead to, for an accelerator is found wherever its zone is. Regions that
 * the credentials may not look at are said, unless they are the zone's own, where `observeZone` fails for them.
 *
 * @param zone whose account the credentials are for
 * @param described all zones of all environments
 */
export async function lookAround(
  zone: DescribedZone,
  described: readonly DescribedZone[],
  stacks: AccountStacks,
): Promise<Surroundings> {
  const listings = new Map<string, readonly ListedStack[]>();
  const unseen: string[] = [];
  const look = async (regions: readonly string[]): Promise<void> => {
    await mapLimited(
      [...new Set(regions)].filter((one) => !listings.has(one)),
      AT_ONCE,
      async (region) => {
        try {
          const all = await stacks.in(region);
          listings.set(
            region,
            all.filter(({ name, status }) => stateOf(name, status).kind !== 'absent'),
          );
        } catch {
          unseen.push(
            `Stacks in ${region} couldn’t be listed: whether a zone is deployed there isn’t known.`,
          );
        }
      },
    );
  };
  await look([...zone.regions, ...described.flatMap(({ regions }) => regions)]);
  const known = new Set(described.flatMap((one) => [prefixOf(one), acceleratorName(one)]));
  const accelerators = await acceleratorsToFollow(zone, known, listings, unseen);
  const found = await mapLimited(accelerators, AT_ONCE, async (one) => {
    try {
      return await regionsOfAccelerator(one);
    } catch {
      unseen.push(`Where the accelerator ${one.name} leads couldn’t be read.`);
      return [];
    }
  });
  await look(found.flat());
  const own = stackNamesOf(zone);
  const isOwn = (region: string): boolean => zone.regions.some((one) => one === region);
  const hasOwn = (names: readonly ListedStack[]): boolean => names.some(({ name }) => own.has(name));
  return {
    alsoIn: [...listings].flatMap(([region, names]) => (hasOwn(names) && !isOwn(region) ? [region] : [])),
    strangers: strangersIn(listings, known),
    withoutBootstrap: zone.regions.filter(
      (region) => listings.get(region)?.every(({ name }) => name !== BOOTSTRAP_STACK) === true,
    ),
    unseen,
  };
}

/** Of the zone itself where its edge isn't at its origin, and of zones that nobody describes. */
async function acceleratorsToFollow(
  zone: DescribedZone,
  known: ReadonlySet<string>,
  listings: ReadonlyMap<string, readonly ListedStack[]>,
  unseen: string[],
): Promise<readonly Accelerator[]> {
  const names = new Set([...listings.values()].flat().map(({ name }) => name));
  try {
    const all = await listAccelerators();
    return all.filter(({ name }) => {
      if (!name.startsWith(`${PREFIX}-`)) return false;
      if (name === acceleratorName(zone)) return !names.has(stackNames.edge(zone));
      return !known.has(name);
    });
  } catch {
    unseen.push('Accelerators couldn’t be listed: a zone with another origin isn’t found by its own.');
    return [];
  }
}

/** How the names of a zone's stacks begin. */
function prefixOf(zone: ZoneName): string {
  return stackNames.zone(zone).slice(0, -'-zone'.length);
}

function strangersIn(
  listings: ReadonlyMap<string, readonly ListedStack[]>,
  known: ReadonlySet<string>,
): Surroundings['strangers'] {
  const found = new Map<string, Set<string>>();
  for (const [region, stacks] of listings) {
    for (const { name } of stacks) {
      const [, zone] = STACK_OF_A_ZONE.exec(name) ?? [];
      if (zone === undefined || known.has(`${PREFIX}-${zone}`)) continue;
      found.set(zone, (found.get(zone) ?? new Set()).add(region));
    }
  }
  return [...found].map(([name, regions]) => ({ name, regions: [...regions].toSorted() }));
}
