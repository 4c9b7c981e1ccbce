-- Up Migration

-- A limit on the calls of a workspace's root keys; null: none.
alter table workspaces
  add column rate_limit_units bigint check (rate_limit_units >= 0),
  add column rate_limit_duration_ms bigint check (rate_limit_duration_ms >= 1000),
  add check ((rate_limit_units is null) = (rate_limit_duration_ms is null));

alter table apis
  -- Whether texts of keys may be kept, encrypted.
  add column recoverable_keys boolean not null default false,
  add column updated_at timestamptz;

-- What is deleted leaves an emptied row behind: taking a role or an identity from each of a million keys is no single statement's
-- work. Its name becomes one that no call can give ('deleted ' and its id), so that the old one is free again.
alter table identities add column deleted_at timestamptz;
alter table permissions add column deleted_at timestamptz;
alter table roles add column deleted_at timestamptz;
create index identities_page on identities (workspace_id, id) where deleted_at is null;
create index permissions_page on permissions (workspace_id, id) where deleted_at is null;
create index roles_page on roles (workspace_id, id) where deleted_at is null;

alter table keys
  -- Random bytes of the text, so that a rerolled key is as long; null: it was imported.
  add column byte_length smallint check (byte_length between 16 and 255),
  -- Of an imported key: the migration that brought it.
  add column migration_id text,
  -- Of a rerolled key: when it would have ended without that, so that rerolling it again makes no key that ends with it.
  add column rerolled_at timestamptz,
  add column expires_before_reroll timestamptz;

-- Lists of an API's keys that belong to one identity.
create index keys_api_identity on keys (api_id, identity_id, id) where deleted_at is null and identity_id is not null;

-- Texts of recoverable keys, encrypted by the zone's vault.
create table key_texts (
  key_id text primary key references keys (id) on delete cascade,
  ciphertext bytea not null,
  created_at timestamptz not null default now()
);

-- Which format the hashes of a migration have; made by its first keys.
create table key_migrations (
  workspace_id text not null references workspaces (id),
  id text not null,
  format text not null check (format in ('sha256', 'prefixedApiKey')),
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
);

-- When the balance is next set to its refill; null: never.
alter table credit_accounts add column refill_at timestamptz;
create index credit_accounts_refill on credit_accounts (refill_at) where refill_at is not null;

create table ratelimit_namespaces (
  id text primary key,
  workspace_id text not null references workspaces (id),
  name text not null,
  -- What its record is held under, made of workspace and name.
  hash bytea not null unique check (octet_length(hash) = 32),
  created_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (workspace_id, name)
);

create table ratelimit_overrides (
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
create index ratelimit_overrides_page on ratelimit_overrides (namespace_id, id);

alter table changes
  drop constraint changes_check,
  add constraint changes_check check ((hash is not null) = (kind in ('key', 'rootKey', 'namespace')));

-- Down Migration

delete from changes where kind = 'namespace';
alter table changes
  drop constraint changes_check,
  add constraint changes_check check ((hash is not null) = (kind in ('key', 'rootKey')));
drop table ratelimit_overrides, ratelimit_namespaces, key_migrations, key_texts;
alter table credit_accounts drop column refill_at;
drop index keys_api_identity;
alter table keys drop column byte_length, drop column migration_id, drop column rerolled_at,
  drop column expires_before_reroll;
alter table roles drop column deleted_at;
alter table permissions drop column deleted_at;
alter table identities drop column deleted_at;
alter table apis drop column recoverable_keys, drop column updated_at;
alter table workspaces drop column rate_limit_units, drop column rate_limit_duration_ms;
