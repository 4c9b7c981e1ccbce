import { setTimeout as delay } from 'node:timers/promises';
import type { Behaviour } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import type { World } from '../world.ts';
import type { ChangeSet } from './change-set.ts';
import { deleteResources } from './deletion.ts';
import { cleanUp, deploy, DeploymentFailure, type Surroundings } from './deployment.ts';
import { ALL, type Next, oneByOne } from './order.ts';
import { deletionBlock } from './outputs.ts';
import { Provisioner } from './provision.ts';
import { rollBackCreation, rollBackUpdate } from './rollback.ts';
import type { Definition, Stack, StackResource } from './stack.ts';
import { Stacks } from './store.ts';

export interface EngineOptions {
  readonly world: World;
  readonly behaviours: ReadonlyMap<string, Behaviour>;
  /** Milliseconds until a resource that doesn't come into use has failed. AWS waits hours. @default 120000 */
  readonly stabilizeMsMax?: number;
  /** Milliseconds that a call waits at most for the operation that it began, at pace 0. @default 10000 */
  readonly answerMsMax?: number;
  /**
   * Makes and deletes one resource at a time, in an order that the dependencies allow and that the seed chooses. @default all that
   * depend on nothing unfinished at a time
   */
  readonly orderSeed?: number;
}

export type OnFailure = 'DELETE' | 'DO_NOTHING' | 'ROLLBACK';

/**
 * Carries out operations on stacks. An operation never rejects: what goes wrong ends up in the stack's status and events. At the world's
 * pace 0, who begins one is answered when it has ended.
 */
export class Engine implements Surroundings {
  readonly world: World;
  readonly stacks = new Stacks();
  readonly provisioner: Provisioner;
  readonly next: Next;
  readonly #answerMsMax: number;

  constructor({
    world,
    behaviours,
    stabilizeMsMax = 120_000,
    answerMsMax = 10_000,
    orderSeed,
  }: EngineOptions) {
    this.world = world;
    this.next = orderSeed === undefined ? ALL : oneByOne(orderSeed);
    this.provisioner = new Provisioner(world, behaviours, stabilizeMsMax);
    this.#answerMsMax = answerMsMax;
  }

  create(
    stack: Stack,
    definition: Definition,
    {
      onFailure,
      imported = new Map(),
      changeSet,
    }: {
      readonly onFailure: OnFailure;
      readonly imported?: ReadonlyMap<string, string>;
      readonly changeSet?: ChangeSet;
    },
  ): Promise<void> {
    stack.begin('CREATE_IN_PROGRESS', 'User Initiated');
    stack.definition = definition;
    return this.#run(stack, async () => {
      const failure = await this.#deploy(stack, definition, imported);
      if (failure === undefined) {
        stack.undo = [];
        stack.become('CREATE_COMPLETE');
      } else if (onFailure === 'DO_NOTHING') {
        stack.become('CREATE_FAILED', failure);
      } else {
        await rollBackCreation(stack, `${failure}Rollback requested by user.`, this.#rollback(false));
      }
      finish(changeSet, failure);
      if (failure !== undefined && onFailure === 'DELETE') await this.#delete(stack, new Set(), false);
    });
  }

  update(
    stack: Stack,
    definition: Definition,
    {
      disableRollback,
      imported = new Map(),
      changeSet,
      verb = 'UPDATE',
    }: {
      readonly disableRollback: boolean;
      readonly imported?: ReadonlyMap<string, string>;
      readonly changeSet?: ChangeSet;
      readonly verb?: 'IMPORT' | 'UPDATE';
    },
  ): Promise<void> {
    // An update that goes on where another failed goes back to where that one began.
    if (!stack.status.endsWith('_FAILED')) stack.stable = stack.definition;
    const hasNeverBeenWhole = stack.status === 'CREATE_FAILED';
    stack.begin(`${verb}_IN_PROGRESS`, 'User Initiated');
    stack.definition = definition;
    stack.updated = new Date();
    return this.#run(stack, async () => {
      const failure = await this.#deploy(stack, definition, imported);
      if (failure === undefined) {
        stack.become(`${verb}_COMPLETE${verb === 'UPDATE' ? '_CLEANUP_IN_PROGRESS' : ''}`);
        await cleanUp(stack, this);
        if (verb === 'UPDATE') stack.become('UPDATE_COMPLETE');
      } else if (disableRollback) {
        stack.become(hasNeverBeenWhole ? 'CREATE_FAILED' : 'UPDATE_FAILED', failure);
      } else if (hasNeverBeenWhole) {
        await rollBackCreation(stack, failure, this.#rollback(false));
      } else {
        await rollBackUpdate(stack, failure, { ...this.#rollback(false), verb });
      }
      finish(changeSet, failure);
    });
  }

  /** Goes back after a failure that was left as it was (`RollbackStack`). */
  rollBack(stack: Stack, retainExceptOnCreate: boolean): Promise<void> {
    const isCreation = stack.status === 'CREATE_FAILED';
    return this.#run(stack, () =>
      isCreation
        ? rollBackCreation(stack, 'User Initiated', this.#rollback(retainExceptOnCreate))
        : rollBackUpdate(stack, 'User Initiated', this.#rollback(retainExceptOnCreate)),
    );
  }

  /** Tries again to go back, past the resources that are to be skipped. */
  continueRollback(stack: Stack, skip: ReadonlySet<string>): Promise<void> {
    return this.#run(stack, () =>
      rollBackUpdate(stack, 'User Initiated', { ...this.#rollback(false), skip }),
    );
  }

  /**
   * @param retain logical ids to leave behind
   * @param force leaves behind whatever AWS refuses to delete
   */
  delete(stack: Stack, retain: ReadonlySet<string>, force: boolean): Promise<void> {
    const { status } = stack;
    if (status.endsWith('CREATE_IN_PROGRESS')) {
      // What is being made is finished or given up first.
      stack.cancelled = true;
      const running = stack.running;
      return this.#run(stack, async () => {
        await running;
        await this.#delete(stack, retain, force);
      });
    }
    return this.#run(stack, () => this.#delete(stack, retain, force));
  }

  /** Remembers what runs, and awaits it where the world has no pace. */
  async #run(stack: Stack, work: () => Promise<void>): Promise<void> {
    const running = work();
    // A failure of the operation is a mistake of this local AWS; it shows in the stack, and whoever waits goes on.
    stack.running = running.catch((error: unknown) => {
      stack.become(
        `${stack.status.split('_')[0]}_FAILED`,
        `Internal failure of the local AWS: ${error instanceof Error ? error.stack : String(error)}`,
      );
    });
    if (this.world.paceMs === 0) await Promise.race([stack.running, this.#patience()]);
  }

  async #patience(): Promise<void> {
    await delay(this.#answerMsMax, undefined, { ref: false });
  }

  /** @returns why it failed */
  async #deploy(
    stack: Stack,
    definition: Definition,
    imported: ReadonlyMap<string, string>,
  ): Promise<string | undefined> {
    try {
      await deploy(stack, definition, this, imported);
      return undefined;
    } catch (error) {
      if (error instanceof DeploymentFailure || error instanceof Refusal) return error.message;
      throw error;
    }
  }

  #rollback(retainExceptOnCreate: boolean): Parameters<typeof rollBackCreation>[2] {
    return { provisioner: this.provisioner, next: this.next, retainExceptOnCreate };
  }

  async #delete(stack: Stack, retain: ReadonlySet<string>, force: boolean): Promise<void> {
    const before = stack.status;
    stack.begin('DELETE_IN_PROGRESS', 'User Initiated');
    const blocked = deletionBlock(stack, this.stacks);
    if (blocked !== undefined) {
      // Nothing of it was touched: it is again what it was, and says why.
      stack.become(before, `Delete canceled. ${blocked}`);
      return;
    }
    const failed = await this.#deleteAll(stack, retain);
    if (failed.length > 0 && force) {
      await this.#deleteAll(stack, new Set(failed.map(({ logicalId }) => logicalId)));
    } else if (failed.length > 0) {
      const ids = failed.map(({ logicalId }) => logicalId).join(', ');
      stack.become('DELETE_FAILED', `The following resource(s) failed to delete: [${ids}]. `);
      return;
    }
    stack.outputs = [];
    stack.imports = new Set();
    stack.changeSets.clear();
    stack.deleted = new Date();
    stack.become('DELETE_COMPLETE');
  }

  #deleteAll(stack: Stack, retain: ReadonlySet<string>): Promise<readonly StackResource[]> {
    return deleteResources(stack, [...stack.resources.values(), ...stack.superseded], this.provisioner, {
      next: this.next,
      policyOf: (entry) => (retain.has(entry.logicalId) ? 'Retain' : entry.deletionPolicy),
      gone: (entry) => {
        if (stack.resources.get(entry.logicalId) === entry) stack.resources.delete(entry.logicalId);
        stack.superseded = stack.superseded.filter((one) => one !== entry);
      },
    });
  }
}

/** An execution's end. AWS deletes all other change sets of the stack, which were made for what it was before. */
function finish(changeSet: ChangeSet | undefined, failure: string | undefined): void {
  if (changeSet !== undefined)
    changeSet.executionStatus = failure === undefined ? 'EXECUTE_COMPLETE' : 'EXECUTE_FAILED';
}

/** @throws Refusal where another operation is under way, or the last one left the stack in a state that can't be updated */
export function checkUpdatable(stack: Stack): void {
  const isUpdatable =
    /^(?:CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT|IMPORT_ROLLBACK)_COMPLETE$/u.test(stack.status) ||
    stack.status === 'CREATE_FAILED' ||
    stack.status === 'UPDATE_FAILED';
  if (isUpdatable) return;
  throw new Refusal(
    'ValidationError',
    `Stack:${stack.id} is in ${stack.status} state and can not be updated.`,
  );
}
