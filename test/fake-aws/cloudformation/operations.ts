import { Refusal } from '../refusal.ts';
import { textAt, textsAt, type Place, type Properties } from '../values.ts';
import { definitionIn, onFailureOf } from './change-sets.ts';
import { checkUpdatable, type Engine } from './engine.ts';
import { flag, newName, required } from './input.ts';
import { planOf } from './planning.ts';

/**
 * Operations on stacks that go without a change set, as calls ask for them. Each answers with the stack's id, and throws a `Refusal`
 * where the call isn't in order; what goes wrong later shows in the stack.
 * "CreateStack" and its like (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html).
 */
export async function createStack(place: Place, input: Properties, engine: Engine): Promise<string> {
  const name = newName(input, 'StackName');
  const existing = engine.stacks.find(place, name);
  if (existing !== undefined) throw new Refusal('AlreadyExistsException', `Stack [${name}] already exists`);
  const stack = engine.stacks.draft(place, name);
  const definition = definitionIn(input, stack, engine);
  engine.stacks.keep(stack);
  stack.terminationProtection = flag(input, 'EnableTerminationProtection') === true;
  stack.disableRollback = flag(input, 'DisableRollback') === true;
  stack.capabilities = textsAt(input, 'Capabilities');
  stack.notificationArns = textsAt(input, 'NotificationARNs');
  stack.roleArn = textAt(input, 'RoleARN');
  const onFailure = onFailureOf(stack.disableRollback ? 'DO_NOTHING' : textAt(input, 'OnFailure'));
  await engine.create(stack, definition, { onFailure });
  return stack.id;
}

export async function updateStack(place: Place, input: Properties, engine: Engine): Promise<string> {
  const stack = engine.stacks.live(place, required(input, 'StackName'));
  checkUpdatable(stack);
  const definition = definitionIn(input, stack, engine);
  const { isEmpty } = planOf(stack, definition, engine, { imported: new Map(), importsExisting: false });
  if (isEmpty) throw new Refusal('ValidationError', 'No updates are to be performed.');
  stack.capabilities = textsAt(input, 'Capabilities');
  stack.changeSets.clear();
  stack.disableRollback = flag(input, 'DisableRollback') === true;
  await engine.update(stack, definition, { disableRollback: stack.disableRollback });
  return stack.id;
}

export async function deleteStack(place: Place, input: Properties, engine: Engine): Promise<void> {
  const name = required(input, 'StackName');
  const stack = engine.stacks.find(place, name);
  // "If the stack doesn't exist, the call succeeds" holds for a deleted one's id and for a name that nobody has.
  if (stack === undefined || stack.status === 'DELETE_COMPLETE') return;
  if (stack.terminationProtection) {
    throw new Refusal(
      'ValidationError',
      `Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`,
    );
  }
  const retain = new Set(textsAt(input, 'RetainResources'));
  const force = textAt(input, 'DeletionMode') === 'FORCE_DELETE_STACK';
  if ((retain.size > 0 || force) && stack.status !== 'DELETE_FAILED') {
    throw new Refusal(
      'ValidationError',
      `Invalid operation on stack [${stack.id}]. ${force ? 'FORCE_DELETE_STACK' : 'RetainResources'} is only allowed for stacks in DELETE_FAILED state.`,
    );
  }
  if (stack.status.endsWith('_IN_PROGRESS') && !/^(?:CREATE|REVIEW|DELETE)_/u.test(stack.status)) {
    throw new Refusal(
      'ValidationError',
      `Stack [${stack.id}] cannot be deleted while in status ${stack.status}`,
    );
  }
  if (stack.status === 'DELETE_IN_PROGRESS') return;
  await engine.delete(stack, retain, force);
}

export async function rollBackStack(place: Place, input: Properties, engine: Engine): Promise<string> {
  const stack = engine.stacks.live(place, required(input, 'StackName'));
  if (stack.status !== 'CREATE_FAILED' && stack.status !== 'UPDATE_FAILED') {
    throw new Refusal(
      'ValidationError',
      `RollbackStack cannot be called on stack ${stack.name} in state ${stack.status}`,
    );
  }
  await engine.rollBack(stack, flag(input, 'RetainExceptOnCreate') === true);
  return stack.id;
}

export async function continueRollback(place: Place, input: Properties, engine: Engine): Promise<void> {
  const stack = engine.stacks.live(place, required(input, 'StackName'));
  if (stack.status !== 'UPDATE_ROLLBACK_FAILED') {
    throw new Refusal(
      'ValidationError',
      `Stack:${stack.id} is in ${stack.status} state and can not continue rollback.`,
    );
  }
  const failed = [...stack.resources.values()].filter(({ status }) => status === 'UPDATE_FAILED');
  const skip = new Set(textsAt(input, 'ResourcesToSkip'));
  const stranger = [...skip].find((id) => !failed.some(({ logicalId }) => logicalId === id));
  if (stranger !== undefined) {
    throw new Refusal('ValidationError', `ResourcesToSkip: ${stranger} is not in state UPDATE_FAILED`);
  }
  const all =
    flag(input, 'ForceRollback') === true ? new Set(failed.map(({ logicalId }) => logicalId)) : skip;
  await engine.continueRollback(stack, all);
}

export function cancelUpdate(place: Place, input: Properties, engine: Engine): void {
  const stack = engine.stacks.live(place, required(input, 'StackName'));
  if (stack.status !== 'UPDATE_IN_PROGRESS') {
    throw new Refusal('ValidationError', 'CancelUpdateStack cannot be called from current stack status');
  }
  stack.cancelled = true;
}

export function protectStack(place: Place, input: Properties, engine: Engine): string {
  const stack = engine.stacks.live(place, required(input, 'StackName'));
  stack.terminationProtection = flag(input, 'EnableTerminationProtection') === true;
  return stack.id;
}
