import { expect, test } from 'vitest';
import { Problem } from '../domain/problem.ts';
import { problemText } from '../http/answers.ts';
import { createPeerEndpoint } from './endpoint.ts';
import { spendAt } from './spend.ts';
import { readSpend, readSpending, writeSpend, writeSpending } from './spend-wire.ts';
import { AnswerLost, type Incoming, NotSent } from './transport.ts';

const SPENDING = { spent: true, free: 9_007_199_254_740_991, generation: 3 };
const answer = (status: number, body: string): Incoming => ({ status, headers: {}, body });

async function detailOf(send: () => Promise<Incoming>): Promise<unknown> {
  const error = await spendAt('eu-west-1', send).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'credits_unavailable', status: 503, retryAfterS: 1 });
  return error instanceof Problem ? error.message : '';
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
  'after %s the detail says that the credits may have been taken; nothing is sent twice',
  async (_what, send) => {
    let sent = 0;
    const counted = async () => {
      sent += 1;
      return await send();
    };
    expect(await detailOf(counted)).toMatch(/may have been taken: .*\.$/);
    expect(sent).toBe(1);
  },
);

test.each<[what: string, send: () => Promise<Incoming>]>([
  ['no connection', () => Promise.reject(new NotSent('refused'))],
  ['no such peer', () => Promise.reject(new Problem('no_home', 'no peer'))],
  ['a refused signature', () => Promise.resolve(answer(404, '{}'))],
])('after %s it says that none were', async (_what, send) => {
  expect(await detailOf(send)).toMatch(/no credits were taken\.$/);
});

test('what home itself says of a refusal is passed on', async () => {
  const body = problemText(new Problem('credits_unavailable', 'The reason.'), 'req_1');
  expect(await detailOf(() => Promise.resolve(answer(503, body)))).toBe('The reason.');
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
