import type { CreditsObject } from '../service/domain/records.ts';
import type { Epoch } from '../service/domain/revision.ts';
import { CreditLeases } from '../service/limits/credit-leases.ts';
import type { LeaseNumbers, LeaseTimers } from '../service/limits/credit-leases-options.ts';
import type { Clock, CreditLedger } from '../service/verify/ports.ts';

/** One home and its ledger, as the tasks of a simulation see them. */
export interface SimulatedHome {
  readonly ledger: CreditLedger;
  readonly epoch: Epoch;
  /** The account as a record read at this moment has it. */
  account(): CreditsObject | Promise<CreditsObject>;
}

export interface NetworkOptions {
  readonly time: Clock & LeaseTimers;
  readonly home: SimulatedHome;
  /** Numbers from 0 to 1, the same ones in each run of a seed. */
  readonly random: () => number;
  readonly accountId: string;
  /** Of the tasks. */
  readonly numbers?: Partial<LeaseNumbers>;
}

const REQUEST_TIMEOUT_MS = 800;

/** A task of the simulation; one that crashed does and hears nothing more. */
export class SimulatedTask {
  readonly leases: CreditLeases;
  readonly holder: string;
  readonly #network: LeaseNetwork;
  account: CreditsObject;
  epoch: Epoch;
  isAlive = true;
  /** Neither reaches home nor hears of changes. */
  isCutOff = false;
  /** Since when nothing was wrong with it, simulated ms. */
  wellSinceMs: number;
  #ids = 0;

  constructor(network: LeaseNetwork, holder: string, account: CreditsObject) {
    const { time, home, numbers } = network.options;
    this.#network = network;
    this.holder = holder;
    this.account = account;
    this.epoch = home.epoch;
    this.wellSinceMs = time.monotonicMs();
    this.leases = new CreditLeases({
      ledger: {
        draw: async (draw) => await network.send(this, async () => await home.ledger.draw(draw)),
        settle: async (told) => await network.send(this, async () => await home.ledger.settle(told)),
      },
      clock: time,
      timers: { after: (ms, work) => time.after(ms, () => (this.isAlive ? work() : undefined)) },
      holder,
      epoch: () => this.epoch,
      randomId: () => `${holder}-${(this.#ids += 1)}`,
      log: { info: () => {}, warn: () => {} },
      ...(numbers === undefined ? {} : { numbers }),
    });
    this.leases.start();
  }

  /** Asks for credits; whoever asked a task that crashes gets no answer. */
  spend(cost: number): void {
    const { tally } = this.#network;
    const count = ({ spent }: { spent: boolean }): void => {
      if (!this.isAlive) return;
      if (spent) tally.valid += cost;
      else tally.refused += 1;
    };
    // Another object each time, as the keys that share an account may have.
    const outcome = this.leases.spend({ ...this.account }, cost);
    if (outcome instanceof Promise) outcome.then(count, () => (tally.failed += 1));
    else count(outcome);
  }
}

/** What lies between tasks and home: slow, lossy, repeating and reordering, as it is told to be. */
export class LeaseNetwork {
  readonly options: NetworkOptions;
  readonly tally = { valid: 0, refused: 0, failed: 0 };
  readonly tasks: SimulatedTask[] = [];
  /** Part of the messages that are lost, and that come twice. */
  losses = 0;
  /** How long a message takes at most, in ms. */
  delayMs = 50;
  /** Since when the network is well, simulated ms. */
  wellSinceMs = 0;
  #holders = 0;

  constructor(options: NetworkOptions) {
    this.options = options;
  }

  get alive(): readonly SimulatedTask[] {
    return this.tasks.filter(({ isAlive }) => isAlive);
  }

  async join(): Promise<SimulatedTask> {
    this.#holders += 1;
    const account = await this.options.home.account();
    const task = new SimulatedTask(this, `${this.options.accountId}-${this.#holders}`, account);
    this.tasks.push(task);
    return task;
  }

  /** From now on messages take so long at most, and so many of them are lost or repeated. */
  become(state: { delayMs: number; losses: number }): void {
    this.delayMs = state.delayMs;
    this.losses = state.losses;
    this.wellSinceMs = this.options.time.monotonicMs();
  }

  cutOff(task: SimulatedTask, isCutOff: boolean): void {
    task.isCutOff = isCutOff;
    task.wellSinceMs = this.options.time.monotonicMs();
  }

  healAll(): void {
    this.become({ delayMs: 50, losses: 0 });
    for (const task of this.tasks) this.cutOff(task, false);
  }

  /** Tasks that could have given back everything by now. */
  wellFor(ms: number): readonly SimulatedTask[] {
    const beforeMs = this.options.time.monotonicMs() - ms;
    const isWell = this.delayMs <= 50 && this.losses === 0 && this.wellSinceMs <= beforeMs;
    if (!isWell) return [];
    return this.alive.filter((task) => !task.isCutOff && task.wellSinceMs <= beforeMs);
  }

  /** The feed: nothing of it is lost, but it comes late. */
  tellChange(seq: bigint): void {
    for (const task of this.alive) this.#deliver(task, async () => await this.#change(task, seq));
  }

  tellEpoch(epoch: Epoch): void {
    for (const task of this.alive) {
      this.#deliver(task, () => {
        task.epoch = epoch;
        task.leases.onEpoch(epoch);
      });
    }
  }

  async #change(task: SimulatedTask, seq: bigint): Promise<void> {
    const { accountId, home } = this.options;
    task.leases.onChanges([{ seq, xid: seq, kind: 'credits', id: accountId, hash: null }]);
    task.account = await home.account();
  }

  #deliver(task: SimulatedTask, work: () => unknown): void {
    const { time } = this.options;
    time.after(this.#delay(), () => {
      if (!task.isAlive) return;
      if (task.isCutOff) this.#deliver(task, work);
      else work();
    });
  }

  /** A request of a task to home: done no times, once or twice; answered late or never, and given up after a while. */
  async send<T>(task: SimulatedTask, request: () => Promise<T>): Promise<T> {
    const { time, random } = this.options;
    return await new Promise((resolve, reject) => {
      time.after(REQUEST_TIMEOUT_MS * (this.delayMs > 50 ? 3 : 2), () => reject(new Error('no answer')));
      const isLost = (): boolean => !task.isAlive || task.isCutOff || random() < this.losses;
      const copies = random() < this.losses ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        if (isLost()) continue;
        const arrive = async (): Promise<void> => {
          try {
            const answer = await request();
            if (!isLost()) time.after(this.#delay(), () => (task.isAlive ? resolve(answer) : undefined));
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        };
        time.after(this.#delay(), () => void arrive());
      }
    });
  }

  #delay(): number {
    return Math.ceil(this.options.random() * this.delayMs);
  }
}

/** Numbers from 0 to 1 that follow from the seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
