import { randomUUID } from 'node:crypto';
import { Refusal } from '../refusal.ts';
import { textAt, textsAt, type Place, type Properties } from '../values.ts';
import type { ChangeSet, ChangeSetType } from './change-set.ts';
import { checkUpdatable, type Engine, type OnFailure } from './engine.ts';
import { checkImport, checkOnlyImports, importsIn } from './imports.ts';
import { flag, listIn, newName, required, tagsIn, templateIn } from './input.ts';
import { readParameters } from './parameters.ts';
import { planOf, type Plan } from './planning.ts';
import { stackScope } from './scope.ts';
import type { Definition, Stack } from './stack.ts';
import { checkCapabilities, checkRules, checkTemplate } from './template-check.ts';
import type { Template } from './template.ts';

/** Sentences by which the CDK's command line tells an empty change set from a broken one. */
const NO_CHANGES =
  "The submitted information didn't contain changes. Submit different information to create a change set.";

const NOT_AN_IMPORT = 'ResourcesToImport can only be specified for a change set of type IMPORT.';

const CAPABILITIES: readonly string[] = ['CAPABILITY_AUTO_EXPAND', 'CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM'];

/**
 * What a call wants a stack to be.
 *
 * @throws Refusal where the template, its parameters or the call's acknowledgements aren't in order
 */
export function definitionIn(input: Properties, stack: Stack, engine: Engine): Definition {
  const template = templateIn(input, engine.world) ?? previousTemplate(stack);
  checkTemplate(template, (type) => engine.provisioner.behaviours.has(type));
  const capabilities = textsAt(input, 'Capabilities');
  const unknown = capabilities.find((one) => !CAPABILITIES.includes(one));
  if (unknown !== undefined) throw new Refusal('ValidationError', `Unknown capability: ${unknown}`);
  const parameters = readParameters(
    template,
    listIn(input, 'Parameters'),
    stack.definition?.parameters ?? new Map(),
    {
      world: engine.world,
      place: stack,
    },
  );
  checkCapabilities(template, capabilities);
  const tags = input['Tags'] === undefined ? (stack.definition?.tags ?? []) : tagsIn(input);
  const definition = { template, parameters, tags };
  const nothing = { physicalId: () => undefined, attribute: () => undefined };
  checkRules(template, stackScope(stack, definition, nothing, engine));
  return definition;
}

function previousTemplate({ definition }: Stack): Template {
  if (definition === null) throw new Refusal('ValidationError', 'Previous template is not available.');
  return definition.template;
}

/** @throws Refusal where the call isn't in order; a plan that can't be carried out makes a change set that has failed */
export function createChangeSet(place: Place, input: Properties, engine: Engine): ChangeSet {
  const type = typeIn(input);
  const stackName = required(input, 'StackName');
  const name = newName(input, 'ChangeSetName');
  const existing = engine.stacks.find(place, stackName);
  const stack = stackFor(type, { existing, place, input, name, engine });
  const definition = definitionIn(input, stack, engine);
  if (stack.changeSets.has(name))
    throw new Refusal('AlreadyExistsException', `ChangeSet ${name} already exists`);
  const imported = importsIn(listIn(input, 'ResourcesToImport'));
  if (type === 'IMPORT') checkImport(definition.template, imported, stack);
  else if (imported.size > 0) throw new Refusal('ValidationError', NOT_AN_IMPORT);
  const outcome = outcomeOf(stack, definition, imported, { input, engine });
  if (type === 'IMPORT') checkOnlyImports(outcome.plan?.changes ?? []);
  // Not before all of the call is known to be in order: a refused one leaves no stack behind.
  if (!engine.stacks.in(place).includes(stack)) {
    engine.stacks.keep(stack);
    stack.become('REVIEW_IN_PROGRESS', 'User Initiated');
  }
  const changeSet: ChangeSet = {
    id: `arn:aws:cloudformation:${place.region}:${place.account}:changeSet/${name}/${randomUUID()}`,
    name,
    stackId: stack.id,
    stackName: stack.name,
    type,
    description: textAt(input, 'Description'),
    created: new Date(),
    status: outcome.failure === undefined ? 'CREATE_COMPLETE' : 'FAILED',
    statusReason: outcome.failure,
    executionStatus: outcome.failure === undefined ? 'AVAILABLE' : 'UNAVAILABLE',
    definition,
    changes: outcome.plan?.changes ?? [],
    findings: outcome.plan?.findings ?? [],
    capabilities: textsAt(input, 'Capabilities'),
    notificationArns: textsAt(input, 'NotificationARNs'),
    roleArn: textAt(input, 'RoleARN'),
    onStackFailure: textAt(input, 'OnStackFailure'),
  };
  stack.changeSets.set(name, changeSet);
  return changeSet;
}

function typeIn(input: Properties): ChangeSetType {
  const type = textAt(input, 'ChangeSetType') ?? 'UPDATE';
  if (type === 'CREATE' || type === 'UPDATE' || type === 'IMPORT') return type;
  throw new Refusal(
    'ValidationError',
    `1 validation error detected: Value '${type}' at 'changeSetType' failed to satisfy constraint: Member must satisfy enum value set: [IMPORT, UPDATE, CREATE]`,
  );
}

function stackFor(
  type: ChangeSetType,
  {
    existing,
    place,
    input,
    name,
    engine,
  }: {
    readonly existing: Stack | undefined;
    readonly place: Place;
    readonly input: Properties;
    readonly name: string;
    readonly engine: Engine;
  },
): Stack {
  const stackName = required(input, 'StackName');
  const isNew = existing === undefined || existing.status === 'DELETE_COMPLETE';
  if (isNew) {
    if (type === 'UPDATE') throw new Refusal('ValidationError', `Stack [${stackName}] does not exist`);
    return engine.stacks.draft(place, newName(input, 'StackName'));
  }
  if (existing.status === 'REVIEW_IN_PROGRESS') return existing;
  if (type === 'CREATE') {
    throw new Refusal(
      'ValidationError',
      `Stack [${stackName}] already exists and cannot be created again with the changeSet [${name}].`,
    );
  }
  checkUpdatable(existing);
  return existing;
}

/** "Troubleshooting CloudFormation", early validation: the sentence that makes the command line ask DescribeEvents. */
function outcomeOf(
  stack: Stack,
  definition: Definition,
  imported: ReadonlyMap<string, string>,
  { input, engine }: { readonly input: Properties; readonly engine: Engine },
): { readonly plan?: Plan; readonly failure?: string } {
  let plan: Plan;
  try {
    plan = planOf(stack, definition, engine, {
      imported,
      importsExisting: flag(input, 'ImportExistingResources') === true,
    });
  } catch (error) {
    if (error instanceof Refusal) return { failure: error.message };
    throw error;
  }
  if (plan.findings.length > 0) {
    const names = [...new Set(plan.findings.map(({ validation }) => EARLY_VALIDATIONS[validation]))];
    return {
      plan,
      failure: `The following hook(s)/validation failed: [${names.join(', ')}]. To troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure information.`,
    };
  }
  return plan.isEmpty ? { plan, failure: NO_CHANGES } : { plan };
}

const EARLY_VALIDATIONS = {
  NAME_CONFLICT_VALIDATION: 'AWS::EarlyValidation::ResourceExistenceCheck',
  PROPERTY_VALIDATION: 'AWS::EarlyValidation::PropertyValidation',
} as const;

/** By name within its stack, or by id. @throws Refusal which the CDK's command line takes for "it is gone" */
export function changeSetOf(
  place: Place,
  input: Properties,
  engine: Engine,
): { readonly stack: Stack; readonly changeSet: ChangeSet } {
  const nameOrId = required(input, 'ChangeSetName');
  const stackName = textAt(input, 'StackName');
  const stacks = stackName === undefined ? engine.stacks.in(place) : [engine.stacks.find(place, stackName)];
  for (const stack of stacks) {
    for (const changeSet of stack?.changeSets.values() ?? []) {
      if (
        stack !== undefined &&
        (changeSet.id === nameOrId || (stackName !== undefined && changeSet.name === nameOrId))
      ) {
        return { stack, changeSet };
      }
    }
  }
  throw new Refusal('ChangeSetNotFound', `ChangeSet [${nameOrId}] does not exist`, 404);
}

/** @throws Refusal where it has failed, was executed already, or the stack is busy */
export async function executeChangeSet(place: Place, input: Properties, engine: Engine): Promise<void> {
  const { stack, changeSet } = changeSetOf(place, input, engine);
  if (changeSet.executionStatus !== 'AVAILABLE') {
    throw new Refusal(
      'InvalidChangeSetStatus',
      `ChangeSet [${changeSet.id}] cannot be executed in its current execution status of [${changeSet.executionStatus}]`,
    );
  }
  const isNew = stack.status === 'REVIEW_IN_PROGRESS';
  if (!isNew) checkUpdatable(stack);
  changeSet.executionStatus = 'EXECUTE_IN_PROGRESS';
  for (const [name, other] of stack.changeSets) if (other !== changeSet) stack.changeSets.delete(name);
  stack.capabilities = changeSet.capabilities;
  stack.notificationArns = changeSet.notificationArns;
  stack.roleArn = changeSet.roleArn;
  const disableRollback = flag(input, 'DisableRollback') === true;
  stack.disableRollback = disableRollback;
  const imported = new Map(
    changeSet.changes.flatMap(({ logicalId, imported: id }) =>
      id === undefined ? [] : [[logicalId, id] as const],
    ),
  );
  const { definition } = changeSet;
  if (isNew && changeSet.type !== 'IMPORT') {
    const onFailure = onFailureOf(disableRollback ? 'DO_NOTHING' : changeSet.onStackFailure);
    await engine.create(stack, definition, { onFailure, imported, changeSet });
  } else {
    const verb = changeSet.type === 'IMPORT' ? 'IMPORT' : 'UPDATE';
    await engine.update(stack, definition, { disableRollback, imported, changeSet, verb });
  }
}

export function onFailureOf(given: string | undefined): OnFailure {
  return given === 'DO_NOTHING' || given === 'DELETE' ? given : 'ROLLBACK';
}

/** Deleting one that isn't there is no failure: the command line does it before it makes its own. */
export function deleteChangeSet(place: Place, input: Properties, engine: Engine): void {
  const stackName = textAt(input, 'StackName');
  if (stackName !== undefined) engine.stacks.live(place, stackName);
  for (const stack of engine.stacks.in(place)) {
    if (stackName !== undefined && stack.id !== stackName && stack.name !== stackName) continue;
    for (const { name, id, executionStatus } of stack.changeSets.values()) {
      const nameOrId = input['ChangeSetName'];
      if (id !== nameOrId && name !== nameOrId) continue;
      if (executionStatus === 'EXECUTE_IN_PROGRESS') {
        throw new Refusal(
          'InvalidChangeSetStatus',
          `ChangeSet [${id}] is in EXECUTE_IN_PROGRESS state and cannot be deleted.`,
        );
      }
      stack.changeSets.delete(name);
    }
  }
}
