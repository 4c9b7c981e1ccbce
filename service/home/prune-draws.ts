/** Statements of the pruner for what tasks drew of accounts of credits. */

/**
 * Draws of which nothing is to be heard any more. Their ids are kept for a while, so that a draw or a settlement that comes again is known;
 * $1: how long, in ms; $2: rows at most.
 */
export const PRUNE_ENDED_DRAWS = `
with gone as (
  delete from credit_draws where ctid = any (array(
    select ctid from credit_draws
    where ended_at < now() - make_interval(secs => $1::float8 / 1000) order by ended_at limit $2))
  returning 1)
select count(*)::integer as rows from gone`;

/** Leases of generations, or of accounts, that are no more, and that nobody closed. A table scan is as many rows as leases are out. */
export const PRUNE_LEFT_DRAWS = `
with gone as (
  delete from credit_draws where ctid = any (array(
    select d.ctid from credit_draws d
    where d.state in ('open', 'lost') and d.reported_at < now() - make_interval(secs => $1::float8 / 1000)
      and not exists (select from credit_accounts a where a.id = d.account_id and a.generation = d.generation)
    limit $2 for update of d skip locked))
  returning 1)
select count(*)::integer as rows from gone`;
