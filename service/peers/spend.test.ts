import { expect, test } from 'vitest';
import { Problem } from '../domain/problem.ts';
import { problemText } from '../http/answers.ts';
import { createPeerEndpoint } from './endpoint.ts';
import { spendAt } from './spend.ts';
import { readSpend, readSpending, writeSpend, writeSpending } from './spend-wire.ts';
import { AnswerLost, type Incoming, NotSent } from './transport.ts';

const SPENDING = { spent: true, free: 9_007_199_254_740_991, generation: 3 };
const answer = (status: number, body: string): Incoming => ({ status, headers: {}, body });

async function refusalOf(send: () => Promise<Incoming>): Promise<unknown> {
  return await spendAt('eu-west-1', send).catch((thrown: unknown) => thrown);
}

test('what was taken comes back exactly, sent once', async () => {
  let sent = 0;
  const send = () => {
    sent += 1;
    return Promise.resolve(answer(200, writeSpending(SPENDING)));
  };
  expect(await spendAt('eu-west-1', send)).toEqual(SPENDING);
  expect(sent).toBe(1);
});

test.each<[what: string, send: () => Promise<Incoming>]>([
  ['a lost answer', () => Promise.reject(new AnswerLost('gone'))],
  ['an answer that can’t be read', () => Promise.resolve(answer(200, '{"spent":"yes"}'))],
  ['a fault at home', () => Promise.resolve(answer(500, '{}'))],
])(
  'after %s the outcome is unknown, and the detail says so; nothing is sent twice, and nobody is told to',
  async (_what, send) => {
    let sent = 0;
    const counted = async () => {
      sent += 1;
      return await send();
    };
    expect(await refusalOf(counted)).toMatchObject({
      code: 'outcome_unknown',
      status: 504,
      retryAfterS: undefined,
      message: expect.stringMatching(/may have been taken: .*\.$/),
    });
    expect(sent).toBe(1);
  },
);

test.each<[what: string, send: () => Promise<Incoming>]>([
  ['no connection', () => Promise.reject(new NotSent('refused'))],
  ['no such peer', () => Promise.reject(new Problem('no_home', 'no peer'))],
  ['a refused signature', () => Promise.resolve(answer(404, '{}'))],
  ['a home that is about to stop', () => Promise.resolve(answer(503, '{}'))],
])('after %s none were taken, and trying again is right', async (_what, send) => {
  expect(await refusalOf(send)).toMatchObject({
    code: 'credits_unavailable',
    status: 503,
    retryAfterS: 1,
    message: expect.stringMatching(/no credits were taken\.$/),
  });
});

test.each([
  ['credits_unavailable', 1],
  ['outcome_unknown', undefined],
] as const)('what home itself says of a refusal is passed on: %s', async (code, retryAfterS) => {
  const problem = new Problem(code, 'The reason.');
  const send = () => Promise.resolve(answer(problem.status, problemText(problem, 'req_1')));
  expect(await refusalOf(send)).toMatchObject({ code, retryAfterS, message: 'The reason.' });
});

test('home’s side takes the credits that were asked for, and checks what it reads', async () => {
  const asked: unknown[] = [];
  const unasked = () => Promise.reject(new Error('not asked in this test'));
  const source = { readRecords: unasked, readShared: unasked };
  const endpoint = createPeerEndpoint({
    state: () => ({ region: 'eu-west-1', taskId: 'task_1', epoch: null, homeRegion: null }),
    taskStatus: { register: unasked, report: unasked, stopped: unasked },
    records: { home: source, reader: source },
    ledger: {
      spend: (accountId, cost) => {
        asked.push([accountId, cost]);
        return Promise.resolve(SPENDING);
      },
    },
  });
  const answered = await endpoint.answer('spend', writeSpend({ accountId: 'ca_1', cost: 5 }));
  expect(readSpending(answered ?? '')).toEqual(SPENDING);
  expect(asked).toEqual([['ca_1', 5]]);
  for (const body of ['{}', '{"accountId":"ca_1","cost":0}', '{"accountId":"ca_1","cost":-5}', 'kh_secret']) {
    await expect(endpoint.answer('spend', body)).rejects.toMatchObject({ code: 'invalid_input' });
  }
  expect(asked).toHaveLength(1);
  expect(readSpend('{"accountId":"ca_1","cost":5,"more":1}')).toEqual({ accountId: 'ca_1', cost: 5 });
});
