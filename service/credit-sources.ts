import { Problem } from './domain/problem.ts';
import type { HomeState } from './home/types.ts';
import type { PeersClient } from './peers/client.ts';
import type { CreditLedger } from './verify/ports.ts';

/** Home's ledger, asked directly where home is here, through a peer elsewhere (`peers` null: not at all). */
export function ledgerOf(
  home: () => HomeState,
  here: CreditLedger,
  peers: Pick<PeersClient, 'spend'> | null,
): CreditLedger {
  return {
    async spend(accountId, cost) {
      const state = home();
      if (state.at === 'here') return await here.spend(accountId, cost);
      if (state.at === 'elsewhere' && peers !== null) return await peers.spend(state.region, accountId, cost);
      throw new Problem(
        'credits_unavailable',
        'The home of this zone can’t be asked at this moment: no credits were taken.',
        { retryAfterS: 1 },
      );
    },
  };
}
