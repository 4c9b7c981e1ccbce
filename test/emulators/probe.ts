import { setTimeout as wait } from 'node:timers/promises';
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  ListStackResourcesCommand,
  type Stack,
  waitUntilChangeSetCreateComplete,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import type { Template } from './adapt.ts';
import { askJson, type Caller } from './ask.ts';

/** A template that CloudFormation takes, too small to fail for any other reason than the one that it probes for. */
export interface Probe {
  readonly template: Template | ((caller: Caller) => Promise<Template>);
  /** What the output `Probe` has to be like. */
  readonly output?: RegExp;
  /** The log group of this name has to be there after the stack is deleted. */
  readonly keptLogGroup?: string;
  /** Deleting the stack has to end well. */
  readonly isDeletable?: boolean;
}

const STACK = { StackName: 'probe' };
const WAIT_MS_MAX = 20_000;
const POLL_MS = 50;
/** In the SDK's unit, seconds. */
const POLLING = { maxWaitTime: 20, minDelay: 1, maxDelay: 1 };

export const KEPT_LOG_GROUP: Probe = {
  template: {
    Resources: {
      Group: {
        Type: 'AWS::Logs::LogGroup',
        Properties: { LogGroupName: 'probe' },
        DeletionPolicy: 'RetainExceptOnCreate',
      },
    },
  },
  keptLogGroup: 'probe',
};

/** Does the emulator make what the probe's template says, as CloudFormation would? It leaves no stack behind. */
export async function isTaken(caller: Caller, probe: Probe): Promise<boolean> {
  const client = new CloudFormationClient({ ...caller, maxAttempts: 1 });
  const template = typeof probe.template === 'function' ? await probe.template(caller) : probe.template;
  let isMade: boolean;
  try {
    await client.send(new CreateStackCommand({ ...STACK, TemplateBody: JSON.stringify(template) }));
    isMade = isRight(await settled(client), probe) && (await isWhole(client, template));
  } catch {
    // A refusal, or an answer that is none: neither has made it.
    isMade = false;
  }
  const isGone = await remove(client);
  if (probe.isDeletable === true && !isGone) return false;
  return isMade && (probe.keptLogGroup === undefined || (await hasLogGroup(caller, probe.keptLogGroup)));
}

/** Has a stack an output that a change set made, rather than a call that makes the stack at once? It leaves no stack behind. */
export async function givesOutputsToChangeSets(caller: Caller): Promise<boolean> {
  const client = new CloudFormationClient({ ...caller, maxAttempts: 1 });
  const template = {
    Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'probe' } } },
    Outputs: { Probe: { Value: { Ref: 'Topic' } } },
  };
  const changeSet = { ...STACK, ChangeSetName: 'probe' };
  await client.send(
    new CreateChangeSetCommand({
      ...changeSet,
      ChangeSetType: 'CREATE',
      TemplateBody: JSON.stringify(template),
    }),
  );
  await waitUntilChangeSetCreateComplete({ client, ...POLLING }, changeSet);
  await client.send(new ExecuteChangeSetCommand(changeSet));
  await waitUntilStackCreateComplete({ client, ...POLLING }, STACK);
  const stack = await settled(client);
  await remove(client);
  return stack?.Outputs?.some(({ OutputKey: key }) => key === 'Probe') === true;
}

function isRight(stack: Stack | undefined, { output }: Probe): boolean {
  if (stack?.StackStatus !== 'CREATE_COMPLETE') return false;
  const value = stack.Outputs?.find(({ OutputKey: key }) => key === 'Probe')?.OutputValue;
  return output === undefined || (value !== undefined && output.test(value));
}

async function isWhole(client: CloudFormationClient, template: Template): Promise<boolean> {
  const { StackResourceSummaries: made = [] } = await client.send(new ListStackResourcesCommand(STACK));
  return made.length === Object.keys(template.Resources).length;
}

/** Returns whether the stack is gone; it may never have been there. */
async function remove(client: CloudFormationClient): Promise<boolean> {
  try {
    await client.send(new DeleteStackCommand(STACK));
    const left = await settled(client);
    return left === undefined || left.StackStatus === 'DELETE_COMPLETE';
  } catch (error) {
    return error instanceof Error && error.message.includes('does not exist');
  }
}

async function settled(client: CloudFormationClient): Promise<Stack | undefined> {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand(STACK));
    if (stack?.StackStatus?.endsWith('_IN_PROGRESS') !== true) return stack;
    if (Date.now() > deadline) throw new Error(`a stack that stays ${stack.StackStatus}`);
    await wait(POLL_MS);
  }
}

async function hasLogGroup(caller: Caller, name: string): Promise<boolean> {
  const answer = await askJson(caller, 'logs', 'Logs_20140328.DescribeLogGroups', {
    logGroupNamePrefix: name,
  });
  return JSON.stringify(answer).includes(`"${name}"`);
}
