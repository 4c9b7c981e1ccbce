import type { Change } from '../domain/change.ts';
import type { CreditsObject } from '../domain/records.ts';
import type { Epoch } from '../domain/revision.ts';
import type { Clock, CreditSpender, Draw, Drawn, Settlement, Spent } from '../verify/ports.ts';
import { type AccountLeases, Lease } from './account-leases.ts';
import {
  type CreditLeasesOptions,
  LEASE_NUMBERS,
  LeaseCounters,
  type LeaseNumbers,
  type LeaseTimers,
  TIMERS,
} from './credit-leases-options.ts';
import { HeldLeases } from './held-leases.ts';
import { creditsUnavailable, LeaseDraws } from './lease-draws.ts';
import { LeaseSettlements } from './lease-settlements.ts';
import { RecentSettlements } from './recent-settlements.ts';

/**
 * The credits of keys, as this task spends them: of leases that home granted it, without asking, and of home's ledger where it has none.
 *
 * Nothing here can spend more than was granted. A lease is spent only while this task has no reason to think that home wants it back: it
 * is given up, and what was spent of it told, when its account changes, when another region becomes home, and when the feed can't vouch
 * for what it delivered. A call whose draw wasn't answered fails, and the draw is called off until home has acknowledged that.
 */
export class CreditLeases implements CreditSpender {
  readonly counters = new LeaseCounters();
  readonly #clock: Clock;
  readonly #numbers: LeaseNumbers;
  readonly #timers: LeaseTimers;
  readonly #draws: LeaseDraws;
  readonly #settlements: LeaseSettlements;
  readonly #held: HeldLeases;
  readonly #recent: RecentSettlements;
  #callOffLook: (() => void) | null = null;
  #stopped = false;

  constructor(options: CreditLeasesOptions) {
    const { ledger, clock, log, timers = TIMERS } = options;
    const { counters } = this;
    const numbers = { ...LEASE_NUMBERS, ...options.numbers };
    this.#clock = clock;
    this.#numbers = numbers;
    this.#timers = timers;
    this.#recent = new RecentSettlements({ max: numbers.maxRecent, keepMs: numbers.recentMs });
    const settlements = new LeaseSettlements({
      ledger,
      timers,
      numbers,
      counters,
      log,
      onAnswer: () => this.#draws.heard(),
      onEnded: (settlement) => this.#recent.keep(settlement, clock.monotonicMs()),
      onRecalled: (draws) => this.#held.recall(draws),
    });
    this.#settlements = settlements;
    const tell = (settlement: Settlement, sinceMs: number): void => settlements.put(settlement, sinceMs);
    this.#held = new HeldLeases({ clock, numbers, counters, tell });
    this.#draws = new LeaseDraws({
      ...options,
      timers,
      numbers,
      counters,
      callOff: tell,
      calledOff: () => settlements.cancelled,
      onLaterEpoch: (epoch) => this.#endOf(epoch),
    });
  }

  balanceOf(account: CreditsObject): number {
    const held = this.#held.peek(account.id);
    return held === undefined || held.generation < account.generation ? account.free : held.known;
  }

  spend(account: CreditsObject, cost: number): Spent | Promise<Spent> {
    const held = this.#held.get(account.id);
    if (held === undefined || held.generation < account.generation) return this.#ask(account, cost);
    if (held.left >= cost) {
      this.counters.spentLocally += 1;
      return this.#spendOf(held, cost);
    }
    return cost > held.ceiling ? this.#refuseHere(held) : this.#ask(account, cost);
  }

  /** Call it for every row of the feed. */
  onChanges(changes: readonly Change[]): void {
    for (const { kind, id } of changes) {
      if (kind === 'credits') this.#held.drop(id, 'recalled');
    }
  }

  onEpoch(epoch: Epoch): void {
    this.#draws.learnEpoch(epoch);
    this.#endOf(epoch);
    this.#settlements.wake();
  }

  onDistrust(): void {
    this.#held.dropAll('recalled');
  }

  /** Begins to tell home what was spent, and to give back what isn't used. */
  start(): void {
    if (this.#stopped || this.#callOffLook !== null) return;
    this.#callOffLook = this.#timers.after(this.#numbers.reportEveryMs, () => {
      this.#callOffLook = null;
      this.#held.look();
      this.start();
    });
  }

  /** Draws nothing more and gives everything back; resolves once home has acknowledged it, or after `stopWithinMs`. Never fails. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#callOffLook?.();
    this.#draws.stop();
    this.#held.dropAll('returned');
    // Whoever drew hears of the end first: what it calls off has to be told too.
    await new Promise<void>((resolve) => {
      this.#timers.after(0, resolve);
    });
    await this.#settlements.drain(this.#numbers.stopWithinMs);
  }

  /** Leases held. */
  get leases(): number {
    return this.#held.leases;
  }

  /** Credits in them that aren't spent yet. */
  get leasedCredits(): number {
    return this.#held.credits;
  }

  /** Accounts of which something is held or remembered. */
  get accounts(): number {
    return this.#held.size;
  }

  /** Settlements that home hasn't acknowledged. */
  get unsettled(): number {
    return this.#settlements.size;
  }

  /** For how long home may not know of something that was spent here, at most, in ms. */
  get ageMs(): number {
    const { oldestMs } = this.#settlements;
    const { untoldMs } = this.#held;
    if (oldestMs === null && untoldMs === null) return 0;
    const sinceMs = Math.min(oldestMs ?? Number.POSITIVE_INFINITY, untoldMs ?? Number.POSITIVE_INFINITY);
    return this.#clock.monotonicMs() - sinceMs;
  }

  /** Another home answers from now on: it gets back what the one before granted, and hears what that one may not have passed on. */
  #endOf(later: Epoch): void {
    this.#held.dropAll('recalled');
    const nowMs = this.#clock.monotonicMs();
    for (const settlement of this.#recent.before(later, nowMs)) {
      this.#settlements.putAgain(settlement, nowMs);
    }
  }

  #spendOf(held: AccountLeases, cost: number): Spent {
    if (held.take(cost)) this.#held.endUsedUp(held);
    if (held.left < held.low && held.drawing === 0 && !held.near) this.#fetchNext(held);
    return { spent: true, free: held.known };
  }

  #refuseHere(held: AccountLeases): Spent {
    this.counters.refusedHere += 1;
    return { spent: false, free: held.known };
  }

  /** Of a lease that is being drawn, or of home. */
  async #ask(account: CreditsObject, cost: number): Promise<Spent> {
    const startedMs = this.#clock.monotonicMs();
    const untilMs = startedMs + this.#numbers.budgetMs;
    let waitedFor: AccountLeases | null = null;
    try {
      for (;;) {
        const held = this.#held.of(account);
        const outcome = this.#tryWith(held, cost, untilMs);
        // Whoever waited behind this one may go on as well, if only to wait for the draw that was begun.
        if (outcome !== null) waitedFor?.wakeNext();
        waitedFor = null;
        if (outcome !== null) return await outcome;
        await this.#wait(held, untilMs - this.#clock.monotonicMs());
        waitedFor = held;
      }
    } catch (error) {
      waitedFor?.wakeNext();
      this.counters.failed += 1;
      throw error;
    } finally {
      this.counters.waitingMs += this.#clock.monotonicMs() - startedMs;
    }
  }

  /** Null: there is something to wait for. */
  #tryWith(held: AccountLeases, cost: number, untilMs: number): Spent | Promise<Spent> | null {
    if (this.#stopped) throw creditsUnavailable('This task is stopping');
    if (held.left >= cost) {
      this.counters.spentAfterWaiting += 1;
      return this.#spendOf(held, cost);
    }
    if (cost > held.ceiling) return this.#refuseHere(held);
    if (held.mustWait(cost, this.#numbers.maxDraws)) return null;
    return this.#drawFor(held, cost, untilMs);
  }

  async #wait(held: AccountLeases, withinMs: number): Promise<void> {
    if (held.waiting.size >= this.#numbers.maxWaiting) {
      throw creditsUnavailable('Too many calls wait for credits of this account');
    }
    await new Promise<void>((resolve, reject) => {
      const goOn = (): void => {
        callOff();
        resolve();
      };
      const callOff = this.#timers.after(withinMs, () => {
        held.waiting.delete(goOn);
        reject(creditsUnavailable('The ledger of credits did not answer in time'));
      });
      held.waiting.add(goOn);
    });
  }

  async #drawFor(held: AccountLeases, cost: number, untilMs: number): Promise<Spent> {
    // Home would ask for these back before it refuses.
    if (held.left > 0 && held.free < cost) this.#held.giveUpOf(held, 'returned');
    const outcome = await this.#draw(held, cost, untilMs);
    if (outcome.spent) this.counters.spentAtHome += 1;
    else this.counters.refused += 1;
    return outcome;
  }

  /** Before the present lease is used up. Nobody waits for it: who finds no lease asks again. */
  #fetchNext(held: AccountLeases): void {
    if (this.#stopped) return;
    this.#draw(held, 0, this.#clock.monotonicMs() + this.#numbers.budgetMs).catch(() => {});
  }

  async #draw(held: AccountLeases, cost: number, untilMs: number): Promise<Spent> {
    const wanted = held.begin(cost, this.#clock.monotonicMs(), this.#numbers);
    try {
      if (cost === 0 && wanted === 0) return { spent: true, free: held.known };
      const answersBefore = held.answers;
      const { draw, drawn } = await this.#draws.draw({ accountId: held.id, cost, wanted }, untilMs);
      return this.#keep(held, draw, drawn, answersBefore);
    } finally {
      held.end(wanted);
      held.wakeNext();
    }
  }

  /** What the draw took is taken; its lease is used only where nothing has changed since it was asked for. */
  #keep(held: AccountLeases, draw: Draw, drawn: Drawn, answersBefore: number): Spent {
    const { spent, free, generation, epoch } = drawn;
    if (spent && draw.cost > 0 && drawn.leased === 0) {
      // Home took it at once, and there is nothing to settle, unless home's commit is lost.
      const { id, accountId, cost } = draw;
      const settlement = { id, accountId, generation, epoch, spent: cost, closed: true };
      this.#recent.keep(settlement, this.#clock.monotonicMs());
    }
    const lease = drawn.leased > 0 ? new Lease(draw, drawn, this.#clock.monotonicMs()) : null;
    if (held.dropped || this.#stopped || held.isOutdated(drawn, answersBefore)) {
      if (lease !== null) this.#held.giveUp(lease, 'recalled');
      return { spent, free };
    }
    if (generation !== held.generation) this.#held.giveUpOf(held, 'recalled');
    held.learn(draw, drawn, answersBefore);
    if (lease !== null) held.put(lease);
    return { spent, free: free + held.left };
  }
}
