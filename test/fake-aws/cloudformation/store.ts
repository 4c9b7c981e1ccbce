import { Refusal } from '../refusal.ts';
import type { Place } from '../values.ts';
import { Stack } from './stack.ts';

/** All stacks of all accounts and regions, the deleted ones too: AWS shows those for 90 days to whoever has their id. */
export class Stacks {
  readonly #stacks: Stack[] = [];

  /** A stack that nobody sees until it is kept. */
  draft(place: Place, name: string): Stack {
    return new Stack(place, name);
  }

  keep(stack: Stack): void {
    this.#stacks.push(stack);
  }

  /** Those of a place, oldest first. */
  in({ account, region }: Place): readonly Stack[] {
    return this.#stacks.filter((one) => one.account === account && one.region === region);
  }

  /** Those that exist. */
  liveIn(place: Place): readonly Stack[] {
    return this.in(place).filter((stack) => stack.status !== 'DELETE_COMPLETE');
  }

  /** By name, which only a stack that exists answers to, or by id. */
  find(place: Place, nameOrId: string): Stack | undefined {
    return nameOrId.startsWith('arn:')
      ? this.in(place).find((stack) => stack.id === nameOrId)
      : this.liveIn(place).find((stack) => stack.name === nameOrId);
  }

  /** @throws Refusal with the sentence that the CDK's command line knows a missing stack by */
  get(place: Place, nameOrId: string): Stack {
    const stack = this.find(place, nameOrId);
    if (stack === undefined) {
      throw new Refusal('ValidationError', `Stack with id ${nameOrId} does not exist`);
    }
    return stack;
  }

  /** An existing stack that is to be changed. @throws Refusal also for a deleted one */
  live(place: Place, nameOrId: string): Stack {
    const stack = this.find(place, nameOrId);
    if (stack === undefined || stack.status === 'DELETE_COMPLETE') {
      throw new Refusal('ValidationError', `Stack [${nameOrId}] does not exist`);
    }
    return stack;
  }
}
