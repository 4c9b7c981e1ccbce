import { afterEach, beforeEach, expect, test } from 'vitest';
import { startVerifyApp, type VerifyApp } from '../../test/http/verify-app.ts';
import { KEY } from '../../test/verify-side.ts';
import { Problem } from '../domain/problem.ts';

let running: VerifyApp;

beforeEach(async () => {
  running = await startVerifyApp();
});

afterEach(async () => await running.app.close());

const CALLS = { id: 'rl_calls', name: 'calls', limit: 100, durationMs: 60_000, autoApply: true };

/** `KEY` has an account with so many credits. */
function givenCredits(free: number, more: Parameters<VerifyApp['given']>[0] = {}): void {
  running.given({ creditAccountId: 'ca_1', ...more });
  fill(free);
}

function fill(free: number): void {
  const generation = running.side.ledger.set('ca_1', free);
  running.side.source.put({ kind: 'credits', id: 'ca_1', generation, free });
}

/** Costs of the draws that were made. */
function drawn(): readonly number[] {
  return running.side.ledger.drawn.map(({ cost }) => cost);
}

async function verify(cost?: number): Promise<object | undefined> {
  const { data, error } = await running.verify({
    key: KEY,
    ...(cost === undefined ? {} : { credits: { cost } }),
  });
  return data ?? error;
}

test('each call takes one credit, or as many as it says, and says what is left', async () => {
  givenCredits(5);
  expect(await verify()).toMatchObject({ valid: true, code: 'VALID', credits: 4 });
  expect(await verify(3)).toMatchObject({ code: 'VALID', credits: 1 });
  expect(drawn()).toEqual([1, 3]);
});

test('USAGE_EXCEEDED takes nothing: what is left still buys something cheaper', async () => {
  givenCredits(2);
  expect(await verify(3)).toMatchObject({ valid: false, code: 'USAGE_EXCEEDED', credits: 2 });
  expect(await verify(2)).toMatchObject({ code: 'VALID', credits: 0 });
  expect(await verify()).toMatchObject({ code: 'USAGE_EXCEEDED', credits: 0 });
});

test('cost 0 passes with nothing left, and nobody is asked', async () => {
  givenCredits(0);
  expect(await verify(0)).toMatchObject({ valid: true, code: 'VALID', credits: 0 });
  expect(drawn()).toEqual([]);
});

test('a key without an account is unlimited: no credits in the answer, whatever the cost', async () => {
  expect(await verify(1e12)).toMatchObject({ code: 'VALID' });
  expect(await verify()).not.toHaveProperty('credits');
  expect(drawn()).toEqual([]);
});

test('an empty account isn’t asked about again, until its change row is here', async () => {
  givenCredits(1);
  expect(await verify()).toMatchObject({ code: 'VALID', credits: 0 });
  for (let turn = 0; turn < 5; turn += 1) {
    expect(await verify()).toMatchObject({ code: 'USAGE_EXCEEDED', credits: 0 });
  }
  expect(drawn()).toEqual([1, 1]);
  fill(7);
  expect(await verify()).toMatchObject({ code: 'USAGE_EXCEEDED' });
  const changes = [{ seq: 1n, xid: 1n, kind: 'credits', id: 'ca_1', hash: null }] as const;
  running.side.cache.onChanges(changes);
  running.side.credits.onChanges(changes);
  expect(await verify()).toMatchObject({ code: 'VALID', credits: 6 });
});

test('with plenty of credits the calls after the first ask nobody, and count down by one', async () => {
  givenCredits(10_000);
  for (let left = 9999; left > 9950; left -= 1) {
    expect(await verify()).toMatchObject({ code: 'VALID', credits: left });
  }
  expect(drawn()).toEqual([1]);
});

test.each([
  ['DISABLED', { enabled: false }, {}],
  ['INSUFFICIENT_PERMISSIONS', {}, { permissions: 'docs.read' }],
  ['RATE_LIMITED', {}, { ratelimits: [{ name: 'none', limit: 0, duration: 1000 }] }],
] as const)('%s spends no credits, and says how many there are', async (code, row, more) => {
  givenCredits(3, row);
  expect((await running.verify({ key: KEY, ...more })).data).toMatchObject({ code, credits: 3 });
  expect(drawn()).toEqual([]);
});

test('USAGE_EXCEEDED gives the rate limits back, asked for or not', async () => {
  givenCredits(1, { ratelimits: [CALLS] });
  expect(await verify(2)).toMatchObject({
    code: 'USAGE_EXCEEDED',
    ratelimits: [{ name: 'calls', remaining: 100, exceeded: false }],
  });
  expect(await verify()).toMatchObject({ code: 'VALID', ratelimits: [{ remaining: 99 }] });
  expect(await verify()).toMatchObject({ code: 'USAGE_EXCEEDED', ratelimits: [{ remaining: 99 }] });
});

test.each([
  [
    'nobody could be asked',
    new Problem('credits_unavailable', 'None were taken.', { retryAfterS: 1 }),
    false,
  ],
  ['the answer was lost', new Problem('credits_unavailable', 'No answer.', { retryAfterS: 1 }), true],
  ['of a fault', new Error('a fault'), false],
])(
  'where %s, no credits stay taken: 503 asks to repeat the call, and limits are given back',
  async (...given) => {
    const [, failure, isDone] = given;
    givenCredits(9, { ratelimits: [CALLS] });
    const { ledger, source, home } = running.side;
    for (const row of source.keys.values()) home.putKey(row);
    home.put({ kind: 'credits', id: 'ca_1', generation: 1, free: 9 });
    ledger.onDraw = async (_draw, run) => {
      if (isDone) await run();
      throw failure;
    };
    for (const headers of [{}, { 'keyhearth-min-revision': '1.abcd1234.77' }]) {
      for (const reaches of [true, false]) {
        running.side.freshness.reaches = reaches;
        const answer = await running.verify({ key: KEY }, headers);
        expect(answer).toMatchObject({
          status: 503,
          error: { type: expect.stringMatching(/availability\/credits_unavailable$/) },
        });
        expect(answer.headers['retry-after']).toBe('1');
      }
    }
    await expect.poll(() => ledger.freeOf('ca_1')).toBe(9);
    expect(await verify(0)).toMatchObject({ code: 'VALID', ratelimits: [{ remaining: 99 }] });
  },
);

test('a key whose account can’t be found is 503, and never passes as unlimited', async () => {
  running.given({ creditAccountId: 'ca_gone', ratelimits: [CALLS] });
  expect(await running.verify()).toMatchObject({ status: 503 });
  expect(await verify(0)).toMatchObject({ code: 'VALID', ratelimits: [{ remaining: 99 }] });
});

test.each([-1, 0.5, 1e12 + 1, '1'])('a cost of %j is 400 and named', async (cost) => {
  givenCredits(9);
  expect(await running.verify({ key: KEY, credits: { cost } })).toMatchObject({
    status: 400,
    error: { errors: [{ location: 'body.credits.cost' }] },
  });
});
