import { Problem } from './domain/problem.ts';
import type { HomeState } from './home/types.ts';
import type { Peers } from './peers/types.ts';
import type { CreditLedger } from './verify/ports.ts';

/**
 * Home's ledger, asked directly where home is here, through a peer elsewhere (`peers` null: not at all). Where nobody can be asked it
 * fails with Problem `credits_unavailable`, and nothing was done.
 */
export function ledgerOf(
  home: () => HomeState,
  here: CreditLedger,
  peers: Pick<Peers, 'draw' | 'settle'> | null,
): CreditLedger {
  function present(): CreditLedger {
    const state = home();
    if (state.at === 'here') return here;
    if (state.at === 'elsewhere' && peers !== null) {
      const { region } = state;
      return {
        draw: async (draw) => await peers.draw(region, draw),
        settle: async (settlements) => await peers.settle(region, settlements),
      };
    }
    throw new Problem(
      'credits_unavailable',
      'The home of this zone can’t be asked at this moment: no credits were taken.',
      { retryAfterS: 1 },
    );
  }
  return {
    draw: async (draw) => await present().draw(draw),
    settle: async (settlements) => await present().settle(settlements),
  };
}
