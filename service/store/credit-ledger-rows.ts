import type { Rows, WriteTransaction } from '../manage/ports.ts';
import type { Account, DrawRow, DrawState } from './credit-ledger-book.ts';

/** The statements of the ledger. bigint columns come as text; balances are bounded where they are written, so that a number holds them. */

/**
 * In one order, so that two transactions never wait for each other in a circle. $2: ms for which no lease is granted after a recall. A
 * moment in the future is one of before the clock was set back: it is over.
 */
const LOCK_ACCOUNTS = `
select id, workspace_id as "workspaceId", generation::text, granted::text, free::text, leased::text, spent::text,
  coalesce(low_generation = generation, false) as low, refused,
  coalesce(recalled_at between clock_timestamp() - make_interval(secs => $2::float8 / 1000) and clock_timestamp(), false) as recalling
from credit_accounts where id = any($1::text[]) order by id for update`;

/** A statement of its own after the locks, for what it sees must be later than they are. */
const READ_LIVE = `
select d.account_id as id, sum(d.amount - d.spent)::text as live
from credit_draws d join credit_accounts a on a.id = d.account_id and a.generation = d.generation
where d.account_id = any($1::text[]) and d.state = 'open' group by d.account_id`;

const READ_DRAWS = `
select id, account_id as "accountId", generation::text, holder, epoch as counter, epoch_id as "epochId", cost::text, amount::text,
  spent::text, overspent::text, state, recalled_at is not null as recalled
from credit_draws where id = any($1::text[])`;

/** $1: accounts; $2: draws. A draw that is there keeps what it was drawn as. */
const WRITE = `
with written as (
  update credit_accounts a set free = w.free, leased = w.leased, spent = w.spent, refused = w.refused,
    low_generation = case when w.low then a.generation end,
    recalled_at = case when w."recalledNow" then clock_timestamp() when not w."recallOver" then a.recalled_at end
  from json_to_recordset($1::json) as w (id text, free bigint, leased bigint, spent bigint, refused boolean, low boolean,
    "recalledNow" boolean, "recallOver" boolean)
  where a.id = w.id
)
insert into credit_draws (id, account_id, generation, holder, epoch, epoch_id, cost, amount, spent, overspent, state, recalled_at,
  ended_at)
select id, "accountId", generation, holder, counter, "epochId", cost, amount, spent, overspent, state,
  case when recalled then clock_timestamp() end, case when state in ('direct', 'closed') then clock_timestamp() end
from json_to_recordset($2::json) as w (id text, "accountId" text, generation bigint, holder text, counter integer, "epochId" text,
  cost bigint, amount bigint, spent bigint, overspent bigint, state text, recalled boolean)
on conflict (id) do update set amount = excluded.amount, spent = excluded.spent, overspent = excluded.overspent,
  state = excluded.state, reported_at = clock_timestamp(), ended_at = excluded.ended_at
where credit_draws.account_id = excluded.account_id`;

/**
 * Asks leases of these accounts back that weren't asked back yet. Of a holder that is known to have stopped nothing will come: those are
 * lost at once.
 */
const RECALL = `
update credit_draws d set recalled_at = coalesce(d.recalled_at, clock_timestamp()),
  state = case when out.stopped then 'lost' else 'open' end
from (
  select o.id, o.recalled_at is null as fresh,
    exists (select from task_status t where t.task_id = o.holder and t.stopped_at is not null) as stopped
  from credit_draws o join credit_accounts a on a.id = o.account_id and a.generation = o.generation
  where o.account_id = any($1::text[]) and o.state = 'open' and o.amount > o.spent
) as out
where d.id = out.id and (out.fresh or out.stopped)
returning d.account_id as id, (d.amount - d.spent)::text as held, out.stopped`;

/** $2: ms since a lease was asked back; one that was in the future was so before the clock was set back. */
const LOSE = `
update credit_draws d set state = 'lost'
from credit_accounts a
where a.id = $1 and d.account_id = a.id and d.generation = a.generation and d.state = 'open' and d.amount > d.spent
  and d.recalled_at not between clock_timestamp() - make_interval(secs => $2::float8 / 1000) and clock_timestamp()
returning (d.amount - d.spent)::text as held`;

/** Change rows without an audit line: nobody did anything, and what tasks do of it is in the book. */
const TELL = `insert into changes (epoch, kind, id) select $1, 'credits', id from unnest($2::text[]) as told (id)`;

const LOOK = `
select a.id, a.free::text, coalesce(sum(d.amount - d.spent), 0)::text as live
from credit_accounts a left join credit_draws d on d.account_id = a.id and d.generation = a.generation and d.state = 'open'
where a.id = any($1::text[]) group by a.id`;

const OUTSTANDING = `
select count(*) filter (where d.state = 'open')::integer as leases,
  coalesce(sum(d.amount - d.spent) filter (where d.state = 'open'), 0)::text as leased,
  coalesce(sum(d.amount - d.spent) filter (where d.state = 'lost'), 0)::text as lost
from credit_draws d join credit_accounts a on a.id = d.account_id and a.generation = d.generation
where d.state in ('open', 'lost')`;

type AsText<T, Key extends keyof T> = Omit<T, Key> & Readonly<Record<Key, string>>;

/** Locks accounts and reads them; those that aren't there are left out. */
export async function lockAccounts(
  rows: Rows,
  ids: readonly string[],
  quietMs: number,
): Promise<ReadonlyMap<string, Account>> {
  const found = await rows.query<
    AsText<
      Pick<
        Account,
        | 'id'
        | 'workspaceId'
        | 'generation'
        | 'granted'
        | 'free'
        | 'leased'
        | 'spent'
        | 'low'
        | 'refused'
        | 'recalling'
      >,
      'generation' | 'granted' | 'free' | 'leased' | 'spent'
    >
  >(LOCK_ACCOUNTS, [ids, quietMs]);
  const live = await rows.query<{ id: string; live: string }>(READ_LIVE, [ids]);
  const liveOf = new Map(live.map((row) => [row.id, Number(row.live)]));
  return new Map(
    found.map((row) => [
      row.id,
      {
        ...row,
        generation: Number(row.generation),
        granted: Number(row.granted),
        free: Number(row.free),
        leased: Number(row.leased),
        spent: Number(row.spent),
        live: liveOf.get(row.id) ?? 0,
        dirty: false,
        recalledNow: false,
        recallOver: false,
      },
    ]),
  );
}

export async function readDraws(rows: Rows, ids: readonly string[]): Promise<readonly DrawRow[]> {
  const found = await rows.query<
    AsText<Omit<DrawRow, 'epoch'>, 'generation' | 'cost' | 'amount' | 'spent' | 'overspent'> & {
      readonly counter: number;
      readonly epochId: string;
      readonly state: DrawState;
    }
  >(READ_DRAWS, [ids]);
  return found.map(({ counter, epochId, ...row }) => ({
    ...row,
    epoch: { counter, id: epochId },
    generation: Number(row.generation),
    cost: Number(row.cost),
    amount: Number(row.amount),
    spent: Number(row.spent),
    overspent: Number(row.overspent),
  }));
}

/** Writes what was done to accounts and draws. */
export async function writeBook(
  rows: Rows,
  accounts: Iterable<Account>,
  draws: Iterable<DrawRow>,
): Promise<void> {
  const dirty = [...accounts].filter((account) => account.dirty);
  const drawn = [...draws].map(({ epoch, ...row }) => ({
    ...row,
    counter: epoch.counter,
    epochId: epoch.id,
  }));
  if (dirty.length === 0 && drawn.length === 0) return;
  await rows.query(WRITE, [JSON.stringify(dirty), JSON.stringify(drawn)]);
}

/** What was asked back of an account. */
export interface Recalled {
  /** Credits in leases that are waited for. */
  readonly asked: number;
  /** Credits in leases that nobody will return. */
  readonly lost: number;
}

export async function recallLeases(
  rows: Rows,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, Recalled>> {
  const leases = await rows.query<{ id: string; held: string; stopped: boolean }>(RECALL, [accountIds]);
  const recalled = new Map<string, Recalled>();
  for (const { id, held, stopped } of leases) {
    const { asked, lost } = recalled.get(id) ?? { asked: 0, lost: 0 };
    const credits = Number(held);
    recalled.set(id, stopped ? { asked, lost: lost + credits } : { asked: asked + credits, lost });
  }
  return recalled;
}

/** Gives up leases that were asked back so long ago; returns their credits. */
export async function loseLeases(rows: Rows, accountId: string, afterMs: number): Promise<number> {
  const leases = await rows.query<{ held: string }>(LOSE, [accountId, afterMs]);
  return leases.reduce((sum, { held }) => sum + Number(held), 0);
}

/** Tells whoever holds these accounts, by the change feed. */
export async function tellOf(transaction: WriteTransaction, accountIds: readonly string[]): Promise<void> {
  await transaction.query(TELL, [transaction.revision.epoch.counter, accountIds]);
}

/** What could be had of accounts at this moment. */
export interface Look {
  readonly free: number;
  readonly live: number;
}

export async function lookAt(rows: Rows, accountIds: readonly string[]): Promise<ReadonlyMap<string, Look>> {
  const found = await rows.query<{ id: string; free: string; live: string }>(LOOK, [accountIds]);
  return new Map(found.map(({ id, free, live }) => [id, { free: Number(free), live: Number(live) }]));
}

/** What is out, of all accounts. Sums beyond what a number holds exactly are rounded. */
export interface Outstanding {
  /** Leases that may be spent of. */
  readonly leases: number;
  /** Credits in them, as far as spendings were reported. */
  readonly leased: number;
  /** Credits in leases that were not returned in time. */
  readonly lost: number;
}

export async function readOutstanding(rows: Rows): Promise<Outstanding> {
  const [row] = await rows.query<{ leases: number; leased: string; lost: string }>(OUTSTANDING);
  if (row === undefined) throw new Error('a sum has one row');
  return { leases: row.leases, leased: Number(row.leased), lost: Number(row.lost) };
}
