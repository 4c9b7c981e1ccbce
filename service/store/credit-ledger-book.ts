import { isLow } from '../domain/lease-size.ts';
import { compareEpochs, type Epoch } from '../domain/revision.ts';
import type { Settlement } from '../verify/ports.ts';

/**
 * An account while a transaction of the ledger holds its row, and what is done to it until the row is written. granted = free + leased +
 * spent before and after each step.
 */
export interface Account {
  readonly id: string;
  readonly workspaceId: string;
  readonly generation: number;
  readonly granted: number;
  free: number;
  leased: number;
  spent: number;
  /** The part of `leased` that is in open leases, and not in lost ones. */
  live: number;
  /** It was told that few credits are left. */
  low: boolean;
  /** A draw was refused, and that may be remembered. */
  refused: boolean;
  /** Leases are being asked back: none is granted for a moment. */
  recalling: boolean;
  /** Its row has to be written. */
  dirty: boolean;
  /** Asked leases back just now; the moment of it has to be written. */
  recalledNow: boolean;
  /** Whoever waited for leases has what there was: they may be granted again. */
  recallOver: boolean;
}

export type DrawState = 'open' | 'direct' | 'closed' | 'lost';

/** A row of `credit_draws`. */
export interface DrawRow {
  readonly id: string;
  readonly accountId: string;
  readonly generation: number;
  readonly holder: string;
  readonly epoch: Epoch;
  readonly cost: number;
  amount: number;
  spent: number;
  overspent: number;
  state: DrawState;
  readonly recalled: boolean;
}

/** What was told of draws, and what it led to. */
export interface Told {
  /** Draws whose row has to be written. */
  readonly rows: ReadonlySet<DrawRow>;
  readonly recalled: ReadonlySet<string>;
  /** Credits that were spent and that the account no longer had. */
  readonly overspent: number;
  /** Of these, by account. */
  readonly overspentOf: ReadonlyMap<string, number>;
  /** Draws that were called off. */
  readonly cancelled: number;
}

/** Credits that are free or may come back. */
export function unspentOf({ free, live }: Account): number {
  return free + live;
}

/** Notes whether few credits are left; true once per crossing. */
export function crossesLow(account: Account): boolean {
  const { granted } = account;
  const low = isLow({ unspent: unspentOf(account), granted });
  if (low === account.low) return false;
  account.low = low;
  account.dirty = true;
  return low;
}

/**
 * Does what was told of draws, one settlement after the other, in memory: the accounts' rows are held, and whatever came of it is written
 * afterwards. `rows` has what is stored of these draws, and gets what is new.
 */
export class Settling {
  readonly #epoch: Epoch;
  readonly #accounts: ReadonlyMap<string, Account>;
  readonly #rows: Map<string, DrawRow>;
  readonly #written = new Set<DrawRow>();
  readonly #recalled = new Set<string>();
  readonly #overspent = new Map<string, number>();
  #cancelled = 0;

  constructor(epoch: Epoch, accounts: ReadonlyMap<string, Account>, rows: readonly DrawRow[]) {
    this.#epoch = epoch;
    this.#accounts = accounts;
    this.#rows = new Map(rows.map((row) => [row.id, row]));
  }

  get told(): Told {
    return {
      rows: this.#written,
      recalled: this.#recalled,
      overspent: [...this.#overspent.values()].reduce((sum, credits) => sum + credits, 0),
      overspentOf: this.#overspent,
      cancelled: this.#cancelled,
    };
  }

  settle(settlement: Settlement): void {
    const row = this.#rows.get(settlement.id) ?? this.#unknown(settlement);
    // A draw names its account for good: what is told of it under another name is somebody's mistake, and changes nothing.
    if (row === null || row.accountId !== settlement.accountId) return;
    // The first close is the last word, and of a draw without a lease there is nothing else to hear.
    if (row.state === 'closed' || (row.state === 'direct' && !settlement.closed)) return;
    const account = this.#accounts.get(row.accountId);
    const counts = account !== undefined && account.generation === row.generation ? account : null;
    if (settlement.closed && settlement.spent === 0 && row.cost > 0) this.#cancelled += 1;
    // Later reports may come first; a close is right whatever was reported.
    const spent = settlement.closed ? settlement.spent : Math.max(row.spent, settlement.spent);
    if (spent !== row.spent || settlement.closed) this.#write(row, counts, spent, settlement.closed);
    if (settlement.closed) this.#recalled.delete(row.id);
    else if (row.recalled || row.state === 'lost' || counts === null) this.#recalled.add(row.id);
  }

  /**
   * A draw that isn't stored. Spent of and granted under an earlier epoch: by a home whose last commits were lost. Nothing spent and
   * closed: it was called off, and should it still come, nothing is drawn. Anything else was settled long ago.
   */
  #unknown({ id, accountId, generation, epoch, spent, closed }: Settlement): DrawRow | null {
    const isEarlier = epoch !== null && compareEpochs(epoch, this.#epoch) < 0;
    if (spent === 0 ? !closed : !isEarlier) {
      if (!closed) this.#recalled.add(id);
      return null;
    }
    const account = this.#accounts.get(accountId);
    if (account === undefined) return null;
    const row: DrawRow = {
      id,
      accountId,
      // A generation that was lost with those commits was opened on what is now the present one.
      generation: Math.min(generation, account.generation),
      holder: '',
      epoch: epoch ?? this.#epoch,
      cost: 0,
      amount: 0,
      spent: 0,
      overspent: 0,
      state: 'open',
      recalled: true,
    };
    if (spent === 0) {
      row.state = 'closed';
      this.#cancelled += 1;
      this.#written.add(row);
    }
    this.#rows.set(id, row);
    return row;
  }

  /** `account` is null where the draw is one of an earlier generation: its credits count no more. */
  #write(row: DrawRow, account: Account | null, spent: number, closed: boolean): void {
    if (account !== null) this.#cover(row, account, spent);
    const covered = Math.min(spent, row.amount);
    const before = row.amount - row.spent;
    const after = closed ? 0 : row.amount - covered;
    if (account !== null) {
      account.leased += after - before;
      if (row.state === 'open') account.live += after - before;
      account.spent += covered - row.spent;
      if (closed) account.free += row.amount - covered;
      account.dirty = true;
    }
    row.spent = covered;
    if (closed) row.state = 'closed';
    this.#written.add(row);
  }

  /** What was spent beyond what was drawn is taken of what is free, and as far as nothing is, it was spent twice. */
  #cover(row: DrawRow, account: Account, spent: number): void {
    const beyond = spent - row.amount - row.overspent;
    if (beyond <= 0) return;
    const taken = Math.min(beyond, account.free);
    account.free -= taken;
    account.spent += taken;
    row.amount += taken;
    row.spent += taken;
    row.overspent += beyond - taken;
    if (beyond > taken) {
      this.#overspent.set(account.id, (this.#overspent.get(account.id) ?? 0) + beyond - taken);
    }
  }
}

/** What a draw leaves in the book. */
export function newRow(draw: {
  readonly id: string;
  readonly holder: string;
  readonly cost: number;
  readonly lease: number;
  readonly account: Account;
  readonly epoch: Epoch;
}): DrawRow {
  const { id, holder, cost, lease, account, epoch } = draw;
  return {
    id,
    accountId: account.id,
    generation: account.generation,
    holder,
    epoch,
    cost,
    amount: cost + lease,
    spent: cost,
    overspent: 0,
    state: lease > 0 ? 'open' : 'direct',
    recalled: false,
  };
}
