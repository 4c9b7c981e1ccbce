import { isDeepStrictEqual } from 'node:util';
import { deleteResources, sentenceOf } from './deletion.ts';
import { release } from './imports.ts';
import type { Next } from './order.ts';
import type { Provisioner } from './provision.ts';
import type { Stack, StackResource, Undo } from './stack.ts';
import type { DeletionPolicy } from './template.ts';

export interface RollbackOptions {
  readonly provisioner: Provisioner;
  readonly next: Next;
  /** What is new goes, even where it is to be retained otherwise. */
  readonly retainExceptOnCreate: boolean;
}

/**
 * Deletes what a creation that failed has made, and lets go what it has imported. `Retain` keeps even what is new, `RetainExceptOnCreate`
 * doesn't.
 * "DeletionPolicy attribute" (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html).
 */
export async function rollBackCreation(
  stack: Stack,
  reason: string | undefined,
  options: RollbackOptions,
): Promise<void> {
  stack.begin('ROLLBACK_IN_PROGRESS', reason);
  for (const { kind, entry } of stack.undo)
    if (kind === 'imported') release(stack, entry, options.provisioner);
  const failed = await deleteResources(stack, [...stack.resources.values()], options.provisioner, {
    next: options.next,
    policyOf: (entry) => policyForNew(entry, options),
    gone: ({ logicalId }) => stack.resources.delete(logicalId),
  });
  stack.undo = [];
  if (failed.length === 0) stack.become('ROLLBACK_COMPLETE');
  else stack.become('ROLLBACK_FAILED', `The following resource(s) failed to delete: [${idsOf(failed)}]. `);
}

/**
 * Brings back the properties that resources had before an update that failed, lets go what it has imported, then deletes what it had made.
 * "Continue rolling back an update" (…/UserGuide/using-cfn-updating-stacks-continueupdaterollback.html).
 *
 * @param skip logical ids to leave as they are
 */
export async function rollBackUpdate(
  stack: Stack,
  reason: string | undefined,
  {
    skip = new Set(),
    verb = 'UPDATE',
    ...options
  }: RollbackOptions & { readonly skip?: ReadonlySet<string>; readonly verb?: 'IMPORT' | 'UPDATE' },
): Promise<void> {
  stack.begin(`${verb}_ROLLBACK_IN_PROGRESS`, reason);
  const failed: StackResource[] = [];
  const left: Undo[] = [];
  const news: StackResource[] = [];
  for (const step of stack.undo.toReversed()) {
    const done = await undo(stack, step, { ...options, skip, news });
    if (!done) {
      failed.push(step.entry);
      left.unshift(step);
    }
  }
  if (failed.length > 0) {
    // What is new is tried again with the rest.
    stack.undo = [...stack.undo.filter(({ entry }) => news.includes(entry)), ...left];
    stack.become(
      `${verb}_ROLLBACK_FAILED`,
      `The following resource(s) failed to update: [${idsOf(failed)}]. `,
    );
    return;
  }
  stack.undo = [];
  stack.definition = stack.stable;
  for (const entry of stack.resources.values()) {
    if (entry.physicalId === '') stack.resources.delete(entry.logicalId);
    else if (entry.status.endsWith('_FAILED')) stack.mark(entry, 'UPDATE_COMPLETE');
  }
  // An import makes nothing that would have to be deleted.
  if (verb === 'UPDATE') stack.become('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
  for (const entry of news)
    if (stack.resources.get(entry.logicalId) === entry) stack.resources.delete(entry.logicalId);
  await deleteResources(stack, news, options.provisioner, {
    next: options.next,
    policyOf: (entry) => policyForNew(entry, options),
    gone: () => undefined,
  });
  stack.become(`${verb}_ROLLBACK_COMPLETE`);
}

/** @returns false where the old properties can't be brought back */
async function undo(
  stack: Stack,
  step: Undo,
  {
    provisioner,
    skip,
    news,
  }: RollbackOptions & { readonly skip: ReadonlySet<string>; readonly news: StackResource[] },
): Promise<boolean> {
  const { entry } = step;
  if (step.kind === 'created') {
    if (!news.includes(entry)) news.push(entry);
    return true;
  }
  if (step.kind === 'imported') {
    release(stack, entry, provisioner);
    return true;
  }
  if (step.kind === 'replaced') {
    stack.resources.set(step.old.logicalId, step.old);
    stack.superseded = stack.superseded.filter((one) => one !== step.old);
    stack.mark(step.old, 'UPDATE_COMPLETE');
    news.push(entry);
    return true;
  }
  if (skip.has(entry.logicalId)) {
    stack.mark(entry, 'UPDATE_COMPLETE', 'Resource skipped during UpdateRollback');
    return true;
  }
  stack.mark(entry, 'UPDATE_IN_PROGRESS');
  await provisioner.world.step();
  try {
    if (!isDeepStrictEqual(entry.properties, step.before.properties)) {
      provisioner.update(stack, entry, step.before.properties);
      await provisioner.stabilize(stack, entry);
    }
  } catch (error) {
    stack.mark(entry, 'UPDATE_FAILED', sentenceOf(error));
    return false;
  }
  Object.assign(entry, { ...step.before, status: entry.status });
  stack.mark(entry, 'UPDATE_COMPLETE');
  return true;
}

function policyForNew(
  { deletionPolicy }: StackResource,
  { retainExceptOnCreate }: RollbackOptions,
): DeletionPolicy {
  const deletes =
    deletionPolicy === 'RetainExceptOnCreate' || (retainExceptOnCreate && deletionPolicy === 'Retain');
  // A resource that failed to come into use has nothing that would be worth a snapshot.
  return deletes || deletionPolicy === 'Snapshot' ? 'Delete' : deletionPolicy;
}

function idsOf(entries: readonly StackResource[]): string {
  return entries.map(({ logicalId }) => logicalId).join(', ');
}
