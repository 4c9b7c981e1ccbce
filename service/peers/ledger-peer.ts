import { Problem } from '../domain/problem.ts';
import { refusalOf } from '../domain/refusal.ts';
import { AnswerLost, type Incoming, NotSent } from './transport.ts';

/** A home region, as one task of another region asks its ledger. */
export interface LedgerPeer {
  readonly region: string;
  /** Whether a task there has answered a draw: tasks there may hand out leases, whatever version another one runs. */
  readonly draws: boolean;
  /**
   * Sends one private call. Fails with `NotSent`, `AnswerLost`, or a `Problem` where no request was made; what a load balancer says in
   * place of a task is one of the first two.
   */
  ask(name: string, body: string): Promise<Incoming>;
}

export interface LedgerCall<T> {
  readonly name: string;
  readonly body: string;
  readonly read: (text: string) => T;
  /** What to say where the call certainly wasn't carried out, and where it may have been. */
  readonly none: string;
  readonly maybe: string;
  /** Refusal where it may have been. @default credits_unavailable: the call can be made again */
  readonly lostCode?: 'credits_unavailable' | 'outcome_unknown';
}

/**
 * Sends a call once. Returns undefined where the task that answered doesn't know it. Fails with Problem `credits_unavailable` where the
 * call certainly wasn't carried out, and with `lostCode` where it may have been.
 */
export async function askLedger<T>(peer: LedgerPeer, call: LedgerCall<T>): Promise<T | undefined> {
  const { region } = peer;
  const { none, maybe } = call;
  const lost = (detail: string, cause?: unknown): Problem =>
    refused(call.lostCode ?? 'credits_unavailable', detail, cause);
  let answer: Incoming;
  try {
    answer = await peer.ask(call.name, call.body);
  } catch (cause) {
    if (cause instanceof AnswerLost)
      throw lost(`The answer of the home region, ${region}, was lost: ${maybe}.`, cause);
    if (cause instanceof NotSent || cause instanceof Problem)
      throw unavailable(`The home region, ${region}, can’t be reached: ${none}.`, cause);
    throw cause;
  }
  const { status, body } = answer;
  if (status === 200) {
    try {
      return call.read(body);
    } catch (cause) {
      throw lost(`The answer of the home region, ${region}, can’t be read: ${maybe}.`, cause);
    }
  }
  const refusal = refusalOf(body, ['credits_unavailable', 'outcome_unknown', 'route_not_found']);
  if (refusal?.code === 'route_not_found') return undefined;
  // Home itself knows best what it did.
  if (refusal?.code === 'credits_unavailable') throw unavailable(refusal.detail);
  if (refusal !== undefined) throw lost(refusal.detail);
  // A task answers any other 503 before it has done anything.
  if (status < 500 || status === 503)
    throw unavailable(`The home region, ${region}, refused with ${status}: ${none}.`);
  throw lost(`The home region, ${region}, failed with ${status}: ${maybe}.`);
}

/** A refusal after which asking again makes sense. */
export function unavailable(detail: string, cause?: unknown): Problem {
  return refused('credits_unavailable', detail, cause);
}

function refused(code: 'credits_unavailable' | 'outcome_unknown', detail: string, cause?: unknown): Problem {
  return new Problem(code, detail, {
    ...(code === 'credits_unavailable' ? { retryAfterS: 1 } : {}),
    ...(cause === undefined ? {} : { cause }),
  });
}
