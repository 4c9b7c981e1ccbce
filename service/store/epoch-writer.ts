import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import type { RandomBytes } from '../domain/ids.ts';
import { Problem } from '../domain/problem.ts';
import type { Epoch } from '../domain/revision.ts';
import type { Committed, Writer, WriteTransaction } from '../manage/ports.ts';
import { errorCode, isConnectionFailure, problemOf } from './failures.ts';
import { EpochTransaction, lookUpCommit } from './write-transaction.ts';

export interface EpochWriterOptions {
  /** On the region's own writer endpoint. */
  readonly pool: Pool;
  /** The epoch in which this task is at home; null: it isn't. */
  readonly epoch: () => Epoch | null;
  /** How long to look for the outcome of a commit that got no answer. @default 3000 */
  readonly resolveTimeoutMs?: number;
  readonly randomBytes?: RandomBytes;
}

/** What happened to writes since the start; for metrics. */
export interface WriterCounters {
  committed: number;
  /** Rolled back: refused, or failed with certainly nothing applied. */
  rolledBack: number;
  deadlocks: number;
  /** Commits without an answer, and those of them whose outcome stayed unknown. */
  unansweredCommits: number;
  unknownOutcomes: number;
}

const DEADLOCK = '40P01';
const ATTEMPTS = 3;
const RESOLVE_PAUSE_MS = 100;

/** `Writer` on Postgres: each write is one transaction, fenced by the epoch, with its change rows and audit lines. */
export class EpochWriter implements Writer {
  readonly counters: WriterCounters = {
    committed: 0,
    rolledBack: 0,
    deadlocks: 0,
    unansweredCommits: 0,
    unknownOutcomes: 0,
  };
  readonly #pool: Pool;
  readonly #epoch: () => Epoch | null;
  readonly #resolveTimeoutMs: number;
  readonly #randomBytes: RandomBytes;
  readonly #unusable = new WeakSet<PoolClient>();

  constructor(options: EpochWriterOptions) {
    this.#pool = options.pool;
    this.#epoch = options.epoch;
    this.#resolveTimeoutMs = options.resolveTimeoutMs ?? 3000;
    this.#randomBytes = options.randomBytes ?? randomBytes;
  }

  async write<T>(work: (transaction: WriteTransaction) => Promise<T>): Promise<Committed<T>> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const committed = await this.#attempt(work);
        this.counters.committed += 1;
        return committed;
      } catch (error) {
        if (errorCode(error) === DEADLOCK && attempt < ATTEMPTS) {
          this.counters.deadlocks += 1;
          continue;
        }
        throw problemOf(error);
      }
    }
  }

  async #attempt<T>(work: (transaction: WriteTransaction) => Promise<T>): Promise<Committed<T>> {
    const epoch = this.#epoch();
    if (epoch === null) throw noHome();
    const client = await this.#pool.connect();
    // While a connection is checked out, nobody but us hears of its end; the query that is under way fails with it as well.
    const onError = (): void => {};
    client.on('error', onError);
    let broken = false;
    try {
      const { transaction, value } = await this.#prepare(client, epoch, work);
      const outcome = await this.#commit(client, transaction);
      broken = outcome.broken;
      if (!outcome.committed) throw notCommitted();
      return { value, revision: transaction.revision };
    } catch (error) {
      broken ||=
        isConnectionFailure(error) || isConnectionFailure(causeOf(error)) || this.#unusable.has(client);
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  /** All but the commit. Whatever fails here is rolled back, by us or with the connection. */
  async #prepare<T>(client: PoolClient, epoch: Epoch, work: (transaction: WriteTransaction) => Promise<T>) {
    try {
      const transaction = await EpochTransaction.begin(client, epoch, this.#randomBytes);
      const value = await work(transaction);
      await transaction.flush();
      return { transaction, value };
    } catch (error) {
      this.counters.rolledBack += 1;
      if (isConnectionFailure(error)) throw error;
      const ended = await client.query('rollback').then(
        () => true,
        () => false,
      );
      // A connection that can't even roll back has ended its transaction by ending; nobody may get it again.
      if (!ended) this.#unusable.add(client);
      throw error;
    }
  }

  async #commit(
    client: PoolClient,
    transaction: EpochTransaction,
  ): Promise<{ committed: boolean; broken: boolean }> {
    try {
      const result = await client.query('commit');
      // A transaction in which a statement had failed is rolled back by its commit, without an error.
      return { committed: result.command === 'COMMIT', broken: false };
    } catch (error) {
      if (!isConnectionFailure(error)) throw error;
      const { witness } = transaction;
      // It wrote nothing that anybody could miss.
      if (witness === null) throw error;
      this.counters.unansweredCommits += 1;
      return { committed: await this.#resolve(transaction, witness, error), broken: true };
    }
  }

  /** True: it was committed. False: it was not. Refuses with `outcome_unknown` where neither is found out in time. */
  async #resolve(transaction: EpochTransaction, witness: string, cause: unknown): Promise<boolean> {
    const deadline = performance.now() + this.#resolveTimeoutMs;
    while (performance.now() < deadline) {
      try {
        const outcome = await lookUpCommit(this.#pool, transaction.revision, witness);
        if (outcome !== 'unknown') return outcome === 'committed';
      } catch (error) {
        // The database is still away, or its transaction numbers are other ones: keep looking until the time is over.
        if (!isConnectionFailure(error) && errorCode(error) === undefined) throw error;
      }
      await delay(RESOLVE_PAUSE_MS);
    }
    this.counters.unknownOutcomes += 1;
    throw new Problem(
      'outcome_unknown',
      'The database was lost while the write was being committed: it may or may not have been applied.',
      { cause },
    );
  }
}

function noHome(): Problem {
  return new Problem('no_home', 'This region is not the home of the zone; nothing was changed.', {
    retryAfterS: 1,
  });
}

function notCommitted(): Problem {
  return new Problem('database_unavailable', 'The database did not commit the write; nothing was changed.', {
    retryAfterS: 1,
  });
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
