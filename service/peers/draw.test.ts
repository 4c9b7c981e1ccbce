import { expect, test } from 'vitest';
import { Problem } from '../domain/problem.ts';
import { problemText } from '../http/answers.ts';
import type { Draw, Settlement } from '../verify/ports.ts';
import { drawAt, settleAt } from './draw.ts';
import { readDraw, readSettlements, writeDrawn, writeSettled } from './draw-wire.ts';
import type { LedgerPeer } from './ledger-peer.ts';
import { AnswerLost, type Incoming, NotSent } from './transport.ts';

const EPOCH = { counter: 4, id: 'abcd1234' };
const DRAW: Draw = {
  id: 'draw-1',
  accountId: 'credits_1',
  holder: 'task_1',
  cost: 1,
  wanted: 9,
  epoch: EPOCH,
};
const DRAWN = { spent: true, leased: 9, free: Number.MAX_SAFE_INTEGER, generation: 3, epoch: EPOCH };
const SETTLEMENT: Settlement = {
  id: 'draw-1',
  accountId: 'credits_1',
  generation: 3,
  epoch: EPOCH,
  spent: 4,
  closed: false,
};

const answer = (status: number, body: string): Incoming => ({ status, headers: {}, body });
const refused = (problem: Problem): Incoming => answer(problem.status, problemText(problem, 'req_1'));

function peerThat(send: () => Incoming) {
  const sent: [name: string, body: string][] = [];
  const peer: LedgerPeer = {
    region: 'eu-west-1',
    draws: false,
    ask: async (name, body) => {
      sent.push([name, body]);
      return await Promise.resolve(send());
    },
  };
  return { peer, sent };
}

function failing(error: Error): () => Incoming {
  return () => {
    throw error;
  };
}

test('a draw and its answer arrive exactly, sent once; and it is heard that home draws', async () => {
  const { peer, sent } = peerThat(() => answer(200, writeDrawn(DRAWN)));
  let heard = 0;
  expect(await drawAt(peer, DRAW, () => (heard += 1))).toEqual(DRAWN);
  expect(sent.map(([name, body]) => [name, readDraw(body)])).toEqual([['draw', DRAW]]);
  expect(heard).toBe(1);
});

test('settlements and what home recalls arrive exactly, sent once', async () => {
  const { peer, sent } = peerThat(() => answer(200, writeSettled({ recalled: ['draw-1'] })));
  expect(await settleAt(peer, [SETTLEMENT])).toEqual({ recalled: ['draw-1'] });
  expect(sent.map(([name, body]) => [name, readSettlements(body)])).toEqual([['settle', [SETTLEMENT]]]);
});

const MAYBE = [/credits may have been taken\.$/, /it may have been settled\.$/] as const;
const NONE = [/no credits were taken\.$/, /nothing was settled\.$/] as const;
const OWN = [/^The reason\.$/, /^The reason\.$/] as const;

test.each<[what: string, send: () => Incoming, says: readonly [RegExp, RegExp]]>([
  ['a lost answer', failing(new AnswerLost('gone')), MAYBE],
  ['an answer that can’t be read', () => answer(200, '{"spent":"yes"}'), MAYBE],
  ['a fault at home', () => refused(new Problem('internal_error', 'A fault.')), MAYBE],
  ['no connection', failing(new NotSent('refused')), NONE],
  ['no such peer', failing(new Problem('no_home', 'no peer')), NONE],
  ['a body that home doesn’t read', () => refused(new Problem('invalid_input', 'Bad.')), NONE],
  ['a load balancer that knows no such path', () => answer(404, '<html>'), NONE],
  ['a home that is about to stop', () => refused(new Problem('shutting_down', 'Bye.')), NONE],
  ['a refusal of home', () => refused(new Problem('credits_unavailable', 'The reason.')), OWN],
])('after %s asking again is right, and the detail says what became of it', async (_what, send, says) => {
  const { peer, sent } = peerThat(send);
  const refusal = (message: RegExp) => ({
    code: 'credits_unavailable',
    status: 503,
    retryAfterS: 1,
    message: expect.stringMatching(message),
  });
  const notHeard = (): never => expect.unreachable('no draw was answered');
  await expect(drawAt(peer, DRAW, notHeard)).rejects.toMatchObject(refusal(says[0]));
  await expect(settleAt(peer, [SETTLEMENT])).rejects.toMatchObject(refusal(says[1]));
  expect(sent.map(([name]) => name)).toEqual(['draw', 'settle']);
});

test('a fault of ours is passed on as it is', async () => {
  const fault = new TypeError('a fault');
  await expect(settleAt(peerThat(failing(fault)).peer, [SETTLEMENT])).rejects.toBe(fault);
});
