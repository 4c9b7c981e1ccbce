import {
  type CloudFormationClient,
  CloudFormationServiceException,
  DescribeStacksCommand,
  GetTemplateCommand,
  type StackStatus,
} from '@aws-sdk/client-cloudformation';

/** A resource of a template, as far as it is looked at. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

/** A template of ours: always JSON. */
export interface Template {
  readonly Parameters?: Readonly<Record<string, { readonly Default?: string | number }>>;
  readonly Metadata?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
}

/** A stack that exists in AWS. */
export interface DeployedStack {
  readonly name: string;
  readonly region: string;
  readonly id: string;
  readonly status: StackStatus;
  /** Why it is in that status, where AWS says so. */
  readonly reason: string | null;
  readonly terminationProtection: boolean;
  /** Values that it was last deployed with; those of `NoEcho` parameters are asterisks. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  /** As it was sent, parsed. */
  readonly template: Template;
}

/**
 * A stack with its template, or undefined where there is none of that name in the client's region. One that only a change set has ever
 * been made for (REVIEW_IN_PROGRESS) counts as none. Fails with what AWS says otherwise.
 */
export async function readDeployedStack(
  client: CloudFormationClient,
  name: string,
): Promise<DeployedStack | undefined> {
  const stack = await readAnyStack(client, name);
  return stack?.status === 'REVIEW_IN_PROGRESS' ? undefined : stack;
}

/** The same for whoever deletes stacks: one that only a change set has been made for counts, with an empty template. */
export async function readAnyStack(
  client: CloudFormationClient,
  name: string,
): Promise<DeployedStack | undefined> {
  const stack = await describe(client, name);
  if (stack?.StackId === undefined || stack.StackStatus === undefined) return undefined;
  if (stack.StackStatus === 'DELETE_COMPLETE') return undefined;
  return {
    name,
    region: await client.config.region(),
    id: stack.StackId,
    status: stack.StackStatus,
    reason: stack.StackStatusReason ?? null,
    terminationProtection: stack.EnableTerminationProtection ?? false,
    parameters: pairs(stack.Parameters, ({ ParameterKey, ParameterValue }) => [ParameterKey, ParameterValue]),
    outputs: pairs(stack.Outputs, ({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
    tags: pairs(stack.Tags, ({ Key, Value }) => [Key, Value]),
    // A change set that wasn't carried out has left no template.
    template:
      stack.StackStatus === 'REVIEW_IN_PROGRESS'
        ? { Resources: {} }
        : await readTemplate(client, stack.StackId),
  };
}

/** Is there a stack of that name? Also for stacks that aren't ours, whose templates may be YAML: nothing but its status is read. */
export async function hasStack(client: CloudFormationClient, name: string): Promise<boolean> {
  const status = (await describe(client, name))?.StackStatus;
  return status !== undefined && status !== 'DELETE_COMPLETE' && status !== 'REVIEW_IN_PROGRESS';
}

async function readTemplate(client: CloudFormationClient, id: string): Promise<Template> {
  const { TemplateBody = '{"Resources":{}}' } = await client.send(
    new GetTemplateCommand({ StackName: id, TemplateStage: 'Original' }),
  );
  // The CDK deploys JSON only, and every stack of a zone is the CDK's.
  return JSON.parse(TemplateBody) as Template;
}

async function describe(client: CloudFormationClient, name: string) {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: name }));
    return Stacks[0];
  } catch (error) {
    if (isUnknownStack(error)) return undefined;
    throw error;
  }
}

/** Whether AWS says that there is no such stack; it has no code of its own for that. */
function isUnknownStack(error: unknown): boolean {
  return (
    error instanceof CloudFormationServiceException &&
    error.name === 'ValidationError' &&
    error.message.includes('does not exist')
  );
}

function pairs<T>(
  entries: readonly T[] | undefined,
  pair: (entry: T) => readonly [string | undefined, string | undefined],
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const entry of entries ?? []) {
    const [key, value] = pair(entry);
    if (key !== undefined) found.set(key, value ?? '');
  }
  return found;
}
