import { randomBytes } from 'node:crypto';
import { newEpochId, type RandomBytes } from '../domain/ids.ts';
import { compareEpochs, sameEpoch, type Epoch } from '../domain/revision.ts';
import type { Peers, PeerState } from '../peers/types.ts';
import {
  decideHome,
  HEARTBEAT_DOUBT_MS,
  highestOf,
  homesOf,
  isElsewhere,
  isHere,
  knownOf,
  type KnownEpoch,
} from './decide-home.ts';
import { startEpoch, viewWriter, type EpochRow, type WriterView } from './epochs.ts';
import { backoff, repeat, within } from './loop.ts';
import type { Listening } from './listening.ts';
import type { Members } from './members.ts';
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
  /** Where the regions to ask are found in the data. @default the configuration names all of them */
  readonly members?: Pick<Members, 'learnHomes' | 'readWriter' | 'refresh'>;
  /** Hears what other regions say before this one is home; `peers` must then reach the own region, too. @default null */
  readonly listening?: Listening | null;
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
  /** Never forgotten while the process lives, and at least as high as the epoch in which home is here. */
  #highest: KnownEpoch | null = null;
  #failures = 0;
  #loop: Promise<void> | null = null;
  #looking: Promise<number> | null = null;
  #nextLook: Promise<number> | null = null;

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

  /** What this task tells its peers: the highest epoch it knows of, and where it believes the home to be. */
  peerState(taskId: string): PeerState {
    const { region } = this.#options;
    this.#heedFeed();
    const state = this.#state;
    const epoch = this.#highest?.epoch ?? null;
    // Who hears of both takes the region for that of the epoch.
    const ofEpoch = state.at !== 'unknown' && epoch !== null && sameEpoch(state.epoch, epoch);
    const homeRegion = !ofEpoch ? null : state.at === 'here' ? region : state.region;
    return { region, taskId, epoch, homeRegion };
  }

  /** Calls back when the home is another one, or becomes known or unknown. */
  onMove(listener: (state: HomeState) => void): void {
    this.#listeners.add(listener);
  }

  async start(): Promise<void> {
    if (this.#loop !== null) throw new Error('the home watch was started twice');
    await this.#options.members?.refresh();
    const firstPauseMs = await this.#lookOnce();
    let first = true;
    this.#loop = repeat(async () => {
      if (!first) return await this.#lookOnce();
      first = false;
      return firstPauseMs;
    }, this.#abort.signal);
  }

  /** Ends the loop, and returns when no look is under way any more; later ones aren't made. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
    await this.#nextLook;
    await this.#looking;
  }

  /**
   * Looks now, not at the next regular time, and returns what a look that began after this call has found. A look that fails makes
   * the home unknown.
   */
  async look(): Promise<HomeState> {
    this.#heedFeed();
    await this.#lookOnce();
    return this.#state;
  }

  /**
   * One look at a time, or an older one that took longer would overwrite what a newer one found. Whoever asks while one is under
   * way shares the next one with all others who do. Returns the ms until another one is due.
   */
  async #lookOnce(): Promise<number> {
    if (this.#looking === null) return await this.#beginLook();
    this.#nextLook ??= this.#looking.then(async () => {
      this.#nextLook = null;
      return await (this.#looking ?? this.#beginLook());
    });
    return await this.#nextLook;
  }

  #beginLook(): Promise<number> {
    this.#looking = this.#step().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #step(): Promise<number> {
    if (this.#abort.signal.aborted) return this.#checkMs;
    try {
      await this.#check();
    } catch (error) {
      this.#failures += 1;
      this.#options.log.error({ err: error }, 'the home could not be looked for');
      this.#moveTo({ at: 'unknown', reason: 'looking for the home failed' });
    }
    return backoff(this.#checkMs, this.#failures, BACKOFF_MAX_MS);
  }

  async #check(): Promise<void> {
    this.counters.checks += 1;
    const { region, origin, feedView, database, members } = this.#options;
    void members?.refresh();
    const writer = await this.#viewWriter();
    this.#failures = writer.kind === 'unreachable' ? this.#failures + 1 : 0;
    const first = feedView();
    const doubtful = first === null || first.heartbeatAgeMs > HEARTBEAT_DOUBT_MS;
    const peers = writer.kind === 'writable' || doubtful ? await this.#askPeers() : [];
    for (const peer of peers) this.#learn(knownOf(peer));
    // What the database says of an epoch's region counts more than what a peer believes, so it comes last.
    const feed = this.#learnFromFeed();
    if (writer.kind === 'writable' && writer.latest !== null) {
      this.#learn({ epoch: writer.latest.epoch, homeRegion: writer.latest.region });
    }
    members?.learnHomes(homesOf(this.#highest, feed, this.#state));
    const decision = decideHome({ region, origin, writer, feed, peers, highest: this.#highest });
    if (isHere(decision) && this.#options.listening?.mustWait(feed) === true) {
      this.#moveTo({ at: 'unknown', reason: 'this task listens for a later home first' });
    } else if (decision.kind === 'is') this.#moveTo(decision.state);
    else this.#moveTo(await this.#takeOver(database, decision.replaces));
  }

  async #viewWriter(): Promise<WriterView> {
    const { database, members } = this.#options;
    const view = async (): Promise<WriterView> => {
      const writer = await viewWriter(database);
      await members?.readWriter(writer.kind === 'writable' ? database : null);
      return writer;
    };
    try {
      return await within(this.#answerTimeoutMs, 'the writer endpoint', view());
    } catch (error) {
      this.counters.failedChecks += 1;
      return { kind: 'unreachable', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Those that answer in time. One that doesn't is as good as gone: a home mustn't depend on all others being there. */
  async #askPeers(): Promise<readonly PeerState[]> {
    const { peers, region, listening = null } = this.#options;
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(this.#answerTimeoutMs)]);
    const asked = peers.regions.map((other) => peers.state(other, signal));
    if (listening?.isOver === false) asked.push(listening.heed(peers.state(region, signal)));
    const answers = await Promise.allSettled(asked);
    return answers.filter((answer) => answer.status === 'fulfilled').map((answer) => answer.value);
  }

  /** Above every epoch that was ever heard of, so that two histories never share a number that somebody has seen. */
  async #takeOver(database: Database, replaces: EpochRow | null): Promise<HomeState> {
    const { region, log } = this.#options;
    const counter = (this.#highest?.epoch.counter ?? 0) + 1;
    const next: EpochRow = { epoch: { counter, id: newEpochId(this.#randomBytes) }, region };
    const started = await startEpoch(database, { expected: replaces, next });
    // Another task of this region was faster: the next check finds its epoch.
    if (!started) return { at: 'unknown', reason: 'this region is taking over' };
    this.counters.takeovers += 1;
    this.#learn({ epoch: next.epoch, homeRegion: region });
    log.warn({ epoch: next.epoch, before: replaces }, 'this region took over as home');
    return { at: 'here', epoch: next.epoch };
  }

  #learnFromFeed(): FeedView | null {
    const feed = this.#options.feedView();
    if (feed !== null) this.#learn({ epoch: feed.epoch, homeRegion: feed.region });
    return feed;
  }

  /** Of one epoch the later word about its region counts. */
  #learn(known: KnownEpoch | null): void {
    const both =
      known === null || known.homeRegion === null ? [this.#highest, known] : [known, this.#highest];
    this.#highest = highestOf(both);
  }

  /** A home whose feed shows a higher epoch is home no longer, before any look tells where the home is now. */
  #heedFeed(): void {
    this.#learnFromFeed();
    const [highest, state] = [this.#highest, this.#state];
    if (highest === null || state.at !== 'here' || compareEpochs(highest.epoch, state.epoch) <= 0) return;
    const reason = 'a later epoch was heard of, and where its home is will be looked for';
    this.#moveTo(isElsewhere(highest, this.#options.region) ?? { at: 'unknown', reason });
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
