import { CloudFormationClient, paginateListStacks, type StackStatus } from '@aws-sdk/client-cloudformation';
import { AWS_SETTINGS } from '../lib/aws-settings.ts';
import { errorText, UserError } from '../lib/user-error.ts';

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

/** A stack as CloudFormation lists it. */
export interface ListedStack {
  readonly name: string;
  readonly status: string;
}

/** The stacks of the account that the credentials are for. Each region is asked once, however many zones are planned. */
export class AccountStacks {
  readonly #listings = new Map<string, Promise<readonly ListedStack[]>>();

  /** All that there are in a region. Fails with `UserError` where AWS refuses the answer. */
  in(region: string): Promise<readonly ListedStack[]> {
    const known = this.#listings.get(region);
    if (known !== undefined) return known;
    const listing = asking(region, () => list(this.clientOf(region)));
    this.#listings.set(region, listing);
    return listing;
  }

  clientOf(region: string): CloudFormationClient {
    return new CloudFormationClient({ region, ...AWS_SETTINGS });
  }
}

async function list(client: CloudFormationClient): Promise<readonly ListedStack[]> {
  const all: ListedStack[] = [];
  for await (const page of paginateListStacks({ client }, { StackStatusFilter: [...LISTED] }))
    for (const { StackName, StackStatus } of page.StackSummaries ?? [])
      if (StackName !== undefined) all.push({ name: StackName, status: StackStatus ?? '' });
  return all;
}

/** With what AWS refuses in one sentence, and the action that has to be allowed. */
export async function asking<T>(region: string, work: () => Promise<T>): Promise<T> {
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
