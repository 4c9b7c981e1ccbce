import { Refusal } from '../refusal.ts';
import type { Next } from './order.ts';
import type { Provisioner } from './provision.ts';
import type { Stack, StackResource } from './stack.ts';
import type { DeletionPolicy } from './template.ts';

export interface DeletionOptions {
  readonly next: Next;
  /** What to do with each. */
  readonly policyOf: (entry: StackResource) => DeletionPolicy;
  /** Called for each that the stack doesn't own any more. */
  readonly gone: (entry: StackResource) => void;
}

/**
 * Deletes resources of a stack, each after those that need it; what a refused one needs stays as well.
 * "Delete a stack" (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-delete-stack.html) and "DeletionPolicy
 * attribute" (…/TemplateReference/aws-attribute-deletionpolicy.html).
 *
 * @returns those that AWS refused to delete
 */
export async function deleteResources(
  stack: Stack,
  entries: readonly StackResource[],
  provisioner: Provisioner,
  { next, policyOf, gone }: DeletionOptions,
): Promise<readonly StackResource[]> {
  const left = new Set(entries);
  const failed: StackResource[] = [];
  for (;;) {
    const ready = [...left].filter(
      (entry) =>
        !failed.includes(entry) &&
        ![...left].some((other) => other !== entry && other.dependsOn.has(entry.logicalId)),
    );
    if (ready.length === 0) return failed;
    for (const entry of next(ready)) {
      const sentence = await deleteOne(stack, entry, provisioner, policyOf(entry));
      if (sentence === undefined) {
        left.delete(entry);
        gone(entry);
      } else {
        failed.push(entry);
      }
    }
  }
}

/** @returns why it couldn't be deleted; undefined where it could, or where it is kept as it is wanted */
async function deleteOne(
  stack: Stack,
  entry: StackResource,
  provisioner: Provisioner,
  policy: DeletionPolicy,
): Promise<string | undefined> {
  if (policy === 'Retain' || policy === 'RetainExceptOnCreate') {
    provisioner.retain(entry);
    stack.mark(entry, 'DELETE_SKIPPED');
    return undefined;
  }
  // One that never came to be has nothing to delete.
  if (entry.physicalId === '') return undefined;
  stack.mark(entry, 'DELETE_IN_PROGRESS');
  await provisioner.world.step();
  try {
    provisioner.remove(stack, entry, policy);
  } catch (error) {
    const sentence = sentenceOf(error);
    stack.mark(entry, 'DELETE_FAILED', sentence);
    return sentence;
  }
  stack.mark(entry, 'DELETE_COMPLETE');
  return undefined;
}

/** Why something failed, as CloudFormation puts it into an event. What isn't a refusal is a mistake of this local AWS, told in full. */
export function sentenceOf(error: unknown): string {
  if (error instanceof Refusal) {
    return OWN_CODES.has(error.code)
      ? error.message
      : `Resource handler returned message: "${error.message} (Status Code: ${error.status}, Error Code: ${error.code})" (HandlerErrorCode: ${handlerCode(error.code)})`;
  }
  return `Internal failure of the local AWS: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

/** Of refusals that CloudFormation itself makes. */
const OWN_CODES: ReadonlySet<string> = new Set([
  'AlreadyExists',
  'InvalidRequest',
  'NotStabilized',
  'ValidationError',
]);

/**
 * "Handler error codes" (https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html).
 * Which of them a handler gives for a service's own code is its code's affair; these are guessed from the names.
 */
function handlerCode(code: string): string {
  if (/NotFound|NoSuch|DoesNotExist/u.test(code)) return 'NotFound';
  if (/AlreadyExists|Duplicate|BucketAlreadyOwned/u.test(code)) return 'AlreadyExists';
  if (/LimitExceeded|QuotaExceeded|TooMany/u.test(code)) return 'ServiceLimitExceeded';
  if (/Conflict|InUse|DependencyViolation/u.test(code)) return 'ResourceConflict';
  if (/AccessDenied|Unauthorized/u.test(code)) return 'AccessDenied';
  return /Invalid|Validation|Malformed/u.test(code) ? 'InvalidRequest' : 'GeneralServiceException';
}
