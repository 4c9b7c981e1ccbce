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
  fill(free, 1);
}

function fill(free: number, generation: number): void {
  running.side.source.put({ kind: 'credits', id: 'ca_1', generation, free });
  running.side.ledger.balances.set('ca_1', free);
  running.side.ledger.generation = generation;
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
  expect(running.side.ledger.asked).toEqual([
    ['ca_1', 1],
    ['ca_1', 3],
  ]);
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
  expect(running.side.ledger.asked).toEqual([]);
});

test('a key without an account is unlimited: no credits in the answer, whatever the cost', async () => {
  expect(await verify(1e12)).toMatchObject({ code: 'VALID' });
  expect(await verify()).not.toHaveProperty('credits');
  expect(running.side.ledger.asked).toEqual([]);
});

test('an empty account isn’t asked about again, until its change row is here', async () => {
  givenCredits(1);
  expect(await verify()).toMatchObject({ code: 'VALID', credits: 0 });
  expect(await verify()).toMatchObject({ code: 'USAGE_EXCEEDED', credits: 0 });
  expect(await verify()).toMatchObject({ code: 'USAGE_EXCEEDED' });
  expect(running.side.ledger.asked).toHaveLength(1);
  fill(7, 2);
  expect(await verify()).toMatchObject({ code: 'USAGE_EXCEEDED' });
  running.side.cache.onChanges([{ seq: 1n, xid: 1n, kind: 'credits', id: 'ca_1', hash: null }]);
  expect(await verify()).toMatchObject({ code: 'VALID', credits: 6 });
});

test('answers that come out of order, or from before the account was filled, don’t raise what is known', async () => {
  givenCredits(10);
  await verify();
  const { side } = running;
  const held = side.source.shared.get('credits:ca_1');
  if (held?.kind !== 'credits') throw new Error('no account');
  const answers = [
    { spent: true, free: 5, generation: 1 },
    { spent: true, free: 6, generation: 1 },
    { spent: true, free: 50, generation: 2 },
    { spent: true, free: 4, generation: 1 },
  ];
  const known: number[] = [];
  side.ledger.spend = () => Promise.resolve(answers.shift() ?? { spent: false, free: 0, generation: 0 });
  for (let turn = 0; turn < 4; turn += 1) {
    await side.credits.spend(held, 1);
    known.push(side.credits.balanceOf(held));
  }
  expect(known).toEqual([5, 5, 50, 50]);
});

test.each([
  ['DISABLED', { enabled: false }, {}],
  ['INSUFFICIENT_PERMISSIONS', {}, { permissions: 'docs.read' }],
  ['RATE_LIMITED', {}, { ratelimits: [{ name: 'none', limit: 0, duration: 1000 }] }],
] as const)('%s spends no credits, and says how many there are', async (code, row, more) => {
  givenCredits(3, row);
  expect((await running.verify({ key: KEY, ...more })).data).toMatchObject({ code, credits: 3 });
  expect(running.side.ledger.asked).toEqual([]);
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

test.each<[what: string, failure: Error, status: number, code: string, retryAfter: string | undefined]>([
  [
    'nobody could be asked',
    new Problem('credits_unavailable', 'None were taken.', { retryAfterS: 1 }),
    503,
    'credits_unavailable',
    '1',
  ],
  ['the answer was lost', new Problem('outcome_unknown', 'May be.'), 504, 'outcome_unknown', undefined],
  ['of a fault', new Error('a fault'), 504, 'outcome_unknown', undefined],
])(
  'where %s, a repeat is asked for only if no credits were taken; limits are given back',
  async (_what, failure, status, code, retryAfter) => {
    givenCredits(9, { ratelimits: [CALLS] });
    const { ledger, source, home } = running.side;
    for (const row of source.keys.values()) home.putKey(row);
    home.put({ kind: 'credits', id: 'ca_1', generation: 1, free: 9 });
    for (const headers of [{}, { 'keyhearth-min-revision': '1.abcd1234.77' }]) {
      for (const reaches of [true, false]) {
        running.side.freshness.reaches = reaches;
        ledger.failure = failure;
        const answer = await running.verify({ key: KEY }, headers);
        expect(answer).toMatchObject({
          status,
          error: { type: expect.stringMatching(`availability/${code}$`) },
        });
        expect(answer.headers['retry-after']).toBe(retryAfter);
      }
    }
    ledger.failure = null;
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
