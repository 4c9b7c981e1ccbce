import type { Behaviour } from '../behaviour.ts';
import { type Answer, type Call, members, type Service } from '../call.ts';
import { changeSetOf, createChangeSet, deleteChangeSet, executeChangeSet } from './change-sets.ts';
import {
  changeSetAnswer,
  changeSetSummary,
  compact,
  eventAnswer,
  findingAnswers,
  fullResourceAnswer,
  operationEventAnswer,
  page,
  resourceAnswer,
  stackAnswer,
  summaryAnswer,
  templateSummaryAnswer,
} from './describe.ts';
import { Engine, type EngineOptions } from './engine.ts';
import { flag, required, templateIn } from './input.ts';
import {
  cancelUpdate,
  continueRollback,
  createStack,
  deleteStack,
  protectStack,
  rollBackStack,
  updateStack,
} from './operations.ts';
import { importersOf } from './outputs.ts';
import { exportsOf, type Stack } from './stack.ts';
import { checkTemplate } from './template-check.ts';
import { Refusal } from '../refusal.ts';
import { isProperties, type Properties, textAt, textsAt } from '../values.ts';
import type { World } from '../world.ts';

/** Entries of a page, as "DescribeStackEvents" and its like have them. */
const PAGE = 100;

/**
 * CloudFormation, with resources that behave as they are told to. Every world has its stacks.
 *
 * @param behaviours by type; all other types are refused as unknown
 */
export function cloudformation(
  behaviours: ReadonlyMap<string, Behaviour>,
  options: Pick<EngineOptions, 'answerMsMax' | 'orderSeed' | 'stabilizeMsMax'> = {},
): Service {
  const engines = new WeakMap<World, Engine>();
  const engineOf = ({ world }: Call): Engine => {
    const engine = engines.get(world) ?? new Engine({ world, behaviours, ...options });
    engines.set(world, engine);
    return engine;
  };
  type Action = (call: Call, engine: Engine) => Properties | Promise<Properties>;
  const actions: Readonly<Record<string, Action>> = { ...STACKS, ...RESOURCES, ...CHANGE_SETS, ...TEMPLATES };
  return {
    signingName: 'cloudformation',
    protocol: 'query',
    namespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
    actions: Object.fromEntries(
      Object.entries(actions).map(([name, action]) => [
        name,
        async (call: Call): Promise<Answer> => ({ result: await action(call, engineOf(call)) }),
      ]),
    ),
  };
}

type Actions = Readonly<Record<string, (call: Call, engine: Engine) => Properties | Promise<Properties>>>;

const STACKS: Actions = {
  CreateStack: async (call, engine) => ({ StackId: await createStack(call, call.input, engine) }),
  UpdateStack: async (call, engine) => ({ StackId: await updateStack(call, call.input, engine) }),
  DeleteStack: async (call, engine) => {
    await deleteStack(call, call.input, engine);
    return {};
  },
  RollbackStack: async (call, engine) => ({ StackId: await rollBackStack(call, call.input, engine) }),
  ContinueUpdateRollback: async (call, engine) => {
    await continueRollback(call, call.input, engine);
    return {};
  },
  CancelUpdateStack: (call, engine) => {
    cancelUpdate(call, call.input, engine);
    return {};
  },
  UpdateTerminationProtection: (call, engine) => ({ StackId: protectStack(call, call.input, engine) }),
  DescribeStacks: (call, engine) => {
    const name = textAt(call.input, 'StackName');
    const stacks = name === undefined ? engine.stacks.liveIn(call) : [engine.stacks.get(call, name)];
    const { entries, next } = page(stacks, call.input['NextToken'], PAGE);
    return compact({ Stacks: members(entries.map(stackAnswer)), NextToken: next });
  },
  ListStacks: (call, engine) => {
    const wanted = textsAt(call.input, 'StackStatusFilter');
    const stacks = engine.stacks
      .in(call)
      .filter(({ status }) => wanted.length === 0 || wanted.includes(status));
    const { entries, next } = page(stacks.toReversed(), call.input['NextToken'], PAGE);
    return compact({ StackSummaries: members(entries.map(summaryAnswer)), NextToken: next });
  },
  ListExports: (call, engine) => {
    const found = [...exportsOf(engine.stacks.liveIn(call))];
    const { entries, next } = page(found, call.input['NextToken'], PAGE);
    return compact({
      Exports: members(
        entries.map(([Name, { stack, value }]) => ({ ExportingStackId: stack.id, Name, Value: value })),
      ),
      NextToken: next,
    });
  },
  ListImports: (call, engine) => {
    const name = required(call.input, 'ExportName');
    const importers = importersOf(name, engine.stacks.liveIn(call));
    if (importers.length === 0)
      throw new Refusal('ValidationError', `Export '${name}' is not imported by any stack.`);
    return { Imports: members(importers.map((stack) => stack.name)) };
  },
};

const RESOURCES: Actions = {
  ListStackResources: (call, engine) => {
    const stack = engine.stacks.get(call, required(call.input, 'StackName'));
    const { entries, next } = page([...stack.resources.values()], call.input['NextToken'], PAGE);
    return compact({
      StackResourceSummaries: members(
        entries.map((entry) => ({
          ...resourceAnswer(entry),
          LastUpdatedTimestamp: entry.changed.toISOString(),
        })),
      ),
      NextToken: next,
    });
  },
  DescribeStackResources: (call, engine) => {
    const stack = stackOfResources(call, engine);
    const logicalId = textAt(call.input, 'LogicalResourceId');
    const entries = [...stack.resources.values()].filter(
      (entry) => logicalId === undefined || entry.logicalId === logicalId,
    );
    if (logicalId !== undefined && entries.length === 0) throw noResource(logicalId, stack);
    return { StackResources: members(entries.map((entry) => fullResourceAnswer(stack, entry))) };
  },
  DescribeStackResource: (call, engine) => {
    const stack = engine.stacks.get(call, required(call.input, 'StackName'));
    const logicalId = required(call.input, 'LogicalResourceId');
    const entry = stack.resources.get(logicalId);
    if (entry === undefined) throw noResource(logicalId, stack);
    return {
      StackResourceDetail: {
        StackId: stack.id,
        StackName: stack.name,
        ...resourceAnswer(entry),
        LastUpdatedTimestamp: entry.changed.toISOString(),
        Metadata: JSON.stringify(entry.metadata ?? {}),
      },
    };
  },
  DescribeStackEvents: (call, engine) => {
    const name = required(call.input, 'StackName');
    const stack = engine.stacks.find(call, name);
    // The command line knows a stack that is gone by this sentence, which is not that of DescribeStacks.
    if (stack === undefined) throw new Refusal('ValidationError', `Stack [${name}] does not exist`);
    const { entries, next } = page(stack.events.toReversed(), call.input['NextToken'], PAGE);
    return compact({
      StackEvents: members(entries.map((event) => eventAnswer(stack, event))),
      NextToken: next,
    });
  },
  DescribeEvents: (call, engine) => {
    const filters = call.input['Filters'];
    const onlyFailed = isProperties(filters) && flag(filters, 'FailedEvents') === true;
    const events = operationEvents(call, engine).filter(
      (event) =>
        !onlyFailed ||
        Object.values(event).some((value) => typeof value === 'string' && value.endsWith('FAILED')),
    );
    const { entries, next } = page(events, call.input['NextToken'], PAGE);
    return compact({ OperationEvents: members(entries), NextToken: next });
  },
};

const CHANGE_SETS: Actions = {
  CreateChangeSet: (call, engine) => {
    const { id, stackId } = createChangeSet(call, call.input, engine);
    return { Id: id, StackId: stackId };
  },
  DescribeChangeSet: (call, engine) => {
    const { changeSet } = changeSetOf(call, call.input, engine);
    const { entries, next } = page(changeSet.changes, call.input['NextToken'], PAGE);
    return compact({
      ...changeSetAnswer(
        { ...changeSet, changes: entries },
        flag(call.input, 'IncludePropertyValues') === true,
      ),
      NextToken: next,
    });
  },
  ExecuteChangeSet: async (call, engine) => {
    await executeChangeSet(call, call.input, engine);
    return {};
  },
  DeleteChangeSet: (call, engine) => {
    deleteChangeSet(call, call.input, engine);
    return {};
  },
  ListChangeSets: (call, engine) => {
    const stack = engine.stacks.live(call, required(call.input, 'StackName'));
    const { entries, next } = page([...stack.changeSets.values()], call.input['NextToken'], PAGE);
    return compact({ Summaries: members(entries.map(changeSetSummary)), NextToken: next });
  },
  // No hooks are installed in this account.
  ListHookResults: (call) =>
    compact({
      TargetType: textAt(call.input, 'TargetType'),
      TargetId: textAt(call.input, 'TargetId'),
      HookResults: members([]),
    }),
};

const TEMPLATES: Actions = {
  GetTemplate: (call, engine) => {
    const changeSet =
      textAt(call.input, 'ChangeSetName') === undefined
        ? undefined
        : changeSetOf(call, call.input, engine).changeSet;
    const definition =
      changeSet?.definition ?? engine.stacks.get(call, required(call.input, 'StackName')).definition;
    return {
      // A stack that is only reviewed yet has no template.
      TemplateBody: definition?.template.body ?? '{}',
      StagesAvailable: members(['Original', 'Processed']),
    };
  },
  GetTemplateSummary: (call, engine) => {
    const name = textAt(call.input, 'StackName');
    const stack = name === undefined ? undefined : engine.stacks.get(call, name);
    const template = stack === undefined ? templateIn(call.input, call.world) : stack.definition?.template;
    if (template === undefined || template === null) {
      throw new Refusal('ValidationError', 'Either Template URL or Template Body must be specified.');
    }
    return templateSummaryAnswer(template);
  },
  ValidateTemplate: (call, engine) => {
    const template = templateIn(call.input, call.world);
    if (template === null)
      throw new Refusal('ValidationError', 'Either Template URL or Template Body must be specified.');
    checkTemplate(template, (type) => engine.provisioner.behaviours.has(type));
    const {
      ResourceTypes: _types,
      ResourceIdentifierSummaries: _summaries,
      ...answer
    } = templateSummaryAnswer(template);
    return answer;
  },
};

function stackOfResources(call: Call, engine: Engine): Stack {
  const physicalId = textAt(call.input, 'PhysicalResourceId');
  if (physicalId === undefined) return engine.stacks.get(call, required(call.input, 'StackName'));
  const stack = engine.stacks
    .liveIn(call)
    .find(({ resources }) => [...resources.values()].some((entry) => entry.physicalId === physicalId));
  if (stack === undefined) throw new Refusal('ValidationError', `Stack for ${physicalId} does not exist`);
  return stack;
}

function noResource(logicalId: string, stack: Stack): Refusal {
  return new Refusal('ValidationError', `Resource ${logicalId} does not exist for stack ${stack.name}`);
}

function operationEvents(call: Call, engine: Engine): readonly Properties[] {
  if (textAt(call.input, 'ChangeSetName') !== undefined) {
    return findingAnswers(changeSetOf(call, call.input, engine).changeSet);
  }
  const operation = textAt(call.input, 'OperationId');
  const name = textAt(call.input, 'StackName');
  const stacks = name === undefined ? engine.stacks.in(call) : [engine.stacks.get(call, name)];
  return stacks.flatMap((stack) =>
    stack.events
      .filter((event) => operation === undefined || event.operation === operation)
      .toReversed()
      .map((event) => operationEventAnswer(stack, event)),
  );
}
