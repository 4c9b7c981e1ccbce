import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LeaseNetwork, randomOf } from '../../test/lease-network.ts';
import { ModelLedger } from '../../test/model-ledger.ts';
import { SimulatedTime } from '../../test/simulated-time.ts';

const ACCOUNT = 'ca_1';
const TASKS = 3;
/** So long after everything is well, whoever is asked for a lease has given it back. */
const WELL_MS = 4000;

type Step =
  | { readonly do: 'spend'; readonly task: number; readonly cost: number; readonly times: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'crash' | 'cut off' | 'heal'; readonly task: number }
  | { readonly do: 'network'; readonly delayMs: number; readonly losses: number }
  | { readonly do: 'set' | 'add'; readonly credits: number }
  | { readonly do: 'epoch' };

const TASK = fc.nat(TASKS - 1);
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('spend' as const),
      task: TASK,
      cost: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 300 })),
      times: fc.integer({ min: 1, max: 120 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.oneof(fc.nat(200), fc.nat(6000), fc.nat(40_000)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), task: TASK }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('cut off' as const, 'heal' as const), task: TASK }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Step>(
      { do: 'network', delayMs: 50, losses: 0 },
      { do: 'network', delayMs: 50, losses: 0.3 },
      { do: 'network', delayMs: 900, losses: 0.05 },
      { do: 'network', delayMs: 3000, losses: 0 },
    ),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('set' as const), credits: fc.nat(8000) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('add' as const), credits: fc.integer({ min: -2000, max: 2000 }) }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'epoch' }) },
);

/** Several tasks, a network and the model of the ledger, held to the rules at every step. */
class Simulation {
  readonly time = new SimulatedTime();
  readonly ledger = new ModelLedger(this.time);
  readonly network: LeaseNetwork;
  readonly crashed = new Set<string>();
  #changes = 0n;

  constructor(seed: number, granted: number) {
    const { ledger, time } = this;
    const account = () => ({
      kind: 'credits' as const,
      id: ACCOUNT,
      generation: ledger.generationOf(ACCOUNT),
      free: ledger.freeOf(ACCOUNT),
    });
    const home = {
      ledger,
      account,
      get epoch() {
        return ledger.epoch;
      },
    };
    this.network = new LeaseNetwork({ time, home, random: randomOf(seed), accountId: ACCOUNT });
    ledger.onChange = () => this.network.tellChange((this.#changes += 1n));
    ledger.onRefuse = ({ cost }) => this.#checkRefusal(cost);
    ledger.set(ACCOUNT, granted);
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (let n = 0; n < TASKS; n += 1) await this.network.join();
    for (const step of steps) {
      await this.#do(step);
      this.check();
    }
  }

  async pass(ms: number): Promise<void> {
    await this.time.pass(ms, () => this.check());
  }

  async #do(step: Step): Promise<void> {
    const { network, ledger } = this;
    const task = 'task' in step ? network.alive[step.task] : undefined;
    if (step.do === 'spend') {
      for (let n = 0; n < step.times; n += 1) task?.spend(step.cost);
      await this.pass(0);
    } else if (step.do === 'pass') {
      await this.pass(step.ms);
    } else if (step.do === 'network') {
      network.become(step);
    } else if (step.do === 'set') {
      ledger.set(ACCOUNT, step.credits);
    } else if (step.do === 'add') {
      ledger.add(ACCOUNT, step.credits);
    } else if (step.do === 'epoch') {
      ledger.epoch = { counter: ledger.epoch.counter + 1, id: 'aaaaaaaa' };
      network.tellEpoch(ledger.epoch);
    } else if (task !== undefined) {
      if (step.do === 'crash') {
        task.isAlive = false;
        this.crashed.add(task.holder);
        await network.join();
      } else network.cutOff(task, step.do === 'cut off');
    }
  }

  /** Every credit that was granted is in one place, and what callers were told is covered by what the ledger knows to be out. */
  check(): void {
    let out = 0;
    for (const { granted, free, leased, spent, voided } of this.ledger.generationsOf(ACCOUNT)) {
      assert.equal(granted, free + leased + spent + voided);
      assert.ok(Math.min(free, leased, spent, voided) >= 0, 'less than nothing');
      out += leased + spent;
    }
    const { valid } = this.network.tally;
    assert.ok(valid <= out, `${valid} credits were told to be spent, ${out} are out`);
    assert.deepEqual(this.ledger.faults, []);
  }

  /** Nobody is refused for credits that lie in a lease of a task that can be reached. */
  #checkRefusal(cost: number): void {
    const well = new Set(this.network.wellFor(WELL_MS).map(({ holder }) => holder));
    if (well.size === 0) return;
    const had = this.ledger.freeOf(ACCOUNT) + this.ledger.leasedTo(ACCOUNT, well, 'present');
    if (had >= cost) this.ledger.faults.push(`refused ${cost} of ${had}`);
  }

  async heal(): Promise<void> {
    this.network.healAll();
    await this.pass(15_000);
  }
}

test('whatever happens: never more than was granted, and what isn’t spent is free again', async () => {
  let valid = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.nat(20_000),
      fc.array(STEP, { maxLength: 40 }),
      async (seed, granted, steps) => {
        const simulation = new Simulation(seed, granted);
        const { network, ledger, crashed } = simulation;
        await simulation.run(steps);
        await simulation.heal();
        const stopping = Promise.all(network.alive.map(async ({ leases }) => await leases.stop()));
        await simulation.pass(4000);
        await stopping;
        valid += network.tally.valid;
        const all = ledger.generationsOf(ACCOUNT);
        const spent = all.reduce((sum, generation) => sum + generation.spent, 0);
        const leased = all.reduce((sum, generation) => sum + generation.leased, 0);
        // What crashed tasks held is all that is missing.
        expect(leased).toBe(ledger.leasedTo(ACCOUNT, crashed, 'all'));
        if (crashed.size === 0) expect(network.tally.valid).toBe(spent);
      },
    ),
    // Shrinking a story takes longer than the test may.
    { numRuns: 50, endOnFailure: true },
  );
  // Of what a run grants, a good part is spent.
  expect(valid).toBeGreaterThan(20_000);
}, 60_000);

test('after any storm a single caller counts down to zero by one, and one gets all that others hold', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(STEP, { maxLength: 15 }),
      fc.integer({ min: 1, max: 600 }),
      async (seed, steps, credits) => {
        const simulation = new Simulation(seed, 5000);
        const { network, ledger } = simulation;
        await simulation.run(steps);
        await simulation.heal();
        const before = network.tally.valid;
        const crashedNow = simulation.crashed.size;
        ledger.set(ACCOUNT, credits);
        await simulation.pass(1000);
        // All of them hold leases; then one goes on alone, and isn't refused while there is a credit left anywhere.
        for (let turn = 0; network.tally.valid - before < credits && turn < 2 * credits; turn += 1) {
          for (const task of turn === 0 ? network.alive : network.alive.slice(0, 1)) task.spend(1);
          await simulation.pass(50);
        }
        await simulation.pass(5000);
        expect(network.tally.valid - before).toBe(credits);
        expect(simulation.crashed.size).toBe(crashedNow);

        ledger.set(ACCOUNT, 12);
        await simulation.pass(1000);
        const [task] = network.alive;
        const told: unknown[] = [];
        for (let left = 11; left >= -1; left -= 1) {
          const outcome = Promise.resolve(task?.leases.spend(task.account, 1));
          void outcome.then((answer) => told.push(answer));
          await simulation.pass(500);
        }
        const expected = Array.from({ length: 12 }, (_, n) => ({ spent: true, free: 11 - n }));
        expect(told).toEqual([...expected, { spent: false, free: 0 }]);
      },
    ),
    { numRuns: 10 },
  );
}, 60_000);
