import { StackStatus } from '@aws-sdk/client-cloudformation';
import { expect, test } from 'vitest';
import { stateOf } from './stack-status.ts';

test('every status that AWS knows is one that can be updated, one that isn’t there, or comes with what to do', () => {
  const silent = Object.values(StackStatus).filter((status) => stateOf('base', status).advice === null);
  expect(silent.toSorted()).toEqual([
    'CREATE_COMPLETE',
    'DELETE_COMPLETE',
    'IMPORT_COMPLETE',
    'IMPORT_ROLLBACK_COMPLETE',
    'UPDATE_COMPLETE',
  ]);
});

test.each([
  ['UPDATE_ROLLBACK_COMPLETE', 'steady'],
  ['REVIEW_IN_PROGRESS', 'absent'],
  ['ROLLBACK_COMPLETE', 'absent'],
  ['CREATE_FAILED', 'absent'],
  ['UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'busy'],
  ['ROLLBACK_IN_PROGRESS', 'busy'],
  ['UPDATE_ROLLBACK_FAILED', 'stuck'],
  ['DELETE_FAILED', 'stuck'],
  ['IMPORT_ROLLBACK_FAILED', 'stuck'],
])('%s is %s', (status, kind) => {
  expect(stateOf('base', status).kind).toBe(kind);
});

test('an update that wasn’t rolled back names the command that does it', () => {
  expect(stateOf('keyhearth-a', 'UPDATE_ROLLBACK_FAILED').advice).toContain('`npx cdk rollback keyhearth-a`');
});
