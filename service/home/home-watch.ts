import { randomBytes } from 'node:crypto';
import { newEpochId, type RandomBytes } from '../domain/ids.ts';
import { compareEpochs, type Epoch } from '../domain/revision.ts';
import type { Peers, PeerState } from '../peers/types.ts';
import { decideHome, HEARTBEAT_DOUBT_MS } from './decide-home.ts';
import { startEpoch, viewWriter, type EpochRow, type WriterView } from './epochs.ts';
import { backoff, repeat, within } from './loop.ts';
import type { Database, FeedView, Log } from './ports.ts';
import type { HomeLocator, HomeState } from './types.ts';

export interface HomeWatchOptions {
  readonly region: string;
  /** Region in which the zone's database was first made; it starts the first epoch. */
  readonly origin: string;
  /** On the region's own writer endpoint. */
  readonly database: Database;
  readonly peers: Pick<Peers, 'regions' | 'state'>;
  /** What this task's own feed last saw; null before its first poll. */
  readonly feedView: () => FeedView | null;
  readonly log: Log;
  /** @default 1000 */
  readonly checkMs?: number;
  /** For the writer's and for a peer's answer. @default 1500 */
  readonly answerTimeoutMs?: number;
  readonly randomBytes?: RandomBytes;
}

export interface HomeWatchCounters {
  checks: number;
  /** The writer endpoint gave no answer. */
  failedChecks: number;
  takeovers: number;
  /** Times that the answer to "where is home?" became another one. */
  moves: number;
}

const BACKOFF_MAX_MS = 3000;

/**
 * Discovers where the home is, again each second, and takes over where this region's writer was promoted. Owned by main: `start`
 * returns after the first check, `stop` ends the loop. What it says may be out of date by one check; the fence inside each write
 * is what makes that harmless.
 */
export class HomeWatch implements HomeLocator {
  readonly counters: HomeWatchCounters = { checks: 0, failedChecks: 0, takeovers: 0, moves: 0 };
  readonly #options: HomeWatchOptions;
  readonly #checkMs: number;
  readonly #answerTimeoutMs: number;
  readonly #randomBytes: RandomBytes;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<(state: HomeState) => void>();
  #state: HomeState = { at: 'unknown', reason: 'this task has only just started' };
  #highest: Epoch | null = null;
  #failures = 0;
  #loop: Promise<void> | null = null;

  constructor(options: HomeWatchOptions) {
    this.#options = options;
    this.#checkMs = options.checkMs ?? 1000;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? 1500;
    this.#randomBytes = options.randomBytes ?? randomBytes;
  }

  current(): HomeState {
    return this.#state;
  }

  /** The epoch in which this task is at home; null: it isn't. */
  epoch(): Epoch | null {
    return this.#state.at === 'here' ? this.#state.epoch : null;
  }

  /** What this task tells its peers. */
  peerState(taskId: string): PeerState {
    const { region } = this.#options;
    const state = this.#state;
    this.#learn(this.#options.feedView()?.epoch ?? null);
    const homeRegion = state.at === 'here' ? region : state.at === 'elsewhere' ? state.region : null;
    return { region, taskId, epoch: this.#highest, homeRegion };
  }

  /** Calls back when the home is another one, or becomes known or unknown. */
  onMove(listener: (state: HomeState) => void): void {
    this.#listeners.add(listener);
  }

  async start(): Promise<void> {
    if (this.#loop !== null) throw new Error('the home watch was started twice');
    const firstPauseMs = await this.#step();
    let first = true;
    this.#loop = repeat(async () => {
      if (!first) return await this.#step();
      first = false;
      return firstPauseMs;
    }, this.#abort.signal);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
  }

  /** Looks now, not at the next regular time. A look that fails makes the home unknown. */
  async look(): Promise<HomeState> {
    await this.#step();
    return this.#state;
  }

  /** One look; fails where it can't be made. */
  async check(): Promise<HomeState> {
    this.counters.checks += 1;
    const { region, origin, feedView, database } = this.#options;
    const writer = await this.#viewWriter();
    this.#failures = writer.kind === 'unreachable' ? this.#failures + 1 : 0;
    const feed = feedView();
    const doubtful = feed === null || feed.heartbeatAgeMs > HEARTBEAT_DOUBT_MS;
    const peers = writer.kind === 'writable' || doubtful ? await this.#askPeers() : [];
    for (const known of [feed, ...peers]) this.#learn(known?.epoch ?? null);
    if (writer.kind === 'writable') this.#learn(writer.latest?.epoch ?? null);
    const decision = decideHome({ region, origin, writer, feed, peers });
    if (decision.kind === 'is') this.#moveTo(decision.state);
    else this.#moveTo(await this.#takeOver(database, decision.replaces));
    return this.#state;
  }

  async #step(): Promise<number> {
    try {
      await this.check();
    } catch (error) {
      this.#failures += 1;
      this.#options.log.error({ err: error }, 'the home could not be looked for');
      this.#moveTo({ at: 'unknown', reason: 'looking for the home failed' });
    }
    return backoff(this.#checkMs, this.#failures, BACKOFF_MAX_MS);
  }

  async #viewWriter(): Promise<WriterView> {
    try {
      return await within(this.#answerTimeoutMs, 'the writer endpoint', viewWriter(this.#options.database));
    } catch (error) {
      this.counters.failedChecks += 1;
      return { kind: 'unreachable', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Those that answer in time. One that doesn't is as good as gone: a home mustn't depend on all others being there. */
  async #askPeers(): Promise<readonly PeerState[]> {
    const { peers } = this.#options;
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(this.#answerTimeoutMs)]);
    const answers = await Promise.allSettled(peers.regions.map((region) => peers.state(region, signal)));
    return answers.filter((answer) => answer.status === 'fulfilled').map((answer) => answer.value);
  }

  /** Above every epoch that was ever heard of, so that two histories never share a number that somebody has seen. */
  async #takeOver(database: Database, replaces: EpochRow | null): Promise<HomeState> {
    const { region, log } = this.#options;
    const counter = (this.#highest?.counter ?? 0) + 1;
    const next: EpochRow = { epoch: { counter, id: newEpochId(this.#randomBytes) }, region };
    const started = await startEpoch(database, { expected: replaces, next });
    // Another task of this region was faster: the next check finds its epoch.
    if (!started) return { at: 'unknown', reason: 'this region is taking over' };
    this.counters.takeovers += 1;
    this.#learn(next.epoch);
    log.warn({ epoch: next.epoch, before: replaces }, 'this region took over as home');
    return { at: 'here', epoch: next.epoch };
  }

  #learn(epoch: Epoch | null): void {
    if (epoch === null) return;
    if (this.#highest === null || compareEpochs(epoch, this.#highest) > 0) this.#highest = epoch;
  }

  #moveTo(state: HomeState): void {
    const before = this.#state;
    this.#state = state;
    if (describe(before) === describe(state)) return;
    this.counters.moves += 1;
    this.#options.log.info({ before, home: state }, 'where the home is has changed');
    for (const listener of this.#listeners) listener(state);
  }
}

/** Without the reason, which may change each second while nothing moves. */
function describe(state: HomeState): string {
  if (state.at === 'unknown') return 'unknown';
  const where = state.at === 'here' ? 'here' : state.region;
  return `${where} ${state.epoch.counter}.${state.epoch.id}`;
}
