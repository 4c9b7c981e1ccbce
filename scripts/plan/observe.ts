import type { ZoneDeployment } from '../../topology/deployment.ts';
import { readDeployedStack } from '../lib/deployed-stack.ts';
import { stackNamesOf } from '../lib/zone-stacks.ts';
import { AccountStacks, asking } from './account-stacks.ts';
import type { DeployedStack } from './compare-zone.ts';
import { mapLimited } from './map-limited.ts';
import { referencesOf } from './references.ts';
import { isObject, type Template } from './template.ts';

const AT_ONCE = 6;

/**
 * All stacks of a zone that there are: in the regions of its description, and in every region that one of them names, so that a region
 * that has been taken out of the description is found by the links to it. One whose links and edge are gone as well isn't: asking every
 * region of AWS would take long, and a zone's people may not be allowed to. Fails with `UserError` where AWS refuses an answer.
 *
 * @param alsoIn further regions that are known to have some
 */
export async function observeZone(
  zone: ZoneDeployment,
  listings = new AccountStacks(),
  alsoIn: readonly string[] = [],
): Promise<readonly DeployedStack[]> {
  const names = stackNamesOf(zone);
  const asked = new Set<string>();
  const found: DeployedStack[] = [];
  let regions: readonly string[] = [...zone.regions.map(({ region }) => region), ...alsoIn];
  while (regions.length > 0) {
    for (const region of regions) asked.add(region);
    const stacks = (
      await mapLimited(regions, AT_ONCE, (region) => stacksIn(zone, region, { names, listings }))
    ).flat();
    found.push(...stacks);
    regions = [...new Set(stacks.flatMap((stack) => regionsNamedBy(stack, names)))].filter(
      (one) => !asked.has(one),
    );
  }
  return found;
}

async function stacksIn(
  zone: ZoneDeployment,
  region: string,
  { names, listings }: { readonly names: ReadonlyMap<string, unknown>; readonly listings: AccountStacks },
): Promise<readonly DeployedStack[]> {
  const client = listings.clientOf(region);
  const listed = await listings.in(region);
  const own = listed.map(({ name }) => name).filter((name) => names.has(name));
  const read = await mapLimited(own, AT_ONCE, (name) =>
    asking(region, () => readDeployedStack(client, name)),
  );
  return read.flatMap((stack) => {
    if (stack === undefined) return [];
    const { name, status, reason, terminationProtection, parameters } = stack;
    const common = { name, account: zone.account, region, status, reason, terminationProtection, parameters };
    return [{ ...common, ...readable(stack.template) }];
  });
}

const EMPTY: Template = { Resources: {} };

/** What CloudFormation has may be anybody's: what can't be compared is said, and nothing of it is. */
function readable(template: unknown): Pick<DeployedStack, 'template' | 'unreadable'> {
  if (!isObject(template) || !isObject(template['Resources']))
    return { template: EMPTY, unreadable: 'its template has no resources' };
  const odd = Object.entries(template['Resources']).find(
    ([, one]) => !isObject(one) || typeof one['Type'] !== 'string',
  );
  if (odd !== undefined) return { template: EMPTY, unreadable: `its template’s ${odd[0]} has no type` };
  // CloudFormation has taken it: what it has besides resources is of the documented form.
  return { template: template as unknown as Template, unreadable: null };
}

/** By its name, and by what it reads from others. */
function regionsNamedBy(
  stack: DeployedStack,
  names: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const read = referencesOf(stack.template.Resources).outputs.flatMap((output) =>
    names.has(output.stack) ? (output.region ?? []) : [],
  );
  return [...(names.get(stack.name) ?? []), ...read];
}
