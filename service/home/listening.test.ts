import { expect, test } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import type { PeerState } from '../peers/types.ts';
import { Listening } from './listening.ts';

const US = 'us-east-1';
const STATE: PeerState = { region: US, taskId: 'task_2', epoch: null, homeRegion: null };
const epoch = { counter: 1, id: 'aaaaaaaa' };

function makeListening(counted: boolean | null = true) {
  const clock = new FakeClock();
  const warnings: string[] = [];
  const listening = new Listening({
    region: US,
    isCounted: () => counted,
    monotonicMs: () => clock.monotonicMs(),
    log: { info() {}, warn: (_fields, message) => warnings.push(message), error() {} },
  });
  return { clock, listening, warnings };
}

test('it begins when the own region’s URL leads to a task, lasts for some looks, and is over for good', async () => {
  const { clock, listening } = makeListening();
  expect(listening.mustWait(null)).toBe(true);
  clock.advance(30_000);
  expect(listening.mustWait(null)).toBe(true);
  expect(await listening.heed(Promise.resolve(STATE))).toBe(STATE);
  clock.advance(2999);
  expect(listening.mustWait(null)).toBe(true);
  expect(listening.isOver).toBe(false);
  clock.advance(1);
  expect(listening.mustWait(null)).toBe(false);
  expect(listening.isOver).toBe(true);
  expect(listening.mustWait(null)).toBe(false);
});

test('a URL that leads nowhere is no answer, and ends it only after a minute, with a warning', async () => {
  const { clock, listening, warnings } = makeListening();
  expect(listening.mustWait(null)).toBe(true);
  await expect(listening.heed(Promise.reject(new Error('503')))).rejects.toThrow('503');
  clock.advance(59_999);
  expect(listening.mustWait(null)).toBe(true);
  clock.advance(1);
  expect(listening.mustWait(null)).toBe(false);
  expect(warnings).toHaveLength(1);
});

test('a region that nobody can reach before it has a home does not wait for that', () => {
  const { clock, listening } = makeListening(false);
  expect(listening.mustWait(null)).toBe(true);
  clock.advance(3000);
  expect(listening.mustWait(null)).toBe(false);
});

test.each([true, false])(
  'time in which nobody was asked counts for nothing (counted: %s)',
  async (counted) => {
    const { clock, listening } = makeListening(counted);
    await listening.heed(Promise.resolve(STATE));
    clock.advance(70_000);
    expect(listening.mustWait(null)).toBe(true);
    clock.advance(2999);
    expect(listening.mustWait(null)).toBe(true);
    clock.advance(1);
    expect(listening.mustWait(null)).toBe(false);
  },
);

test('a region whose reader has said nothing yet may be one that others reach', () => {
  const { clock, listening } = makeListening(null);
  expect(listening.mustWait(null)).toBe(true);
  clock.advance(59_999);
  expect(listening.mustWait(null)).toBe(true);
});

test('where another task of the region is at home at this moment, there is nothing to wait for', () => {
  const beat = { epoch, region: US, heartbeatAgeMs: 900 };
  expect(makeListening().listening.mustWait({ ...beat, region: 'eu-west-1' })).toBe(true);
  expect(makeListening().listening.mustWait({ ...beat, heartbeatAgeMs: 3001 })).toBe(true);
  expect(makeListening().listening.mustWait(beat)).toBe(false);
});
