import { Problem } from '../domain/problem.ts';
import type { Spending } from '../verify/ports.ts';
import * as spendWire from './spend-wire.ts';
import { AnswerLost, type Incoming, NotSent } from './transport.ts';

/**
 * Sends one call that takes credits, once: a second one could take them twice. Fails with Problem `credits_unavailable`, and says
 * where the credits may have been taken although nobody was told.
 */
export async function spendAt(region: string, send: () => Promise<Incoming>): Promise<Spending> {
  let answer: Incoming;
  try {
    answer = await send();
  } catch (cause) {
    if (cause instanceof AnswerLost) throw unavailable(`${lost(region)} its answer was lost`, cause);
    if (cause instanceof NotSent || cause instanceof Problem) {
      throw unavailable(`The home region, ${region}, can’t be reached: no credits were taken.`, cause);
    }
    throw cause;
  }
  if (answer.status === 200) {
    try {
      return spendWire.readSpending(answer.body);
    } catch (cause) {
      throw unavailable(`${lost(region)} its answer can’t be read`, cause);
    }
  }
  // A task words its own refusals, and knows best whether anything was taken.
  const detail = detailOf(answer.body);
  if (detail !== undefined) throw unavailable(detail);
  const { status } = answer;
  if (status < 500)
    throw unavailable(`The home region, ${region}, refused with ${status}: no credits were taken.`);
  throw unavailable(`${lost(region)} it failed with ${status}`);
}

const PREFIX = 'The credits of this call may have been taken';

function lost(region: string): string {
  return `${PREFIX}: the home region, ${region}, was asked for them, and`;
}

function unavailable(detail: string, cause?: unknown): Problem {
  const sentence = detail.endsWith('.') ? detail : `${detail}.`;
  return new Problem('credits_unavailable', sentence, {
    retryAfterS: 1,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The detail of a task's own refusal to spend; undefined where the answer is something else. */
function detailOf(body: string): string | undefined {
  try {
    // Each field is looked at before it is used.
    const { error } = JSON.parse(body) as { error?: { type?: unknown; detail?: unknown } };
    const isOurs = typeof error?.type === 'string' && error.type.endsWith('/credits_unavailable');
    return isOurs && typeof error.detail === 'string' ? error.detail : undefined;
  } catch {
    return undefined;
  }
}
