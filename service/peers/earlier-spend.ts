import { Type } from 'typebox';
import { Problem } from '../domain/problem.ts';
import type { CreditLedger, Draw, Drawn } from '../verify/ports.ts';
import { askLedger, type LedgerPeer, unavailable } from './ledger-peer.ts';
import { reader } from './wire.ts';

/**
 * The call `spend`, both sides of it: all that tasks of the version before draws know of credits. It takes credits at once, hands out no
 * leases, and has no id, so that nobody may send it twice. This file, and the call in `endpoint.ts`, can go in the version after the
 * first one that draws: then no task is left in any region that asks for it or answers nothing else.
 */

const MAX = Number.MAX_SAFE_INTEGER;
const spendReader = reader(
  Type.Object({
    accountId: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
    cost: Type.Integer({ minimum: 1, maximum: MAX }),
  }),
);
const spendingReader = reader(
  Type.Object({
    spent: Type.Boolean(),
    free: Type.Integer({ minimum: 0, maximum: MAX }),
    generation: Type.Integer({ minimum: 0, maximum: MAX }),
  }),
);

/** What a task of the version before wants to take of an account. */
export interface SpendCall {
  readonly accountId: string;
  readonly cost: number;
}

export function readSpend(text: string): SpendCall {
  const { accountId, cost } = spendReader(text);
  return { accountId, cost };
}

/**
 * Answers a task of the version before, with the JSON text that it reads. It takes `credits_unavailable` to mean that certainly no credits
 * were taken, so a draw that failed is cancelled before it is told that, and it is told `outcome_unknown` where that fails too. `drawId` is
 * new for each call.
 */
export async function answerSpend(
  ledger: CreditLedger,
  { accountId, cost }: SpendCall,
  drawId: string,
): Promise<string> {
  try {
    const draw = { id: drawId, accountId, holder: 'earlier version', cost, wanted: 0, epoch: null };
    const { spent, free, generation } = await ledger.draw(draw);
    return JSON.stringify({ spent, free, generation });
  } catch (cause) {
    await cancel(ledger, accountId, drawId);
    throw unavailable('Home failed to take the credits: no credits were taken.', cause);
  }
}

async function cancel(ledger: CreditLedger, accountId: string, drawId: string): Promise<void> {
  try {
    await ledger.settle([{ id: drawId, accountId, generation: 0, epoch: null, spent: 0, closed: true }]);
  } catch (cause) {
    throw new Problem(
      'outcome_unknown',
      'The credits of this call may have been taken: home was asked for them, and what it did isn’t known.',
      { cause },
    );
  }
}

/**
 * Draws of a home whose task knows no draws: takes the draw's cost with `spend`, and leases nothing. Fails with Problem
 * `credits_unavailable` where certainly no credits were taken, and with `outcome_unknown` where they may have been: such a draw must not
 * be made again, not even with the same id.
 *
 * While a home region has tasks of both versions, a draw that one of them did, and whose answer was lost, may be asked for again of one
 * that knows no ids: the account then pays twice, and is never overspent.
 */
export async function drawnOfEarlierVersion(peer: LedgerPeer, draw: Draw): Promise<Drawn> {
  const { accountId, cost, epoch } = draw;
  const home = `The home region, ${peer.region},`;
  const none = 'no credits were taken';
  if (cost === 0) throw unavailable(`${home} hands out no leases, as an earlier version does: ${none}.`);
  // Its answer will name no epoch, and without one nobody could tell later that this home has been replaced.
  if (epoch === null)
    throw unavailable(`${home} runs an earlier version, and this task knows no epoch yet: ${none}.`);
  const spending = await askLedger(peer, {
    name: 'spend',
    body: JSON.stringify({ accountId, cost }),
    read: spendingReader,
    none,
    maybe: 'credits may have been taken',
    lostCode: 'outcome_unknown',
  });
  // A task that refuses a signature says the same as one that doesn't know the call.
  if (spending === undefined) throw unavailable(`${home} knows no such call: ${none}.`);
  const { spent, free, generation } = spending;
  // Whoever drew will remember a refusal until the account changes. That is right where nobody holds leases; where tasks beside the one
  // that refused hand them out, some may return without a word.
  if (!spent && peer.draws)
    throw unavailable(`${home} still runs an earlier version in part, which knows no leases: ${none}.`);
  return { spent, leased: 0, free, generation, epoch };
}
