import { ADVISORY_LOCKS } from '../domain/advisory-locks.ts';
import { nextRefill } from '../domain/credit-rules.ts';
import type { Epoch } from '../domain/revision.ts';
import type { Writer, WriteTransaction } from '../manage/ports.ts';
import { repeat } from './loop.ts';
import type { Log } from './ports.ts';

export interface RefillerOptions {
  readonly writer: Writer;
  /** The epoch in which this task is at home; null: it isn't, and nothing is refilled. */
  readonly epoch: () => Epoch | null;
  readonly log: Log;
  /** Epoch ms. */
  readonly nowMs: () => number;
  /** @default 30 seconds */
  readonly intervalMs?: number;
  /** Accounts per transaction, so that none holds other writes up. @default 200 */
  readonly batch?: number;
}

export interface RefillerCounters {
  /** Accounts whose balance was set anew. */
  refilled: number;
  failures: number;
}

interface DueAccount {
  readonly id: string;
  readonly workspace_id: string;
  readonly refill_interval: 'daily' | 'monthly';
  readonly refill_amount: string;
  readonly refill_day: number | null;
  readonly used: boolean;
}

/** Whoever has it refills; another task of the home finds it taken and leaves this round out. It ends with the transaction. */
const ELECT = `select pg_try_advisory_xact_lock(${ADVISORY_LOCKS.refill}) as mine`;

/**
 * Accounts that are due, as far as no other transaction holds them: whoever draws of an account, or sets its balance or another refill
 * just now, goes first. An account without a living key isn't worth a generation a day, but an identity may get
 * keys as long as it isn't deleted.
 */
const FIND_DUE = `
select c.id, c.workspace_id, c.refill_interval, c.refill_amount::text, c.refill_day,
  exists (select from keys k join apis a on a.id = k.api_id and a.deleted_at is null
    where k.credit_account_id = c.id and k.deleted_at is null)
  or exists (select from identities i where i.credit_account_id = c.id and (i.deleted_at is null
    or exists (select from keys k join apis a on a.id = k.api_id and a.deleted_at is null
      where k.identity_id = i.id and k.deleted_at is null))) as used
from credit_accounts c
where c.refill_at <= to_timestamp($1::bigint / 1000.0)
order by c.refill_at limit $2
for update of c skip locked`;

/** Opens the next generation: what was leased of the one before counts no more. */
const REFILL = `
update credit_accounts c
set generation = generation + 1, granted = refill_amount, free = refill_amount, leased = 0, spent = 0,
  low_generation = null, refused = false, recalled_at = null, refilled_at = to_timestamp($3::bigint / 1000.0), updated_at = now(), refill_at = to_timestamp(due.next_ms / 1000.0)
from unnest($1::text[], $2::bigint[]) as due (id, next_ms) where c.id = due.id`;

const RETIRE = 'update credit_accounts set refill_at = null where id = any($1::text[])';

/**
 * Sets the balances of credits that are due at home, once each however late: an account that was due several times gets its amount
 * once. Of the tasks at home one does it at a time, elected through Postgres. Owned by main.
 */
export class Refiller {
  readonly counters: RefillerCounters = { refilled: 0, failures: 0 };
  readonly #options: RefillerOptions;
  readonly #batch: number;
  readonly #abort = new AbortController();
  #loop: Promise<void> | null = null;

  constructor(options: RefillerOptions) {
    this.#options = options;
    this.#batch = options.batch ?? 200;
  }

  start(): void {
    const intervalMs = this.#options.intervalMs ?? 30_000;
    this.#loop ??= repeat(async () => {
      try {
        await this.refill();
      } catch (error) {
        this.counters.failures += 1;
        this.#options.log.warn({ err: error }, 'credits could not be refilled');
      }
      return intervalMs;
    }, this.#abort.signal);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
  }

  /** One round over all accounts that are due. Does nothing while the task isn't at home. */
  async refill(): Promise<void> {
    while (!this.#abort.signal.aborted && this.#options.epoch() !== null) {
      const { value } = await this.#options.writer.write(
        async (transaction) => await this.#some(transaction),
      );
      this.counters.refilled += value.refilled;
      if (value.found < this.#batch) return;
    }
  }

  async #some(transaction: WriteTransaction): Promise<{ readonly found: number; readonly refilled: number }> {
    const [elected] = await transaction.query<{ mine: boolean }>(ELECT);
    if (elected?.mine !== true) return { found: 0, refilled: 0 };
    const nowMs = this.#options.nowMs();
    const found = await transaction.query<DueAccount>(FIND_DUE, [nowMs, this.#batch]);
    const due = found.filter(({ used }) => used);
    const unused = found.filter(({ used }) => !used);
    if (unused.length > 0) await transaction.query(RETIRE, [unused.map(({ id }) => id)]);
    if (due.length > 0) {
      const next = due.map((account) => nextRefill(scheduleOf(account), nowMs));
      await transaction.query(REFILL, [due.map(({ id }) => id), next, nowMs]);
    }
    for (const account of due) noteRefill(transaction, account);
    return { found: found.length, refilled: due.length };
  }
}

function scheduleOf({ refill_interval: interval, refill_day: day }: DueAccount) {
  return { interval, ...(day === null ? {} : { refillDay: day }) };
}

function noteRefill(transaction: WriteTransaction, account: DueAccount): void {
  transaction.changed('credits', account.id);
  transaction.audit({
    workspaceId: account.workspace_id,
    actorKind: 'system',
    actorId: 'refiller',
    requestId: '',
    clientAddress: '',
    action: 'credits.refill',
    targetKind: 'credits',
    targetId: account.id,
    detail: { amount: Number(account.refill_amount) },
  });
}
