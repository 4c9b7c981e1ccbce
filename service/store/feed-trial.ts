import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import type { Change } from '../domain/change.ts';
import type { Clock, FeedListener } from '../verify/ports.ts';
import { ChangeFeed } from './change-feed.ts';
import type { PostgresFeedReader } from './feed-reader.ts';

export interface FeedTrialOptions {
  readonly writer: Pool;
  readonly readers: readonly PostgresFeedReader[];
  readonly clock: Clock;
  readonly writers: number;
  readonly durationMs: number;
  /** How long one transaction is held open meanwhile, with a row written at its beginning. */
  readonly openTransactionMs: number;
  readonly pollMs: number;
}

export interface FeedTrialReader {
  readonly reader: string;
  /** Committed rows that the feed never delivered. */
  readonly missed: number;
  /** Rows that it delivered more than once. */
  readonly doubled: number;
  /** Rows that it delivered although they were rolled back. */
  readonly phantom: number;
  /** From the commit's answer to the delivery, in ms; 0 where the delivery came first. */
  readonly latencyMsP50: number;
  readonly latencyMsP99: number;
  readonly latencyMsMax: number;
  /** Times that the feed found a count which didn't fit. */
  readonly distrusts: number;
}

export interface FeedTrialResult {
  readonly rows: number;
  readonly rolledBack: number;
  readonly durationMs: number;
  readonly readers: readonly FeedTrialReader[];
}

const INSERT = `
  insert into changes (epoch, kind, id)
  select max(counter), 'probe', $1 from epochs`;

/** What each row was written as, and when its transaction had committed (monotonic ms). */
interface Book {
  readonly committed: Map<string, number>;
  readonly rolledBack: Set<string>;
  next: number;
}

/**
 * Writes change rows from many connections at once, with rollbacks, savepoints and one transaction left open, while feeds tail
 * the readers; then compares what was committed with what was delivered. The rows are probes: they change no verdict.
 */
export async function runFeedTrial(options: FeedTrialOptions): Promise<FeedTrialResult> {
  const { clock, writer } = options;
  const tails = options.readers.map((reader) => new Tail(reader, options));
  await Promise.all(tails.map(async (tail) => await tail.feed.start()));
  const book: Book = { committed: new Map(), rolledBack: new Set(), next: 0 };
  const beganAtMs = clock.monotonicMs();
  const until = beganAtMs + options.durationMs;
  try {
    const writers = Array.from({ length: options.writers }, async () => {
      while (clock.monotonicMs() < until)
        await withClient(writer, async (client) => await writeOnce(client, book, clock));
    });
    await Promise.all([
      ...writers,
      withClient(writer, async (client) => await holdOpen(client, book, options)),
    ]);
    const durationMs = clock.monotonicMs() - beganAtMs;
    await Promise.all(tails.map(async (tail) => await tail.drain(book)));
    return {
      rows: book.committed.size,
      rolledBack: book.rolledBack.size,
      durationMs,
      readers: tails.map((tail) => tail.result(book)),
    };
  } finally {
    await Promise.all(tails.map(async (tail) => await tail.feed.stop()));
  }
}

async function withClient(pool: Pool, use: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await use(client);
  } finally {
    client.release();
  }
}

/** One transaction of 1–3 rows; of ten, one is rolled back and one rolls a savepoint back. */
async function writeOnce(client: PoolClient, book: Book, clock: Clock): Promise<void> {
  const turn = book.next;
  const ids: string[] = [];
  const lost: string[] = [];
  await client.query('begin');
  for (let row = 0; row <= turn % 3; row += 1) {
    const id = nextId(book);
    await client.query(INSERT, [id]);
    ids.push(id);
  }
  if (turn % 10 === 3) {
    const id = nextId(book);
    await client.query('savepoint here');
    await client.query(INSERT, [id]);
    await client.query('rollback to savepoint here');
    lost.push(id);
  }
  const commit = turn % 10 !== 7;
  await client.query(commit ? 'commit' : 'rollback');
  const atMs = clock.monotonicMs();
  if (commit) for (const id of ids) book.committed.set(id, atMs);
  else lost.push(...ids);
  for (const id of lost) book.rolledBack.add(id);
}

async function holdOpen(client: PoolClient, book: Book, options: FeedTrialOptions): Promise<void> {
  const id = nextId(book);
  await client.query('begin');
  await client.query(INSERT, [id]);
  await delay(options.openTransactionMs);
  await client.query('commit');
  book.committed.set(id, options.clock.monotonicMs());
}

function nextId(book: Book): string {
  book.next += 1;
  return `probe-${process.pid}-${book.next}`;
}

const DRAIN_MS = 10_000;

/** One feed and what it delivered. */
class Tail implements FeedListener {
  readonly feed: ChangeFeed;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #deliveredAtMs = new Map<string, number>();
  #doubled = 0;

  constructor(reader: PostgresFeedReader, options: FeedTrialOptions) {
    const { clock, pollMs } = options;
    const log = { info() {}, warn() {}, error() {} };
    this.#name = reader.name;
    this.#clock = clock;
    this.feed = new ChangeFeed({
      readers: [reader],
      listener: this,
      clock,
      pollMs,
      switchAfterMs: 60_000,
      log,
    });
  }

  onChanges(changes: readonly Change[]): void {
    const atMs = this.#clock.monotonicMs();
    for (const { kind, id } of changes) {
      if (kind !== 'probe') continue;
      if (this.#deliveredAtMs.has(id)) this.#doubled += 1;
      else this.#deliveredAtMs.set(id, atMs);
    }
  }

  onEpoch(): void {}

  onDistrust(): void {}

  /** Waits, bounded, until everything committed has come. */
  async drain(book: Book): Promise<void> {
    const until = this.#clock.monotonicMs() + DRAIN_MS;
    while (this.#clock.monotonicMs() < until && this.#missed(book) > 0) await delay(50);
  }

  result(book: Book): FeedTrialReader {
    const latencies: number[] = [];
    for (const [id, committedAtMs] of book.committed) {
      const at = this.#deliveredAtMs.get(id);
      if (at !== undefined) latencies.push(Math.max(0, at - committedAtMs));
    }
    latencies.sort((a, b) => a - b);
    return {
      reader: this.#name,
      missed: this.#missed(book),
      doubled: this.#doubled,
      phantom: [...book.rolledBack].filter((id) => this.#deliveredAtMs.has(id)).length,
      latencyMsP50: quantile(latencies, 0.5),
      latencyMsP99: quantile(latencies, 0.99),
      latencyMsMax: quantile(latencies, 1),
      distrusts: this.feed.counters.distrusts,
    };
  }

  #missed(book: Book): number {
    let missed = 0;
    for (const id of book.committed.keys()) if (!this.#deliveredAtMs.has(id)) missed += 1;
    return missed;
  }
}

function quantile(sorted: readonly number[], share: number): number {
  const at = Math.min(sorted.length - 1, Math.floor(share * sorted.length));
  return Math.round((sorted[at] ?? 0) * 100) / 100;
}
