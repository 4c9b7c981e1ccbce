import { Problem, type ProblemCode } from '../domain/problem.ts';
import { refusalOf } from '../domain/refusal.ts';
import type { Spending } from '../verify/ports.ts';
import * as spendWire from './spend-wire.ts';
import { AnswerLost, type Incoming, NotSent } from './transport.ts';

/** What a task at home refuses to spend with, in its own words: it knows best whether anything was taken. */
const REFUSALS: readonly ProblemCode[] = ['credits_unavailable', 'outcome_unknown'];

/**
 * Sends one call that takes credits, once: a second one could take them twice. Fails with Problem `credits_unavailable` where certainly
 * none were taken, and with `outcome_unknown` where they may have been although nobody was told.
 */
export async function spendAt(region: string, send: () => Promise<Incoming>): Promise<Spending> {
  let answer: Incoming;
  try {
    answer = await send();
  } catch (cause) {
    if (cause instanceof AnswerLost) throw unknown(region, 'its answer was lost', cause);
    if (cause instanceof NotSent || cause instanceof Problem) {
      throw unavailable(`The home region, ${region}, can’t be reached: no credits were taken.`, cause);
    }
    throw cause;
  }
  const { status, body } = answer;
  if (status === 200) {
    try {
      return spendWire.readSpending(body);
    } catch (cause) {
      throw unknown(region, 'its answer can’t be read', cause);
    }
  }
  const refusal = refusalOf(body, REFUSALS);
  if (refusal?.code === 'credits_unavailable') throw unavailable(refusal.detail);
  if (refusal !== undefined) throw new Problem(refusal.code, refusal.detail);
  // A task that answers 503 has done nothing.
  if (status < 500 || status === 503)
    throw unavailable(`The home region, ${region}, refused with ${status}: no credits were taken.`);
  throw unknown(region, `it failed with ${status}`);
}

function unknown(region: string, what: string, cause?: unknown): Problem {
  return new Problem(
    'outcome_unknown',
    `The credits of this call may have been taken: the home region, ${region}, was asked for them, and ${what}.`,
    cause === undefined ? {} : { cause },
  );
}

function unavailable(detail: string, cause?: unknown): Problem {
  return new Problem('credits_unavailable', detail, {
    retryAfterS: 1,
    ...(cause === undefined ? {} : { cause }),
  });
}
