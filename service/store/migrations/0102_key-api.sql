-- Up Migration
-- One by one: each statement is a transaction of its own, since this runs while services of the version before read and write these
-- tables, which may have millions of rows. So nothing here looks at all rows of a table while it is locked: checks are added as `not valid`
-- and validated on their own, indexes are built concurrently. And each statement does nothing the second time, for this is run
-- again where it was stopped; an index that was left unfinished is dropped and built anew.

-- A limit on the calls of a workspace's root keys; null: none.
alter table workspaces
  add column if not exists rate_limit_units bigint,
  add column if not exists rate_limit_duration_ms bigint,
  drop constraint if exists workspaces_rate_limit,
  add constraint workspaces_rate_limit check (
    rate_limit_units >= 0 and rate_limit_duration_ms >= 1000
    and (rate_limit_units is null) = (rate_limit_duration_ms is null)
  ) not valid;
alter table workspaces validate constraint workspaces_rate_limit;

alter table apis
  -- Whether texts of keys may be kept, encrypted. Of a deleted API: whether there may still be some, for the pruner to take away.
  add column if not exists recoverable_keys boolean not null default false,
  add column if not exists updated_at timestamptz;

-- What is deleted leaves an emptied row behind: taking a role or an identity from each of a million keys is no single statement's
-- work. Its name becomes one that no call can give ('deleted ' and its id, and for a role 128 blanks more), so that the old one is free again.
alter table identities add column if not exists deleted_at timestamptz;
alter table permissions add column if not exists deleted_at timestamptz;
alter table roles add column if not exists deleted_at timestamptz;
create index concurrently if not exists identities_page on identities (workspace_id, id) where deleted_at is null;
create index concurrently if not exists permissions_page on permissions (workspace_id, id) where deleted_at is null;
create index concurrently if not exists roles_page on roles (workspace_id, id) where deleted_at is null;

alter table keys
  -- Random bytes of the text, so that a rerolled key is as long; null: it was imported.
  add column if not exists byte_length smallint,
  -- Of an imported key: the migration that brought it.
  add column if not exists migration_id text,
  -- Of a rerolled key: when it would have ended without that, so that rerolling it again makes no key that ends with it.
  add column if not exists rerolled_at timestamptz,
  add column if not exists expires_before_reroll timestamptz,
  drop constraint if exists keys_byte_length,
  add constraint keys_byte_length check (byte_length between 16 and 255) not valid;
alter table keys validate constraint keys_byte_length;

-- Lists of an API's keys that belong to one identity.
create index concurrently if not exists keys_api_identity on keys (api_id, identity_id, id)
  where deleted_at is null and identity_id is not null;

-- Texts of recoverable keys, encrypted by the zone's vault.
create table if not exists key_texts (
  key_id text primary key references keys (id) on delete cascade,
  ciphertext bytea not null,
  created_at timestamptz not null default now()
);

-- When the balance is next set to its refill; null: never.
alter table credit_accounts add column if not exists refill_at timestamptz;
create index concurrently if not exists credit_accounts_refill on credit_accounts (refill_at) where refill_at is not null;

create table if not exists ratelimit_namespaces (
  id text primary key,
  workspace_id text not null references workspaces (id),
  name text not null,
  -- What its record is held under, made of workspace and name.
  hash bytea not null unique check (octet_length(hash) = 32),
  created_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (workspace_id, name)
);

create table if not exists ratelimit_overrides (
  id text primary key,
  namespace_id text not null references ratelimit_namespaces (id) on delete cascade,
  -- `*` stands for any text.
  identifier text not null,
  limit_units bigint not null check (limit_units >= 0),
  duration_ms bigint not null check (duration_ms >= 1000),
  created_at timestamptz not null default now(),
  updated_at timestamptz,
  unique (namespace_id, identifier)
);
create index if not exists ratelimit_overrides_page on ratelimit_overrides (namespace_id, id);

-- A namespace has a hash, too. What the version before writes fits both checks.
alter table changes
  drop constraint if exists changes_check,
  drop constraint if exists changes_hash,
  add constraint changes_hash check ((hash is not null) = (kind in ('key', 'rootKey', 'namespace'))) not valid;
alter table changes validate constraint changes_hash;

-- Down Migration

delete from changes where kind = 'namespace';
alter table changes
  drop constraint if exists changes_hash,
  drop constraint if exists changes_check,
  add constraint changes_check check ((hash is not null) = (kind in ('key', 'rootKey'))) not valid;
alter table changes validate constraint changes_check;
drop table if exists ratelimit_overrides, ratelimit_namespaces, key_texts;
drop index concurrently if exists credit_accounts_refill;
alter table credit_accounts drop column if exists refill_at;
drop index concurrently if exists keys_api_identity;
alter table keys
  drop column if exists byte_length,
  drop column if exists migration_id,
  drop column if exists rerolled_at,
  drop column if exists expires_before_reroll;
drop index concurrently if exists roles_page;
drop index concurrently if exists permissions_page;
drop index concurrently if exists identities_page;
alter table roles drop column if exists deleted_at;
alter table permissions drop column if exists deleted_at;
alter table identities drop column if exists deleted_at;
alter table apis drop column if exists recoverable_keys, drop column if exists updated_at;
alter table workspaces drop column if exists rate_limit_units, drop column if exists rate_limit_duration_ms;
