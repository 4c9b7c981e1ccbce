import { Problem } from '../domain/problem.ts';
import { compareEpochs, type Epoch } from '../domain/revision.ts';
import type { Draw, Drawn, Settlement } from '../verify/ports.ts';
import { HomeSilence } from './home-silence.ts';
import type {
  CreditLeasesOptions,
  LeaseCounters,
  LeaseNumbers,
  LeaseTimers,
} from './credit-leases-options.ts';

export interface LeaseDrawsOptions extends Pick<
  CreditLeasesOptions,
  'ledger' | 'clock' | 'holder' | 'epoch' | 'randomId'
> {
  readonly timers: LeaseTimers;
  readonly numbers: LeaseNumbers;
  readonly counters: LeaseCounters;
  /** Tells home that nothing of a draw is used; since when it could have known that, in monotonic ms. */
  readonly callOff: (settlement: Settlement, sinceMs: number) => void;
  /** Draws that were called off and whose end home hasn't acknowledged. */
  readonly calledOff: () => number;
  /** An answer was the first to tell that another region has become home. */
  readonly onLaterEpoch: (epoch: Epoch) => void;
}

/** Where the first draw of a call was answered by a home that isn't home any more, one more is made. */
const DRAWS_OF_A_CALL = 2;

/**
 * Draws of home's ledger. One whose answer was lost is repeated under the same id, which the ledger does once; one that isn't answered in
 * time, or by a home of an earlier epoch, is called off.
 */
export class LeaseDraws {
  readonly #options: LeaseDrawsOptions;
  readonly #giveUps = new Set<() => void>();
  readonly #silence: HomeSilence;
  /** The latest that an answer came from, or that was told; the feed may not be there yet. */
  #epochSeen: Epoch | null = null;

  constructor(options: LeaseDrawsOptions) {
    this.#options = options;
    this.#silence = new HomeSilence(options.numbers.budgetMs);
  }

  /** Home answered something else. */
  heard(): void {
    this.#silence.heard(this.#options.clock.monotonicMs());
  }

  /**
   * Fails with Problem `credits_unavailable`: the ledger has given nothing then, or takes it back. Answers that come later are let go. Fails
   * with `outcome_unknown` where the ledger does.
   */
  async draw(
    asked: Pick<Draw, 'accountId' | 'cost' | 'wanted'>,
    untilMs: number,
  ): Promise<{ readonly draw: Draw; readonly drawn: Drawn }> {
    const { holder, randomId, calledOff, numbers } = this.#options;
    for (let turn = 1; turn <= DRAWS_OF_A_CALL; turn += 1) {
      // More that may have to be taken back than are kept in mind: then nothing is asked for.
      if (calledOff() >= numbers.maxCancelled) {
        throw creditsUnavailable('The home of this zone has not answered for a while');
      }
      const endLook = this.#silence.tryPass();
      if (endLook === null) throw creditsUnavailable('The home of this zone does not answer at the moment');
      const draw: Draw = { ...asked, id: randomId(), holder, epoch: this.#epoch() };
      const drawn = await this.#answerOf(draw, untilMs).finally(endLook);
      if (drawn !== null) return { draw, drawn };
    }
    throw creditsUnavailable('The home is moving to another region');
  }

  learnEpoch(epoch: Epoch): void {
    const seen = this.#epochSeen;
    if (seen === null || compareEpochs(seen, epoch) < 0) this.#epochSeen = epoch;
  }

  /** Gives up what is under way. */
  stop(): void {
    for (const giveUp of this.#giveUps) giveUp();
  }

  /** Null: who answered isn't home any more. */
  async #answerOf(draw: Draw, untilMs: number): Promise<Drawn | null> {
    let drawn: Drawn;
    try {
      drawn = await this.#tryUntil(draw, untilMs);
    } catch (error) {
      this.#callOff(draw, null);
      throw error;
    }
    const known = this.#epoch();
    const order = known === null ? 0 : compareEpochs(drawn.epoch, known);
    if (order < 0) {
      this.#callOff(draw, drawn);
      return null;
    }
    this.learnEpoch(drawn.epoch);
    if (order > 0) this.#options.onLaterEpoch(drawn.epoch);
    // Home keeps no record of what it refused: a copy that is still on its way must not take what has become free meanwhile.
    if (!drawn.spent && drawn.leased === 0) this.#end(draw, drawn);
    return drawn;
  }

  async #tryUntil(draw: Draw, untilMs: number): Promise<Drawn> {
    const { ledger, clock, timers, counters } = this.#options;
    counters.draws += 1;
    return await new Promise((resolve, reject) => {
      let over = false;
      let lastError: unknown;
      let callOffRetry = (): void => {};
      const end = (): void => {
        over = true;
        callOffEnd();
        callOffRetry();
        this.#giveUps.delete(giveUp);
      };
      const giveUp = (): void => {
        end();
        this.#silence.unanswered(clock.monotonicMs());
        reject(noAnswer(lastError));
      };
      const callOffEnd = timers.after(untilMs - clock.monotonicMs(), giveUp);
      this.#giveUps.add(giveUp);
      const attempt = async (failures: number): Promise<void> => {
        if (failures > 0) counters.retries += 1;
        try {
          const drawn = await ledger.draw(draw);
          this.heard();
          if (over) return;
          end();
          resolve(drawn);
        } catch (error) {
          if (over) return;
          if (error instanceof Problem && error.code === 'outcome_unknown') {
            // Only a home of an earlier version says so, which knows no ids: asked again, it could take the credits twice.
            end();
            reject(error);
            return;
          }
          lastError = error;
          callOffRetry = timers.after(this.#waitMs(failures), () => void attempt(failures + 1));
        }
      };
      void attempt(0);
    });
  }

  /** Nothing of the draw is used: home takes it back, also what it took at once. */
  #callOff(draw: Draw, drawn: Drawn | null): void {
    this.#options.counters.cancelled += 1;
    this.#end(draw, drawn);
  }

  #end({ id, accountId }: Draw, drawn: Drawn | null): void {
    const { callOff, clock } = this.#options;
    const { generation = 0, epoch = null } = drawn ?? {};
    callOff({ id, accountId, generation, epoch, spent: 0, closed: true }, clock.monotonicMs());
  }

  #epoch(): Epoch | null {
    const told = this.#options.epoch();
    const seen = this.#epochSeen;
    if (told === null || seen === null) return told ?? seen;
    return compareEpochs(told, seen) < 0 ? seen : told;
  }

  #waitMs(failures: number): number {
    const { retryMs, retryMaxMs } = this.#options.numbers;
    return Math.min(retryMaxMs, retryMs * 2 ** Math.min(failures, 16));
  }
}

export function creditsUnavailable(why: string): Problem {
  return new Problem('credits_unavailable', `${why}: none of this call’s credits were taken.`, {
    retryAfterS: 1,
  });
}

function noAnswer(cause: unknown): Problem {
  return new Problem(
    'credits_unavailable',
    'The ledger of credits did not answer in time: none of this call’s credits stay taken.',
    { retryAfterS: 1, ...(cause === undefined ? {} : { cause }) },
  );
}
