import { afterEach, expect, test } from 'vitest';
import { TaskReporter } from './task-reporter.ts';
import type { HomeState, TaskReport } from './types.ts';

const epoch = { counter: 1, id: 'aaaaaaaa' };
const log = { info() {}, warn() {}, error() {} };

let reporter: TaskReporter | null = null;
afterEach(() => reporter?.stop());

function makeReporter(intervalMs: number) {
  const state = {
    home: { at: 'here', epoch } as HomeState,
    watermark: 1n,
    failing: false,
    sent: [] as string[],
  };
  const take = async (name: string): Promise<void> => {
    if (state.failing) throw new Error('home does not answer');
    state.sent.push(name);
  };
  const position = (): TaskReport => ({
    taskId: 'task_1',
    region: 'eu-west-1',
    slot: null,
    epoch,
    watermark: state.watermark,
    appliedXids: [],
    stalenessMs: 0,
    cutOffAfterMs: null,
  });
  reporter = new TaskReporter({
    taskId: 'task_1',
    position,
    home: { current: () => state.home },
    status: {
      report: (report) => take(`status ${report.watermark}`),
      register: async (report) => {
        await take(`status first ${report.watermark}`);
        return { epoch, xid: 7n };
      },
      stopped: (taskId) => take(`status stopped ${taskId}`),
      progress: async () => [],
      wait: async () => [],
    },
    peers: {
      report: (region, report) => take(`${region} ${report.watermark}`),
      register: async (region, report) => {
        await take(`${region} first ${report.watermark}`);
        return { epoch, xid: 8n };
      },
      stopped: (region, taskId) => take(`${region} stopped ${taskId}`),
    },
    log,
    intervalMs,
    gapMs: 1,
  });
  return { reporter, state };
}

test('reports regularly, to its own database at home and to the home region elsewhere', async () => {
  const { reporter: one, state } = makeReporter(5);
  one.start();
  await expect.poll(() => state.sent.length).toBeGreaterThan(2);
  state.home = { at: 'elsewhere', epoch, region: 'us-east-1' };
  await expect.poll(() => state.sent.at(-1)).toBe('us-east-1 1');
  expect(state.sent[0]).toBe('status 1');
});

test('a kick reports at once, and one during a report is not lost', async () => {
  const { reporter: one, state } = makeReporter(3_600_000);
  one.start();
  await expect.poll(() => state.sent).toEqual(['status 1']);
  state.watermark = 2n;
  one.kick();
  await expect.poll(() => state.sent).toEqual(['status 1', 'status 2']);
  state.watermark = 3n;
  one.kick();
  one.kick();
  await expect.poll(() => state.sent.at(-1)).toBe('status 3');
  expect(one.counters.reports).toBe(state.sent.length);
});

test('a home that does not answer is tried again', async () => {
  const { reporter: one, state } = makeReporter(5);
  state.failing = true;
  one.start();
  await expect.poll(() => one.counters.failures).toBeGreaterThan(1);
  state.failing = false;
  await expect.poll(() => state.sent.length).toBeGreaterThan(0);
});

test('without a home there is nobody to tell', async () => {
  const { reporter: one, state } = makeReporter(5);
  state.home = { at: 'unknown', reason: 'lost' };
  expect(await one.report()).toBe(false);
  expect(state.sent).toEqual([]);
});

test('the first report brings back what has to be applied before the task serves', async () => {
  const { reporter: one, state } = makeReporter(5);
  expect(await one.register()).toEqual({ epoch, xid: 7n });
  state.home = { at: 'elsewhere', epoch, region: 'us-east-1' };
  expect(await one.register()).toEqual({ epoch, xid: 8n });
  expect(state.sent).toEqual(['status first 1', 'us-east-1 first 1']);
  state.home = { at: 'unknown', reason: 'lost' };
  expect(await one.register()).toBeNull();
  state.home = { at: 'here', epoch };
  state.failing = true;
  await expect(one.register()).rejects.toThrow('home does not answer');
});

test('stopping says so, and a home that cannot be told does not hold it up', async () => {
  const { reporter: one, state } = makeReporter(5);
  one.start();
  await one.stop();
  expect(state.sent.at(-1)).toBe('status stopped task_1');
  const { reporter: other, state: lost } = makeReporter(5);
  lost.failing = true;
  await other.stop();
  expect(lost.sent).toEqual([]);
});
