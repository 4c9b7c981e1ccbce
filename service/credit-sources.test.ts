import { expect, test } from 'vitest';
import { ledgerOf } from './credit-sources.ts';
import type { HomeState } from './home/types.ts';
import type { Peers } from './peers/types.ts';
import type { CreditLedger, Draw, Drawn, Settlement } from './verify/ports.ts';

const EPOCH = { counter: 1, id: 'abcd1234' };
const DRAW: Draw = {
  id: 'draw-1',
  accountId: 'credits_1',
  holder: 'task_1',
  cost: 1,
  wanted: 10,
  epoch: EPOCH,
};
const DRAWN: Drawn = { spent: true, leased: 5, free: 94, generation: 1, epoch: EPOCH };
const SETTLEMENTS: readonly Settlement[] = [
  { id: 'draw-1', accountId: 'credits_1', generation: 1, epoch: EPOCH, spent: 3, closed: true },
];
const SETTLED = { recalled: ['draw-1'] };
const HERE: HomeState = { at: 'here', epoch: EPOCH };
const ELSEWHERE: HomeState = { at: 'elsewhere', epoch: EPOCH, region: 'eu-west-1' };

function setUp(first: HomeState, withPeers = true) {
  const asked: unknown[] = [];
  const at = { state: first };
  const here: CreditLedger = {
    draw: (draw) => {
      asked.push(['here', draw]);
      return Promise.resolve(DRAWN);
    },
    settle: (settlements) => {
      asked.push(['here', settlements]);
      return Promise.resolve(SETTLED);
    },
  };
  const peers: Pick<Peers, 'draw' | 'settle'> = {
    draw: (region, draw) => {
      asked.push([region, draw]);
      return Promise.resolve(DRAWN);
    },
    settle: (region, settlements) => {
      asked.push([region, settlements]);
      return Promise.resolve(SETTLED);
    },
  };
  return { asked, at, ledger: ledgerOf(() => at.state, here, withPeers ? peers : null) };
}

test('the ledger is asked where home is at that moment', async () => {
  const { asked, at, ledger } = setUp(HERE);
  expect(await ledger.draw(DRAW)).toBe(DRAWN);
  expect(await ledger.settle(SETTLEMENTS)).toBe(SETTLED);
  at.state = ELSEWHERE;
  expect(await ledger.draw(DRAW)).toBe(DRAWN);
  expect(await ledger.settle(SETTLEMENTS)).toBe(SETTLED);
  expect(asked).toEqual([
    ['here', DRAW],
    ['here', SETTLEMENTS],
    ['eu-west-1', DRAW],
    ['eu-west-1', SETTLEMENTS],
  ]);
});

test.each<[what: string, state: HomeState, withPeers: boolean]>([
  ['no home is known', { at: 'unknown', reason: 'nobody answers' }, true],
  ['a peer asks what isn’t the home', ELSEWHERE, false],
])('where %s, nothing is drawn and nothing settled', async (_what, state, withPeers) => {
  const { asked, ledger } = setUp(state, withPeers);
  const refusal = { code: 'credits_unavailable', status: 503, retryAfterS: 1 };
  await expect(ledger.draw(DRAW)).rejects.toMatchObject(refusal);
  await expect(ledger.settle(SETTLEMENTS)).rejects.toMatchObject(refusal);
  expect(asked).toEqual([]);
});
