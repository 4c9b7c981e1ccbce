import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Env } from './env.ts';
import { buildParts, type Parts } from './parts.ts';
import type { ChangeFeed } from './store/change-feed.ts';
import { PostgresFeedReader } from './store/feed-reader.ts';
import type { RecordReader } from './store/record-reader.ts';
import { rowsOf } from './store/rows.ts';
import { isSupportedSchema, readSchemaVersion, SUPPORTED_SCHEMA } from './store/schema-version.ts';

const WARM_PAGE = 2000;
const RETRY_MS = 500;

/** A verify-service task: its parts, started and stopped in order. */
export class Task {
  readonly #env: Env;
  readonly #log: Logger;
  readonly #parts: Parts;
  readonly #abort = new AbortController();
  #waitingFor: string | null = 'the task is starting';
  #closing = false;

  constructor(env: Env, log: Logger) {
    this.#env = env;
    this.#log = log;
    this.#parts = buildParts(env, log, {
      readiness: () => this.#waitingFor,
      closing: () => this.#closing,
    });
  }

  /** Listens at once, so that liveness can be asked; ready when the reader answers, the schema fits and memory is warm. */
  async start(): Promise<'ready' | 'stopped'> {
    const { app, home, heartbeat, pruner, feed, reporter } = this.#parts;
    await app.listen({ host: this.#env.host, port: this.#env.port });
    if (!(await this.#untilSchemaFits())) return 'stopped';
    await home.start();
    heartbeat.start();
    pruner.start();
    this.#waitingFor = 'the change feed has no answer yet';
    if ((await feed.start()) === 'stopped') return 'stopped';
    // The first look for home knew nothing of the feed; a task that is ready should pass calls on at once.
    await home.look();
    this.#waitingFor = 'memory is being filled';
    await this.#warm();
    await this.#register();
    reporter.start();
    if (this.#closing) return 'stopped';
    this.#waitingFor = null;
    this.#log.info({ port: this.#env.port, held: this.#parts.cache.sizes.keys }, 'ready');
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
    const { app, home, heartbeat, pruner, feed, reporter, reverification, peers, pools } = this.#parts;
    await delay(this.#env.drainMs);
    const force = setTimeout(() => app.server.closeAllConnections(), this.#env.shutdownMs);
    await app.close();
    clearTimeout(force);
    await reporter.stop();
    await Promise.all([feed.stop(), reverification.stop(), heartbeat.stop(), pruner.stop(), home.stop()]);
    await peers.close();
    await Promise.all(pools.map(async (pool) => await pool.end()));
  }

  /** False: stopped meanwhile. */
  async #untilSchemaFits(): Promise<boolean> {
    const { recordPools } = this.#parts;
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
  async #register(): Promise<void> {
    try {
      await this.#parts.reporter.report();
    } catch (error) {
      this.#log.warn({ err: error }, 'home could not be told that this task serves from now on');
    }
  }

  async #warm(): Promise<void> {
    const { cache, feed } = this.#parts;
    const { signal } = this.#abort;
    const beganAtMs = performance.now();
    let after: Parameters<RecordReader['readWarmPage']>[0] = null;
    while (!signal.aborted && cache.hasRoom && cache.sizes.keys < this.#env.warmKeys) {
      const limit = Math.min(WARM_PAGE, this.#env.warmKeys - cache.sizes.keys);
      try {
        const { next } = await cache.warm(async () => await readerOf(feed).readWarmPage(after, limit));
        if (next === null) break;
        after = next;
      } catch (error) {
        this.#log.warn({ err: error }, 'memory could not be filled; trying again');
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
