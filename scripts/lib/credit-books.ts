import { Client } from 'pg';

/** What the ledger at home says of the accounts of some keys, all together. */
export interface CreditBooks {
  readonly granted: number;
  readonly free: number;
  /** Neither free nor known to be spent: in leases that are out or lost. */
  readonly leased: number;
  readonly spent: number;
  /** Leases that a task is still expected to settle. */
  readonly openLeases: number;
  /** Leases that weren't returned when they were asked back, and what is left in them. */
  readonly lostLeases: number;
  readonly lostInLeases: number;
}

const SUMS = `
with accounts as (
  select distinct a.* from credit_accounts a join keys k on k.credit_account_id = a.id where k.id = any($1)
), draws as (
  select d.state, d.amount - d.spent as rest from credit_draws d join accounts a on a.id = d.account_id where d.state in ('open', 'lost')
)
select coalesce(sum(granted), 0)::float8 as granted, coalesce(sum(free), 0)::float8 as free,
  coalesce(sum(leased), 0)::float8 as leased, coalesce(sum(spent), 0)::float8 as spent,
  (select count(*) from draws where state = 'open')::float8 as "openLeases",
  (select count(*) from draws where state = 'lost')::float8 as "lostLeases",
  (select coalesce(sum(rest), 0) from draws where state = 'lost')::float8 as "lostInLeases"
from accounts`;

/** One look at the home's database. Fails where it doesn't answer. */
export async function readBooks(homeUrl: string, keyIds: readonly string[]): Promise<CreditBooks> {
  const client = new Client({
    connectionString: homeUrl,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
  });
  // A database that stops ends its connections; whoever waits for a query hears of it through that query.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<CreditBooks>(SUMS, [[...keyIds]]);
    const [sums] = rows;
    if (sums === undefined) throw new Error('sums without a row');
    return sums;
  } finally {
    await client.end();
  }
}
