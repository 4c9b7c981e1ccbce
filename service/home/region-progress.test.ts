import { expect, test } from 'vitest';
import { isEnough, regionState, type KnownTask } from './region-progress.ts';
import type { TaskReport } from './types.ts';

const epoch = { counter: 2, id: 'bbbbbbbb' };
const later = { counter: 3, id: 'cccccccc' };
const facts = { revision: { epoch, xid: 100n }, survived: false, knownForMs: 60_000 };
const SILENT_MS = 3000;

function task(change: Partial<TaskReport> = {}, known: Partial<Omit<KnownTask, 'report'>> = {}): KnownTask {
  const report: TaskReport = {
    taskId: 'task_1',
    region: 'eu-west-1',
    slot: null,
    epoch,
    watermark: 100n,
    appliedXids: [],
    stalenessMs: 50,
    cutOffAfterMs: null,
    ...change,
  };
  return { report, ageMs: 100, stopped: false, ...known };
}

const applied = task({ watermark: 101n });

function stateOf(...tasks: readonly KnownTask[]): string {
  return regionState(tasks, facts, SILENT_MS).state;
}

test('a revision is applied below the watermark, and from it on where its transaction is listed', () => {
  expect(stateOf(task({ watermark: 100n }))).toBe('pending');
  expect(stateOf(task({ watermark: 101n }))).toBe('applied');
  expect(stateOf(task({ watermark: 90n, appliedXids: [95n, 100n] }))).toBe('applied');
});

test('every task of a region counts', () => {
  expect(stateOf(applied, task())).toBe('pending');
  expect(stateOf(applied, task({}, { ageMs: 5000 }))).toBe('unknown');
});

test('a region of which no task is known to run is unknown, never applied', () => {
  expect(stateOf()).toBe('unknown');
  expect(stateOf(task({ watermark: 101n }, { stopped: true }))).toBe('unknown');
});

test('a silent task is unknown for however long, unless it has applied the revision before', () => {
  expect(stateOf(task({}, { ageMs: 3_600_000 }))).toBe('unknown');
  expect(stateOf(task({ watermark: 101n }, { ageMs: 3_600_000 }))).toBe('applied');
});

test('a task that has stopped is not waited for', () => {
  expect(stateOf(applied, task({}, { stopped: true, ageMs: 9000 }))).toBe('applied');
});

test('a task that has cut itself off serves nobody', () => {
  expect(stateOf(task({ cutOffAfterMs: 5000 }, { ageMs: 4000 }))).toBe('unknown');
  expect(stateOf(task({ cutOffAfterMs: 5000 }, { ageMs: 5001 }))).toBe('applied');
  expect(stateOf(task({ cutOffAfterMs: 1000 }, { ageMs: 500 }))).toBe('pending');
});

test('a silent task whose feed may go on is waited for until the revision itself is older than its limit', () => {
  const silent = task({ cutOffAfterMs: 5000 }, { ageMs: 60_000 });
  expect(regionState([silent], { ...facts, knownForMs: 4000 }, SILENT_MS).state).toBe('unknown');
  expect(regionState([silent], { ...facts, knownForMs: 5001 }, SILENT_MS).state).toBe('applied');
});

test('a later epoch has applied a revision that survived; one that did not is unknown', () => {
  const moved = task({ epoch: later, watermark: 5000n });
  expect(regionState([moved], { ...facts, survived: true }, SILENT_MS).state).toBe('applied');
  expect(regionState([moved], { ...facts, survived: false }, SILENT_MS).state).toBe('unknown');
});

test('a task of a former epoch has not applied a revision, whatever its numbers say', () => {
  expect(stateOf(task({ epoch: { counter: 1, id: 'aaaaaaaa' }, watermark: 9999n }))).toBe('pending');
  expect(stateOf(task({ epoch: { counter: 2, id: 'aaaaaaaa' }, watermark: 9999n }))).toBe('pending');
});

test('waiting for another region means one that is not our own, where there is one', () => {
  const own = { region: 'us-east-1', state: 'applied', afterMs: 0 } as const;
  const other = { region: 'eu-west-1', state: 'pending' } as const;
  const done = { region: 'ap-southeast-1', state: 'applied', afterMs: 9 } as const;
  expect(isEnough([own, other], 'another', 'us-east-1')).toBe(false);
  expect(isEnough([own, other, done], 'another', 'us-east-1')).toBe(true);
  expect(isEnough([own], 'another', 'us-east-1')).toBe(true);
  expect(isEnough([own, other, done], 'all', 'us-east-1')).toBe(false);
  expect(isEnough([own, done], 'all', 'us-east-1')).toBe(true);
});
