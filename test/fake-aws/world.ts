import { setTimeout as delay } from 'node:timers/promises';
import { Objects } from './objects.ts';
import { Images } from './registry/images.ts';
import type { TaskRunner } from './task-runner.ts';
import { GLOBAL, type Json, type Place, type Properties } from './values.ts';

/** Something that exists in AWS, whether a stack made it or a call. */
export interface Resource extends Place {
  /** CloudFormation's name of its type. */
  readonly type: string;
  /** Its physical id: what `Ref` gives. Unique among its type in its place. */
  readonly id: string;
  /** As last asked for, with every intrinsic function resolved. */
  properties: Properties;
  /** What `Fn::GetAtt` gives, by dotted name. */
  attributes: Properties;
  /** Id of the stack that it belongs to; null for none. */
  stack: string | null;
  /** What AWS knows of it beyond its properties: whether an accelerator is deployed, who writes in a database, … */
  readonly state: Map<string, Json>;
}

export interface WorldOptions {
  /**
   * Milliseconds for what takes AWS minutes (an accelerator that is being deployed, a step of a stack). 0: everything is done when the
   * call that began it is answered. @default 0
   */
  readonly paceMs?: number;
  /** Runs what ECS is told to run. @default tasks count as running, and no process is behind them */
  readonly runner?: TaskRunner;
}

/** All that exists, in every account and region. In memory; gone with the process. */
export class World {
  /** As of `WorldOptions`; may be changed at any time, for what begins after that. */
  paceMs: number;
  readonly runner: TaskRunner | null;
  readonly images = new Images();
  readonly objects = new Objects();
  readonly #resources = new Map<string, Resource>();
  #ids = 0;

  constructor({ paceMs = 0, runner }: WorldOptions = {}) {
    this.paceMs = paceMs;
    this.runner = runner ?? null;
  }

  /** Throws an Error where there is one of that type and id in its place: whoever adds has to refuse a taken name first. */
  add(made: Omit<Resource, 'state'> & { readonly state?: ReadonlyMap<string, Json> }): Resource {
    const key = keyOf(made, made.type, made.id);
    if (this.#resources.has(key)) throw new Error(`there is a ${made.type} ${made.id} already`);
    const resource: Resource = { ...made, state: new Map(made.state) };
    this.#resources.set(key, resource);
    return resource;
  }

  remove({ account, region, type, id }: Resource): void {
    this.#resources.delete(keyOf({ account, region }, type, id));
  }

  find(place: Place, type: string, id: string): Resource | undefined {
    return this.#resources.get(keyOf(place, type, id));
  }

  /** All of a type: in a place, or in every one. */
  all(type: string, place?: Place): readonly Resource[] {
    return [...this.#resources.values()].filter(
      (one) =>
        one.type === type &&
        (place === undefined || (one.account === place.account && one.region === place.region)),
    );
  }

  everything(): readonly Resource[] {
    return [...this.#resources.values()];
  }

  /** Hex digits that no other call gets: for ids that AWS makes up. The same run gives the same ones. */
  hex(digits: number): string {
    this.#ids += 1;
    return this.#ids.toString(16).padStart(digits, '0').slice(-digits);
  }

  /** As long as AWS takes for a step; nothing at pace 0. */
  async step(): Promise<void> {
    if (this.paceMs > 0) await delay(this.paceMs);
  }

  /** Does it after a step: at once at pace 0. What it does must not throw. */
  later(work: () => void): void {
    if (this.paceMs > 0) setTimeout(work, this.paceMs).unref();
    else work();
  }
}

/** The place of what an account has once. */
export function globalPlace({ account }: Place): Place {
  return { account, region: GLOBAL };
}

function keyOf({ account, region }: Place, type: string, id: string): string {
  return `${account}/${region}/${type}/${id}`;
}
