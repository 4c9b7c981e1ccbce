import { CloudFormationClient, paginateListStacks, type StackStatus } from '@aws-sdk/client-cloudformation';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { readDeployedStack } from '../lib/deployed-stack.ts';
import { errorText, UserError } from '../lib/user-error.ts';
import { AWS_SETTINGS } from './aws-settings.ts';
import type { DeployedStack } from './compare-zone.ts';
import { mapLimited } from './map-limited.ts';
import { referencesOf } from './references.ts';
import type { Template } from './template.ts';
import { stackNamesOf } from './zone-stacks.ts';

const AT_ONCE = 6;

/** Every status but that of stacks that are gone, of which CloudFormation goes on listing those of 90 days. */
const LISTED: readonly StackStatus[] = [
  'CREATE_COMPLETE',
  'CREATE_FAILED',
  'CREATE_IN_PROGRESS',
  'DELETE_FAILED',
  'DELETE_IN_PROGRESS',
  'IMPORT_COMPLETE',
  'IMPORT_IN_PROGRESS',
  'IMPORT_ROLLBACK_COMPLETE',
  'IMPORT_ROLLBACK_FAILED',
  'IMPORT_ROLLBACK_IN_PROGRESS',
  'REVIEW_IN_PROGRESS',
  'ROLLBACK_COMPLETE',
  'ROLLBACK_FAILED',
  'ROLLBACK_IN_PROGRESS',
  'UPDATE_COMPLETE',
  'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
  'UPDATE_FAILED',
  'UPDATE_IN_PROGRESS',
  'UPDATE_ROLLBACK_COMPLETE',
  'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
  'UPDATE_ROLLBACK_FAILED',
  'UPDATE_ROLLBACK_IN_PROGRESS',
];

/**
 * All stacks of a zone that there are: in the regions of its description, and in every region that one of them names, so that a region
 * that has been taken out of the description is found by the links to it. One whose links and edge are gone as well isn't: asking every
 * region of AWS would take long, and a zone's people may not be allowed to. Fails with `UserError` where AWS refuses an answer.
 */
export async function observeZone(zone: ZoneDeployment): Promise<readonly DeployedStack[]> {
  const names = stackNamesOf(zone);
  const asked = new Set<string>();
  const found: DeployedStack[] = [];
  let regions: readonly string[] = zone.regions.map(({ region }) => region);
  while (regions.length > 0) {
    for (const region of regions) asked.add(region);
    const stacks = (await mapLimited(regions, AT_ONCE, (region) => stacksIn(zone, region, names))).flat();
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
  names: ReadonlyMap<string, readonly string[]>,
): Promise<readonly DeployedStack[]> {
  const client = new CloudFormationClient({ region, ...AWS_SETTINGS });
  const listed = await asking(region, async () => {
    const all: string[] = [];
    for await (const page of paginateListStacks({ client }, { StackStatusFilter: [...LISTED] }))
      all.push(...(page.StackSummaries ?? []).flatMap(({ StackName }) => StackName ?? []));
    return all;
  });
  const own = listed.filter((name) => names.has(name));
  const read = await mapLimited(own, AT_ONCE, (name) =>
    asking(region, () => readDeployedStack(client, name)),
  );
  return read.flatMap((stack) => {
    if (stack === undefined) return [];
    const { name, status, terminationProtection, parameters } = stack;
    // The same JSON: the other type names fewer of a template's fields.
    const template = stack.template as Template;
    return [{ name, account: zone.account, region, status, terminationProtection, parameters, template }];
  });
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

/** With what AWS refuses in one sentence, and the action that has to be allowed. */
async function asking<T>(region: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const text = errorText(error);
    const [, action] = /not authorized to perform: ([\w:-]+)/.exec(text) ?? [];
    if (action !== undefined || (error instanceof Error && error.name.startsWith('AccessDenied'))) {
      throw new UserError(
        `AWS refuses ${action ?? 'an action'} in ${region}: ${text} Planning needs cloudformation:ListStacks, DescribeStacks and GetTemplate there; --offline does without.`,
      );
    }
    throw new UserError(`CloudFormation in ${region} doesn’t answer as it should: ${text}`);
  }
}
