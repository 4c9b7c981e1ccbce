-- Up Migration
-- One by one: each statement is a transaction of its own, since this runs while services of the version before read and write these
-- tables, which may have millions of rows. What is added to an account has a default that fits what the version before writes: it opens
-- generations without knowing of `low_generation`, which therefore names the generation that it speaks of.

alter table credit_accounts
  -- The generation in which it was told that few credits are left; null: not told, or there were more again since.
  add column if not exists low_generation bigint,
  -- A draw was refused, and tasks may remember that: whatever raises `free` then needs a change row.
  add column if not exists refused boolean not null default false,
  -- When leases were last asked back. For a moment from then on no lease is granted.
  add column if not exists recalled_at timestamptz;

-- What tasks drew of accounts. Without a reference to the account, which may be gone while a task still settles what it drew of it.
create table if not exists credit_draws (
  -- Chosen by the task that draws.
  id text primary key,
  account_id text not null,
  generation bigint not null,
  -- The task that holds the lease.
  holder text not null,
  -- Of the home that did it.
  epoch integer not null,
  epoch_id text not null,
  -- Taken at once.
  cost bigint not null,
  -- All that was drawn: the cost and the lease.
  amount bigint not null,
  -- As far as it was told; the cost from the beginning.
  spent bigint not null,
  -- Spent beyond what the account had: drawn of a home whose last commits were lost.
  overspent bigint not null default 0,
  -- open: the lease may be spent of. direct: there is no lease. closed: settled for good. lost: asked back, and not returned in time.
  state text not null check (state in ('open', 'direct', 'closed', 'lost')),
  created_at timestamptz not null default now(),
  reported_at timestamptz not null default now(),
  recalled_at timestamptz,
  -- When the last was to be heard of it.
  ended_at timestamptz,
  constraint credit_draws_amounts check (cost >= 0 and amount >= cost and spent between 0 and amount and overspent >= 0),
  constraint credit_draws_ended check ((ended_at is not null) = (state in ('direct', 'closed'))),
  constraint credit_draws_direct check (state <> 'direct' or (spent = amount and amount = cost))
) with (fillfactor = 80);
-- Leases that are out, of one account and all together. No column of an index changes when spendings are reported.
create index if not exists credit_draws_out on credit_draws (account_id) where state in ('open', 'lost');
create index if not exists credit_draws_old on credit_draws (ended_at) where ended_at is not null;

-- Down Migration

drop table if exists credit_draws;
-- What was leased is spent as far as anybody can tell from now on.
update credit_accounts set spent = spent + leased, leased = 0 where leased > 0;
alter table credit_accounts
  drop column if exists low_generation,
  drop column if exists refused,
  drop column if exists recalled_at;
