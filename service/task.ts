import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { systemClock } from './clock.ts';
import type { Env } from './env.ts';
import { joinZone, showsFloor, whatIsMissing } from './home/joining.ts';
import { within } from './home/loop.ts';
import type { Members } from './home/members.ts';
import { buildParts, type Parts } from './parts.ts';
import type { ChangeFeed } from './store/change-feed.ts';
import { PostgresFeedReader } from './store/feed-reader.ts';
import type { RecordReader } from './store/record-reader.ts';
import { rowsOf } from './store/rows.ts';
import { isSupportedSchema, readSchemaVersion, SUPPORTED_SCHEMA } from './store/schema-version.ts';
import { identifyTask } from './task-identity.ts';
import { readZoneFacts } from './zone-facts.ts';

const WARM_PAGE = 500;
/** Filling memory is worth some patience and no more: a task with an empty memory serves, too. */
const WARM_FAILURES_MAX = 5;
const REFRESH_TIMEOUT_MS = 2000;
const RETRY_MS = 500;
/** Telling home may take 4 s where it doesn't answer; whatever hangs longer ends with the process. */
const STOP_REST_MS = 8000;

/** A verify-service task: its parts, started and stopped in order. */
export class Task {
  readonly #env: Env;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  /** Null until the start has learned what they depend on. */
  #parts: Parts | null = null;
  #waitingFor: string | null = 'the task is starting';
  #closing = false;
  #starting: Promise<'ready' | 'stopped'> | null = null;

  constructor(env: Env, log: Logger) {
    this.#env = env;
    this.#log = log;
  }

  /**
   * Listens at once, so that liveness can be asked; ready when the reader answers, the schema fits, memory is warm and the zone knows
   * of this task. Fails with an Error where the environment doesn't fit the zone.
   */
  async start(): Promise<'ready' | 'stopped'> {
    this.#starting = this.#start();
    return await this.#starting;
  }

  async #build(): Promise<Parts> {
    const [env, log] = [this.#env, this.#log];
    const zone = await readZoneFacts(env);
    const unique = (): string => randomBytes(6).toString('hex');
    const taskId = await identifyTask({ ...env, unique, log });
    return buildParts({ env, zone, taskId }, log, {
      readiness: () => this.#waitingFor,
      closing: () => this.#closing,
    });
  }

  async #start(): Promise<'ready' | 'stopped'> {
    const parts = await this.#build();
    this.#parts = parts;
    if (this.#closing) return 'stopped';
    const { app, home, heartbeat, pruner, refiller, feed, cloudwatch, sharing } = parts;
    await app.listen({ host: this.#env.host, port: this.#env.port });
    cloudwatch.start();
    sharing.valkey?.start();
    sharing.exchange.start();
    sharing.leases.start();
    if (!(await this.#untilSchemaFits(parts))) return 'stopped';
    await home.start();
    heartbeat.start();
    pruner.start();
    refiller.start();
    this.#waitingFor = 'the change feed has no answer yet';
    if ((await feed.start()) === 'stopped') return 'stopped';
    // The first look for home knew nothing of the feed; a task that is ready should pass calls on at once.
    await home.look();
    this.#waitingFor = 'memory is being filled';
    await this.#warm(parts);
    if (this.#closing) return 'stopped';
    if (parts.members === null) await this.#register(parts);
    else await this.#join(parts, parts.members);
    if (this.#closing) return 'stopped';
    this.#waitingFor = null;
    this.#log.info({ port: this.#env.port, held: parts.cache.sizes.keys }, 'ready');
    return 'ready';
  }

  /**
   * Says “not ready”, lets load balancers notice, finishes what runs (bounded), tells home, and stops the parts in the order in
   * which they stop needing each other.
   */
  async stop(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#abort.abort();
    if (this.#waitingFor !== null) await this.#parts?.feed.stop();
    // It ends soon, now that what it waits for has been stopped; a task is told to have stopped only after it can't register any more.
    await this.#starting?.catch(() => {});
    // Stopped before anything was built.
    if (this.#parts === null) return;
    const {
      app,
      home,
      heartbeat,
      pruner,
      refiller,
      feed,
      reporter,
      reverification,
      peers,
      sharing,
      cloudwatch,
      pools,
    } = this.#parts;
    await delay(this.#env.drainMs);
    const force = setTimeout(() => app.server.closeAllConnections(), this.#env.shutdownMs);
    await app.close();
    clearTimeout(force);
    // The last line tells of all that was answered, before anything that may take so long that the process is ended.
    cloudwatch.stop();
    const stopRest = async (): Promise<void> => {
      // What others could go on with comes first: while home is here, its ledger still needs the epoch.
      await Promise.all([sharing.leases.stop(), sharing.exchange.stop()]);
      await sharing.valkey?.close();
      await reporter.stop();
      await Promise.all([
        feed.stop(),
        reverification.stop(),
        heartbeat.stop(),
        pruner.stop(),
        refiller.stop(),
        home.stop(),
      ]);
      await peers.close();
      await Promise.all(pools.map(async (pool) => await pool.end()));
    };
    await within(STOP_REST_MS, 'stopping the parts of the task', stopRest());
  }

  /** False: stopped meanwhile. */
  async #untilSchemaFits({ recordPools }: Parts): Promise<boolean> {
    const { signal } = this.#abort;
    for (let turn = 0; !signal.aborted; turn += 1) {
      const pool = recordPools[turn % recordPools.length];
      if (pool === undefined) throw new Error('there is no reader');
      try {
        const version = await readSchemaVersion(rowsOf(pool));
        if (isSupportedSchema(version)) return true;
        const { min, max } = SUPPORTED_SCHEMA;
        this.#waitingFor = `the database has schema ${version}; this version works with ${min} to ${max}: run the migration`;
      } catch (error) {
        this.#waitingFor = 'no reader of this region answers yet';
        this.#log.warn({ err: error }, this.#waitingFor);
      }
      await delay(RETRY_MS, undefined, { signal }).catch(() => {});
    }
    return false;
  }

  /** Home hears of this task before it serves, so that nobody takes its region for done without it. Without home it serves all the same. */
  async #register({ reporter, feed }: Parts): Promise<void> {
    try {
      await reporter.report();
    } catch (error) {
      this.#log.warn({ err: error }, 'home could not be told that this task serves from now on');
    }
    reporter.start();
    // Others were not waiting for this task before it was known: whatever they call applied by now has to be applied here, too.
    await feed.refresh(REFRESH_TIMEOUT_MS);
  }

  /** The same where regions come and go: a region that home never heard of doesn't serve. */
  async #join({ reporter, feed, home, reverification }: Parts, members: Members): Promise<void> {
    reporter.start();
    let told = false;
    const explain = (): void => {
      this.#waitingFor = whatIsMissing(told, home.current());
    };
    explain();
    const joined = await joinZone({
      register: async () => {
        const floor = await reporter.register();
        told ||= floor !== null;
        return floor;
      },
      isCounted: async () => {
        await members.refresh();
        return members.isCounted === true;
      },
      isMoving: () => reverification.running,
      hasReached: (floor) => showsFloor(feed, floor),
      monotonicMs: () => systemClock.monotonicMs(),
      pause: async () => {
        explain();
        await delay(this.#env.pollMs, undefined, { signal: this.#abort.signal }).catch(() => {});
      },
      aborted: () => this.#closing,
      log: this.#log,
    });
    // What the reader shows of the zone's tasks came with all that was written before; the feed may not have asked since.
    if (joined === 'counted') await feed.refresh(REFRESH_TIMEOUT_MS);
  }

  async #warm({ cache, feed }: Parts): Promise<void> {
    const { signal } = this.#abort;
    const beganAtMs = performance.now();
    let after: Parameters<RecordReader['readWarmPage']>[0] = null;
    let failures = 0;
    while (
      !signal.aborted &&
      failures < WARM_FAILURES_MAX &&
      cache.hasRoom &&
      cache.sizes.keys < this.#env.warmKeys
    ) {
      const limit = Math.min(WARM_PAGE, this.#env.warmKeys - cache.sizes.keys);
      try {
        const { next } = await cache.warm(
          async () => await readerOf(feed).readWarmPage(after, limit, { mark: feed.mark, revision: null }),
        );
        if (next === null) break;
        after = next;
      } catch (error) {
        failures += 1;
        this.#log.warn({ err: error, failures }, 'memory could not be filled');
        await delay(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
    const { keys, rootKeys } = cache.sizes;
    this.#log.info({ keys, rootKeys, tookMs: Math.round(performance.now() - beganAtMs) }, 'memory is filled');
  }
}

/** The instance that the feed runs on. The feed knows its readers by their port; all of ours are of this class. */
function readerOf(feed: ChangeFeed): RecordReader {
  const { reader } = feed;
  if (!(reader instanceof PostgresFeedReader)) throw new Error('the reader is not a Postgres instance');
  return reader.records;
}
