import { join } from 'node:path';
import { readJson, writeJson } from '../lib/json-file.ts';
import { UserError } from '../lib/user-error.ts';
import { WaitTimeout } from '../lib/wait.ts';
import type { PostgresNode } from './postgres/node.ts';
import {
  currentTimeline,
  follow,
  hasDiverged,
  makeStandby,
  mayFollowAfterStop,
  pauseReplay,
  promote,
  replicationState,
  type ReplicationState,
  resumeReplay,
  setApplyDelay,
  waitForCatchUp,
  waitForStopped,
  waitUntilStreaming,
} from './postgres/replication.ts';

export interface ZoneDatabasesOptions {
  readonly zone: string;
  /** Region of the first home. */
  readonly origin: string;
  /** By region, the origin's first. */
  readonly nodes: ReadonlyMap<string, PostgresNode>;
  /** Folder of the zone's databases. */
  readonly dataDir: string;
  /** Told in one sentence of everything that the person should know and didn't ask for. */
  readonly onNotice: (sentence: string) => void;
}

const startTimeoutMs = 30_000;
/** A standby that doesn't stream after so long can't follow (its primary has dropped what it needs) and is made anew. */
const followTimeoutMs = 5_000;
const switchoverTimeoutMs = 15_000;

/**
 * The databases of one zone: one primary and a standby per replica region, whatever happened to them before. Which region is home
 * is kept in `home.json` beside the data and written before a promotion, so that an interrupted one is completed at the next start.
 * Its methods must not run at the same time: the platform runs one at a time.
 */
export class ZoneDatabases {
  readonly #options: ZoneDatabasesOptions;
  readonly #applyDelayMs = new Map<string, number>();

  constructor(options: ZoneDatabasesOptions) {
    this.#options = options;
  }

  /** Region that holds the writer. */
  get home(): string {
    // Written by #setHome only.
    return (readJson(this.#homeFile) as { home: string } | undefined)?.home ?? this.#options.origin;
  }

  node(region: string): PostgresNode {
    const node = this.#options.nodes.get(region);
    if (node === undefined) throw new Error(`zone ${this.#options.zone} has no database in ${region}`);
    return node;
  }

  get #homeFile(): string {
    return join(this.#options.dataDir, 'home.json');
  }

  #setHome(region: string): void {
    writeJson(this.#homeFile, { home: region });
  }

  /** How many nodes have to be made and how many are there. */
  get counts(): { readonly fresh: number; readonly kept: number } {
    const nodes = [...this.#options.nodes.values()];
    const kept = nodes.filter((node) => node.isInitialised).length;
    return { fresh: nodes.length - kept, kept };
  }

  /** Starts the home's database, making it on the first start. */
  async startHome(): Promise<void> {
    const node = this.node(this.home);
    if (!node.isInitialised) await node.init();
    await node.start(startTimeoutMs);
    if (node.isStandby) {
      await promote(node);
      this.#options.onNotice(`The promotion of ${node.name}, which was interrupted, is complete.`);
    }
  }

  /** Starts all standbys, making those that are missing or can't follow. The home's database must run. */
  async startStandbys(): Promise<void> {
    await Promise.all(
      [...this.#options.nodes.keys()]
        .filter((region) => region !== this.home)
        .map((region) => this.startStandby(region)),
    );
  }

  /** Returns true where it had to be made anew from the home's. */
  async startStandby(region: string): Promise<boolean> {
    const [node, primary] = [this.node(region), this.node(this.home)];
    if (!primary.isRunning) {
      await this.#startAlone(node);
      return false;
    }
    if (!node.isInitialised) {
      await makeStandby(primary, node, startTimeoutMs);
      return false;
    }
    if (!node.isStandby) {
      this.#options.onNotice(
        `${region} was the home of zone ${this.#options.zone} before ${this.home} was promoted: its database is rebuilt as a standby.`,
      );
      await makeStandby(primary, node, startTimeoutMs);
      return true;
    }
    return this.#rejoin(node, primary);
  }

  /** A standby without a home: it shows what it has and follows once there is one. */
  async #startAlone(node: PostgresNode): Promise<void> {
    if (!node.isInitialised || !node.isStandby) {
      throw new UserError(
        `The database of ${node.name} has to be rebuilt from the home's in ${this.home}, which doesn't run: start ${this.home} first, or promote another region.`,
      );
    }
    follow(node, this.node(this.home), this.#delayOf(node.name));
    await node.start(startTimeoutMs);
  }

  /** Lets a standby follow the primary; where its history doesn't allow that, makes it anew. Returns true for the latter. */
  async #rejoin(node: PostgresNode, primary: PostgresNode): Promise<boolean> {
    follow(node, primary, this.#delayOf(node.name));
    await node.start(startTimeoutMs);
    if (!(await hasDiverged(node, primary)) && (await this.#streams(node))) return false;
    this.#options.onNotice(
      `The database of ${node.name} can't follow ${primary.name} any more and is rebuilt.`,
    );
    await makeStandby(primary, node, startTimeoutMs);
    follow(node, primary, this.#delayOf(node.name));
    return true;
  }

  async #streams(node: PostgresNode): Promise<boolean> {
    try {
      await waitUntilStreaming(node, followTimeoutMs);
      return true;
    } catch (error) {
      if (error instanceof WaitTimeout) return false;
      throw error;
    }
  }

  #delayOf(region: string): number {
    return this.#applyDelayMs.get(region) ?? 0;
  }

  /** Starts one region's database after it was down, in the role that it has by now. Returns true where it was made anew. */
  async start(region: string): Promise<boolean> {
    if (this.node(region).isRunning) return false;
    if (region !== this.home) return this.startStandby(region);
    await this.startHome();
    return false;
  }

  async pause(region: string): Promise<void> {
    await pauseReplay(this.#runningStandby(region));
  }

  async resume(region: string): Promise<void> {
    await resumeReplay(this.#runningStandby(region));
  }

  async setLag(region: string, lagMs: number): Promise<void> {
    const standby = this.#runningStandby(region);
    await setApplyDelay(standby, this.node(this.home), lagMs);
    this.#applyDelayMs.set(region, lagMs);
  }

  #runningStandby(region: string): PostgresNode {
    if (region === this.home) {
      throw new UserError(
        `${region} is the home of zone ${this.#options.zone}: only a replica's replication can be changed.`,
      );
    }
    return this.#running(region);
  }

  #running(region: string): PostgresNode {
    const node = this.node(region);
    if (!node.isRunning) {
      throw new UserError(
        `The database of ${region} doesn't run: \`npx keyhearth local start ${region}\` starts it.`,
      );
    }
    return node;
  }

  /**
   * Makes `region` the home. With the old home's database alive nothing is lost: it is stopped, the new one replays all of it, then the old one
   * follows. With it dead, what had not arrived is lost. Returns which of the two it was; the new home accepts writes by then.
   */
  async promote(region: string): Promise<'switchover' | 'failover'> {
    if (region === this.home)
      throw new UserError(`${region} is the home of zone ${this.#options.zone} already.`);
    const candidate = this.#running(region);
    const old = this.node(this.home);
    const kind = old.isRunning ? 'switchover' : 'failover';
    await resumeReplay(candidate);
    this.#applyDelayMs.delete(region);
    await setApplyDelay(candidate, old, 0);
    if (kind === 'switchover') await this.#switchOver(old, candidate);
    else await this.#failOver(candidate);
    await this.#regroup(candidate, kind === 'switchover' ? old : undefined);
    return kind;
  }

  async #switchOver(old: PostgresNode, candidate: PostgresNode): Promise<void> {
    try {
      await waitForCatchUp(candidate, old, switchoverTimeoutMs);
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      throw new UserError(
        `${candidate.name} doesn't catch up with ${old.name}, so it wasn't promoted: ${error.message}.`,
      );
    }
    const timeline = await currentTimeline(old);
    await old.stop('fast');
    try {
      await waitForStopped(candidate, old, switchoverTimeoutMs);
    } catch (error) {
      await old.start(startTimeoutMs);
      if (!(error instanceof WaitTimeout)) throw error;
      throw new UserError(
        `${candidate.name} didn't receive the last writes of ${old.name}, which is home again: ${error.message}.`,
      );
    }
    this.#setHome(candidate.name);
    await promote(candidate);
    if (await mayFollowAfterStop(old, candidate, timeline)) follow(old, candidate);
  }

  async #failOver(candidate: PostgresNode): Promise<void> {
    this.#setHome(candidate.name);
    await promote(candidate);
  }

  /** All others that run follow the new home, and the old one after a switchover. */
  async #regroup(primary: PostgresNode, old: PostgresNode | undefined): Promise<void> {
    const others = [...this.#options.nodes.values()].filter(
      (node) => node !== primary && node !== old && node.isRunning,
    );
    await Promise.all([
      ...others.map((node) => this.#rejoin(node, primary)),
      ...(old === undefined ? [] : [this.startStandby(old.name)]),
    ]);
  }

  async state(region: string): Promise<ReplicationState | undefined> {
    const node = this.node(region);
    return node.isRunning ? replicationState(node) : undefined;
  }

  /** Stops the home first, while its standbys still take what it has left to say. */
  async stop(): Promise<void> {
    const nodes = [...this.#options.nodes.values()];
    await this.node(this.home).stop('fast');
    await Promise.all(nodes.map((node) => node.stop('fast')));
  }
}
