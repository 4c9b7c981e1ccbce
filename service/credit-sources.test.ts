import { expect, test } from 'vitest';
import { ledgerOf } from './credit-sources.ts';
import type { HomeState } from './home/types.ts';

const EPOCH = { counter: 1, id: 'abcd1234' };

function setUp(state: HomeState, withPeers = true) {
  const asked: unknown[] = [];
  const answer = (where: string) => {
    asked.push(where);
    return Promise.resolve({ spent: true, free: 1, generation: 1 });
  };
  const here = { spend: () => answer('here') };
  const peers = { spend: (region: string) => answer(region) };
  return { asked, ledger: ledgerOf(() => state, here, withPeers ? peers : null) };
}

test('the ledger is asked where home is', async () => {
  const here = setUp({ at: 'here', epoch: EPOCH });
  await here.ledger.spend('ca_1', 1);
  const elsewhere = setUp({ at: 'elsewhere', epoch: EPOCH, region: 'eu-west-1' });
  await elsewhere.ledger.spend('ca_1', 1);
  expect([here.asked, elsewhere.asked]).toEqual([['here'], ['eu-west-1']]);
});

test.each<[what: string, state: HomeState, withPeers: boolean]>([
  ['no home is known', { at: 'unknown', reason: 'nobody answers' }, true],
  ['a peer asks what isn’t the home', { at: 'elsewhere', epoch: EPOCH, region: 'eu-west-1' }, false],
])('where %s, no credits are taken', async (_what, state, withPeers) => {
  const { asked, ledger } = setUp(state, withPeers);
  await expect(ledger.spend('ca_1', 1)).rejects.toMatchObject({
    code: 'credits_unavailable',
    retryAfterS: 1,
  });
  expect(asked).toEqual([]);
});
