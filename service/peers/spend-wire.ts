import { Type } from 'typebox';
import type { Spending } from '../verify/ports.ts';
import { reader } from './wire.ts';

/** How peers write a taking of credits, and what became of it. */

const spendReader = reader(
  Type.Object({
    accountId: Type.String(),
    cost: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  }),
);
const spendingReader = reader(
  Type.Object({ spent: Type.Boolean(), free: Type.Integer(), generation: Type.Integer() }),
);

/** What a peer wants to take of an account. */
export interface SpendCall {
  readonly accountId: string;
  readonly cost: number;
}

export const writeSpend = ({ accountId, cost }: SpendCall): string => JSON.stringify({ accountId, cost });

export function readSpend(text: string): SpendCall {
  const { accountId, cost } = spendReader(text);
  return { accountId, cost };
}

export const writeSpending = ({ spent, free, generation }: Spending): string =>
  JSON.stringify({ spent, free, generation });

export function readSpending(text: string): Spending {
  const { spent, free, generation } = spendingReader(text);
  return { spent, free, generation };
}
