import { Problem } from '../service/domain/problem.ts';
import { compareEpochs, type Epoch } from '../service/domain/revision.ts';
import {
  type CreditLedger,
  type Draw,
  type Drawn,
  type Settled,
  type Settlement,
  SETTLEMENTS_MAX,
} from '../service/verify/ports.ts';
import type { LeaseTimers } from '../service/limits/credit-leases-options.ts';

/** Where the credits of one generation are. */
interface Generation {
  granted: number;
  free: number;
  leased: number;
  spent: number;
  /** Free when the next generation began: gone. */
  voided: number;
}

interface Account {
  readonly id: string;
  current: number;
  readonly generations: Map<number, Generation>;
  /** Somebody was told that there aren't enough: whoever adds some tells of it. */
  refused: boolean;
  readonly waiting: Set<() => void>;
}

interface Row {
  readonly accountId: string;
  readonly holder: string;
  readonly generation: number;
  /** Everything that it took of the account. */
  readonly drawn: number;
  /** Spent of it, as far as it is known. */
  spent: number;
  closed: boolean;
  recalled: boolean;
  lost: boolean;
  readonly answer: Drawn;
}

const RECALL_MS = 1500;

/**
 * The rules of the ledger in their plainest form, in memory. It holds the tasks to theirs: whoever settles more than it drew, or spent of
 * what nobody granted, is an error of the test.
 */
export class ModelLedger implements CreditLedger {
  epoch: Epoch = { counter: 1, id: 'aaaaaaaa' };
  /** Change rows of accounts. */
  onChange: (accountId: string) => void = () => {};
  /** A draw is refused, at this moment. */
  onRefuse: (draw: Draw) => void = () => {};
  readonly faults: string[] = [];
  readonly #timers: LeaseTimers;
  readonly #accounts = new Map<string, Account>();
  readonly #rows = new Map<string, Row | 'tombstone'>();
  readonly #underWay = new Map<string, Promise<Drawn>>();

  constructor(timers: LeaseTimers) {
    this.#timers = timers;
  }

  /** Opens a new generation. Returns its number. */
  set(accountId: string, granted: number): number {
    const account = this.#account(accountId);
    const before = account.generations.get(account.current);
    if (before !== undefined) {
      before.voided += before.free;
      before.free = 0;
    }
    account.current += 1;
    account.generations.set(account.current, { granted, free: granted, leased: 0, spent: 0, voided: 0 });
    this.#changed(account);
    return account.current;
  }

  /** Of the present generation; a negative number takes of what is free. */
  add(accountId: string, credits: number): void {
    const account = this.#account(accountId);
    const generation = this.#current(account);
    const added = Math.max(credits, -generation.free);
    generation.granted += added;
    generation.free += added;
    this.#changed(account);
  }

  generationsOf(accountId: string): readonly Readonly<Generation>[] {
    return [...this.#account(accountId).generations.values()];
  }

  freeOf(accountId: string): number {
    return this.#current(this.#account(accountId)).free;
  }

  generationOf(accountId: string): number {
    return this.#account(accountId).current;
  }

  /** In leases of these holders, of the present generation or of all of them. */
  leasedTo(accountId: string, holders: ReadonlySet<string>, which: 'present' | 'all'): number {
    let leased = 0;
    for (const row of this.#rows.values()) {
      if (row === 'tombstone' || row.closed || row.accountId !== accountId) continue;
      if (which === 'present' && row.generation !== this.generationOf(accountId)) continue;
      if (holders.has(row.holder)) leased += row.drawn - row.spent;
    }
    return leased;
  }

  async draw(draw: Draw): Promise<Drawn> {
    const known = this.#rows.get(draw.id);
    if (known !== undefined) return known === 'tombstone' ? this.#nothing(draw) : known.answer;
    let work = this.#underWay.get(draw.id);
    if (work === undefined) {
      work = this.#draw(draw).finally(() => this.#underWay.delete(draw.id));
      this.#underWay.set(draw.id, work);
    }
    return await work;
  }

  async settle(settlements: readonly Settlement[]): Promise<Settled> {
    if (settlements.length > SETTLEMENTS_MAX) this.faults.push(`${settlements.length} settlements at once`);
    for (const settlement of settlements) this.#settle(settlement);
    const recalled = settlements.flatMap(({ id }) => {
      const row = this.#rows.get(id);
      return row !== undefined && row !== 'tombstone' && row.recalled && !row.closed ? [id] : [];
    });
    return await Promise.resolve({ recalled });
  }

  async #draw(draw: Draw): Promise<Drawn> {
    if (draw.epoch !== null && compareEpochs(draw.epoch, this.epoch) > 0) {
      throw new Problem('credits_unavailable', 'another region is home', { retryAfterS: 1 });
    }
    const account = this.#account(draw.accountId);
    const { epoch } = this;
    if (draw.cost > this.#current(account).free) await this.#recall(account, draw.cost);
    if (this.#rows.get(draw.id) === 'tombstone') return this.#nothing(draw);
    const generation = this.#current(account);
    const spent = draw.cost <= generation.free;
    const cost = spent ? draw.cost : 0;
    if (!spent && draw.cost <= generation.free + this.#liveCredits(account)) {
      throw new Problem('credits_unavailable', 'credits were leased again meanwhile', { retryAfterS: 1 });
    }
    if (!spent) {
      account.refused = true;
      this.onRefuse(draw);
    }
    generation.free -= cost;
    generation.spent += cost;
    const unspent = generation.free + this.#liveCredits(account);
    const isNear = unspent <= Math.min(100, Math.max(10, generation.granted / 10));
    const size = isNear ? 0 : Math.min(draw.wanted, Math.floor(generation.free / 16));
    const leased = size < 2 ? 0 : size;
    generation.free -= leased;
    generation.leased += leased;
    const answer = { spent, leased, free: generation.free, generation: account.current, epoch };
    if (cost + leased > 0) {
      this.#rows.set(draw.id, {
        accountId: draw.accountId,
        holder: draw.holder,
        generation: account.current,
        drawn: cost + leased,
        spent: cost,
        closed: false,
        recalled: false,
        lost: false,
        answer,
      });
    }
    if (isNear) this.#askBack(account);
    return answer;
  }

  /** What a draw gets whose end came before it. */
  #nothing({ accountId }: Draw): Drawn {
    const account = this.#account(accountId);
    const { free } = this.#current(account);
    return { spent: false, leased: 0, free, generation: account.current, epoch: this.epoch };
  }

  async #recall(account: Account, cost: number): Promise<void> {
    let isOver = false;
    const enough = (): boolean =>
      isOver || cost <= this.#current(account).free || this.#live(account).length === 0;
    if (enough()) return;
    this.#askBack(account);
    const asked = this.#live(account);
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!enough()) return;
        account.waiting.delete(look);
        callOff();
        resolve();
      };
      const callOff = this.#timers.after(RECALL_MS, () => {
        isOver = true;
        look();
      });
      account.waiting.add(look);
    });
    if (isOver) for (const row of asked) row.lost ||= !row.closed;
  }

  #askBack(account: Account): void {
    const rows = this.#live(account).filter(({ recalled }) => !recalled);
    if (rows.length === 0) return;
    for (const row of rows) row.recalled = true;
    this.onChange(account.id);
  }

  #settle({ id, accountId, generation: told, epoch, spent, closed }: Settlement): void {
    const row = this.#rows.get(id);
    if (row === 'tombstone') return;
    const account = this.#account(accountId);
    if (row === undefined) {
      if (spent === 0) this.#rows.set(id, 'tombstone');
      else this.faults.push(`${id} spent ${spent} that nobody granted`);
      return;
    }
    if (row.closed) return;
    if (spent > row.drawn) this.faults.push(`${id} spent ${spent} of ${row.drawn}`);
    if (epoch !== null && (told !== row.generation || accountId !== row.accountId)) {
      this.faults.push(`${id} of ${accountId}, generation ${told}`);
    }
    const now = closed ? spent : Math.max(row.spent, spent);
    const generation = account.generations.get(row.generation);
    if (generation === undefined) throw new Error('no such generation');
    generation.spent += now - row.spent;
    generation.leased -= closed ? row.drawn - row.spent : now - row.spent;
    const back = closed ? row.drawn - now : 0;
    row.spent = now;
    row.closed = closed;
    if (row.generation === account.current) generation.free += back;
    else generation.voided += back;
    if (back > 0 && account.refused && row.generation === account.current) this.#changed(account);
    for (const look of account.waiting) look();
  }

  #changed(account: Account): void {
    account.refused = false;
    for (const look of account.waiting) look();
    this.onChange(account.id);
  }

  /** Leases that their holder may still give back. */
  #live(account: Account): readonly Row[] {
    return [...this.#rows.values()].filter(
      (row): row is Row =>
        row !== 'tombstone' &&
        row.accountId === account.id &&
        row.generation === account.current &&
        row.answer.leased > 0 &&
        !row.closed &&
        !row.lost,
    );
  }

  #liveCredits(account: Account): number {
    return this.#live(account).reduce((sum, row) => sum + row.drawn - row.spent, 0);
  }

  #current(account: Account): Generation {
    const generation = account.generations.get(account.current);
    if (generation === undefined) throw new Error('no such generation');
    return generation;
  }

  /** An account that isn't there has nothing. */
  #account(id: string): Account {
    let account = this.#accounts.get(id);
    if (account === undefined) {
      account = { id, current: 0, generations: new Map(), refused: false, waiting: new Set() };
      account.generations.set(0, { granted: 0, free: 0, leased: 0, spent: 0, voided: 0 });
      this.#accounts.set(id, account);
    }
    return account;
  }
}
