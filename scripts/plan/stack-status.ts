/** What a stack's status means for a deployment. */
export interface StackState {
  /**
   * `steady`: it can be updated. `absent`: the next deployment makes it. `busy`: something is changing it. `stuck`: it has to be mended
   * first.
   */
  readonly kind: 'steady' | 'absent' | 'busy' | 'stuck';
  /** What there is to know or do; null where nothing. */
  readonly advice: string | null;
}

const STEADY: ReadonlySet<string> = new Set([
  'CREATE_COMPLETE',
  'UPDATE_COMPLETE',
  'IMPORT_COMPLETE',
  'IMPORT_ROLLBACK_COMPLETE',
]);

/**
 * Of what CloudFormation says of a stack.
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html (stack status codes)
 */
export function stateOf(stack: string, status: string): StackState {
  if (STEADY.has(status)) return { kind: 'steady', advice: null };
  if (status === 'UPDATE_ROLLBACK_COMPLETE')
    return { kind: 'steady', advice: 'its last update failed and was rolled back' };
  if (status === 'DELETE_COMPLETE') return { kind: 'absent', advice: null };
  if (status === 'REVIEW_IN_PROGRESS')
    return { kind: 'absent', advice: 'only a change set is there, which was never carried out' };
  if (status === 'ROLLBACK_COMPLETE' || status === 'CREATE_FAILED')
    return {
      kind: 'absent',
      advice: 'its first deployment failed; the CDK deletes what is left of it and starts again',
    };
  if (status.endsWith('_IN_PROGRESS'))
    return { kind: 'busy', advice: 'something is changing it: wait until that has ended, and plan again' };
  return { kind: 'stuck', advice: mendingOf(stack, status) };
}

function mendingOf(stack: string, status: string): string {
  if (status === 'DELETE_FAILED')
    return 'its deletion failed: its events in CloudFormation say why; delete it again once that is mended';
  if (status === 'UPDATE_ROLLBACK_FAILED' || status === 'UPDATE_FAILED' || status === 'ROLLBACK_FAILED')
    return `its update failed and wasn’t rolled back: mend what its events in CloudFormation name, then \`npx cdk rollback ${stack}\``;
  return 'CloudFormation has to bring it into order first: its events say why';
}
