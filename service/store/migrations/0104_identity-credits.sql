-- Up Migration
-- One by one: each statement is a transaction of its own, since this runs while services of the version before read and write these
-- tables, which may have millions of rows. A new column that is null everywhere is added, with its reference, without a look at the rows.

-- Credits that the identity's keys spend which have no account of their own; null: none. A deleted identity keeps it, since its keys go on
-- spending it.
alter table identities add column if not exists credit_account_id text references credit_accounts (id);
-- Whether an account that is due is an identity's.
create unique index concurrently if not exists identities_credit_account on identities (credit_account_id)
  where credit_account_id is not null;

-- Down Migration

drop index concurrently if exists identities_credit_account;
-- The accounts stay, and nobody spends of them.
alter table identities drop column if exists credit_account_id;
