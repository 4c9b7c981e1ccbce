import {
  type CloudFormationClient,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { type DeployedStack, readDeployedStack, type Template } from '../lib/deployed-stack.ts';
import { errorText, UserError } from '../lib/user-error.ts';
import { waitFor } from '../lib/wait.ts';

/** A database cluster takes the longest: tens of minutes for its instances. */
const STACK_MS = 90 * 60_000;
const LOOK_MS = 3_000;

/** What CloudFormation takes in a call; more has to come from a bucket. */
const TEMPLATE_BYTES_MAX = 51_200;

export interface StackChange {
  readonly stack: DeployedStack;
  /** Instead of what is deployed. */
  readonly template?: Template;
  /** The others keep what they have. */
  readonly parameters?: ReadonlyMap<string, string>;
  /** Pause between two looks at it. @default 3000 */
  readonly lookMs?: number;
}

/** Updates a stack and waits until it is done. Nothing to change is no failure. Fails with `UserError`, which has AWS's reason. */
export async function updateStack(client: CloudFormationClient, change: StackChange): Promise<void> {
  const { stack, template, parameters = new Map<string, string>(), lookMs = LOOK_MS } = change;
  const names = [...stack.parameters.keys()].filter(
    (name) => template === undefined || Object.hasOwn(template.Parameters ?? {}, name),
  );
  const body = template === undefined ? undefined : JSON.stringify(template);
  if (body !== undefined && Buffer.byteLength(body) > TEMPLATE_BYTES_MAX) {
    throw new UserError(
      `${stack.name} wasn't changed: its template has ${Buffer.byteLength(body)} bytes, and CloudFormation takes ${TEMPLATE_BYTES_MAX} in a call. Update it by hand with a template in a bucket.`,
    );
  }
  try {
    await client.send(
      new UpdateStackCommand({
        StackName: stack.id,
        ...(body === undefined ? { UsePreviousTemplate: true } : { TemplateBody: body }),
        Parameters: names.map((name) => {
          const value = parameters.get(name);
          return value === undefined
            ? { ParameterKey: name, UsePreviousValue: true }
            : { ParameterKey: name, ParameterValue: value };
        }),
        Capabilities: ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM'],
      }),
    );
  } catch (error) {
    if (errorText(error).includes('No updates are to be performed')) return;
    throw new UserError(`${stack.name} wasn't changed: ${errorText(error)}`);
  }
  const after = await settled(client, stack.name, lookMs);
  if (after?.status !== 'UPDATE_COMPLETE') {
    throw new UserError(
      `${stack.name} wasn't changed, it is ${after?.status ?? 'gone'}: ${await reasons(client, stack.id)}`,
    );
  }
}

/** Deletes a stack and waits until it is gone. Fails with `UserError`, which has AWS's reasons; it can be done again then. */
export async function deleteStack(
  client: CloudFormationClient,
  stack: DeployedStack,
  lookMs = LOOK_MS,
): Promise<void> {
  if (stack.terminationProtection) {
    await client.send(
      new UpdateTerminationProtectionCommand({ StackName: stack.id, EnableTerminationProtection: false }),
    );
  }
  await client.send(new DeleteStackCommand({ StackName: stack.id }));
  const after = await settled(client, stack.name, lookMs);
  if (after !== undefined) {
    throw new UserError(
      `${stack.name} is ${after.status}: ${await reasons(client, stack.id)} Mend that, then run this again: it goes on here.`,
    );
  }
}

/** The stack once nothing changes it any more; undefined when it is gone. */
async function settled(
  client: CloudFormationClient,
  name: string,
  intervalMs: number,
): Promise<DeployedStack | undefined> {
  const { stack } = await waitFor(
    async () => {
      const now = await readDeployedStack(client, name);
      return now?.status.endsWith('_IN_PROGRESS') === true ? undefined : { stack: now };
    },
    { what: `${name} to settle`, timeoutMs: STACK_MS, intervalMs },
  );
  return stack;
}

/** What AWS says of the latest failures of a stack's resources. */
async function reasons(client: CloudFormationClient, id: string): Promise<string> {
  const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName: id }));
  const failed = StackEvents.flatMap(({ LogicalResourceId, ResourceStatus = '', ResourceStatusReason }) =>
    ResourceStatus.endsWith('_FAILED') && ResourceStatusReason !== undefined
      ? [`${LogicalResourceId ?? ''}: ${ResourceStatusReason}`]
      : [],
  );
  return failed.length === 0 ? 'AWS gives no reason.' : failed.slice(0, 3).join(' ');
}
