import assert from 'node:assert/strict';
import type { CreditsObject } from '../service/domain/records.ts';
import type { Epoch } from '../service/domain/revision.ts';
import { CreditLeases } from '../service/limits/credit-leases.ts';
import type { LeaseNumbers } from '../service/limits/credit-leases-options.ts';
import type { Spent } from '../service/verify/ports.ts';
import { FakeLedger } from './fake-ledger.ts';
import { SimulatedTime } from './simulated-time.ts';

export const ACCOUNT = 'ca_1';
/** What a call becomes: spent, refused, or failed with this code. */
export type Told = Spent | { readonly failed: string };

/** A task's leases on a ledger in memory, in simulated time; `ACCOUNT` has credits. */
export class LeaseSide {
  readonly time = new SimulatedTime();
  readonly ledger = new FakeLedger(this.time);
  readonly leases: CreditLeases;
  readonly warnings: string[] = [];
  /** The latest epoch that the feed has told the task. */
  epoch: Epoch | null = this.ledger.epoch;
  #ids = 0;

  constructor(granted: number, numbers: Partial<LeaseNumbers> = {}) {
    this.ledger.set(ACCOUNT, granted);
    this.leases = new CreditLeases({
      ledger: this.ledger,
      clock: this.time,
      timers: this.time,
      holder: 'task 1',
      epoch: () => this.epoch,
      randomId: () => `d${(this.#ids += 1)}`,
      log: { info: () => {}, warn: (_fields, message) => this.warnings.push(message) },
      numbers,
    });
  }

  /** The account as a record read at this moment has it. */
  account(id = ACCOUNT): CreditsObject {
    return { kind: 'credits', id, generation: this.ledger.generationOf(id), free: this.ledger.freeOf(id) };
  }

  /** What became of a call, as soon as it is told. */
  spend(cost = 1, account = this.account()): { told: Told | null; readonly isLocal: boolean } {
    const outcome = this.leases.spend(account, cost);
    if (!(outcome instanceof Promise)) return { told: outcome, isLocal: true };
    const call: { told: Told | null; isLocal: boolean } = { told: null, isLocal: false };
    outcome.then(
      (spent) => (call.told = spent),
      (error: unknown) => {
        call.told = { failed: error instanceof Error && 'code' in error ? String(error.code) : 'a fault' };
      },
    );
    return call;
  }

  /** A call, and the answer to it. */
  async spent(cost = 1): Promise<Told | null> {
    const call = this.spend(cost);
    await this.time.pass(0);
    return call.told;
  }

  /** The change row of the account comes. */
  change(id = ACCOUNT): void {
    this.leases.onChanges([{ seq: 1n, xid: 1n, kind: 'credits', id, hash: null }]);
  }

  /** Fails where the task broke a rule of the ledger's. */
  assertFaultless(): void {
    assert.deepEqual(this.ledger.faults, []);
  }

  get state(): object | undefined {
    const { free, leased, spent } = this.ledger.generationsOf(ACCOUNT).at(-1) ?? {};
    return { free, leased, spent };
  }
}
