-- Up Migration

-- Ids are made by the service and are text. Times are timestamptz. Deleted keys and APIs keep their row, marked, unless the
-- deletion was permanent.

create table workspaces (
  id text primary key,
  name text not null,
  enabled boolean not null default true,
  created_at timestamptz not null default now()
);

create table apis (
  id text primary key,
  workspace_id text not null references workspaces (id),
  name text not null,
  -- Addresses and CIDR blocks that keys may be used from; empty: from anywhere.
  ip_allowlist text[] not null default '{}',
  created_at timestamptz not null default now(),
  deleted_at timestamptz
);
create index apis_workspace on apis (workspace_id);

create table identities (
  id text primary key,
  workspace_id text not null references workspaces (id),
  external_id text not null,
  -- json, not jsonb: it is given back as it came, and jsonb refuses some texts that JSON allows.
  meta json,
  created_at timestamptz not null default now(),
  updated_at timestamptz,
  unique (workspace_id, external_id)
);

create table permissions (
  id text primary key,
  workspace_id text not null references workspaces (id),
  slug text not null,
  name text not null,
  description text,
  created_at timestamptz not null default now(),
  unique (workspace_id, slug)
);

create table roles (
  id text primary key,
  workspace_id text not null references workspaces (id),
  name text not null,
  description text,
  created_at timestamptz not null default now(),
  unique (workspace_id, name)
);

create table role_permissions (
  role_id text not null references roles (id) on delete cascade,
  permission_id text not null references permissions (id) on delete cascade,
  primary key (role_id, permission_id)
);
create index role_permissions_permission on role_permissions (permission_id);

-- granted = free + leased + spent holds always, per generation; setting or refilling the balance opens the next generation.
create table credit_accounts (
  id text primary key,
  workspace_id text not null references workspaces (id),
  generation bigint not null default 1,
  granted bigint not null,
  free bigint not null,
  leased bigint not null default 0,
  spent bigint not null default 0,
  refill_interval text check (refill_interval in ('daily', 'monthly')),
  refill_amount bigint check (refill_amount >= 1),
  refill_day integer check (refill_day between 1 and 31),
  refilled_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz,
  check (granted >= 0 and free >= 0 and leased >= 0 and spent >= 0),
  check (granted = free + leased + spent),
  check ((refill_interval is null) = (refill_amount is null)),
  check ((refill_day is not null) = (refill_interval is not distinct from 'monthly'))
);

create table keys (
  id text primary key,
  workspace_id text not null references workspaces (id),
  api_id text not null references apis (id),
  identity_id text references identities (id),
  credit_account_id text references credit_accounts (id),
  -- SHA-256 of the key's text, which itself is stored nowhere.
  hash bytea not null unique check (octet_length(hash) = 32),
  -- The prefix and the next four characters.
  start text not null,
  name text,
  meta json,
  enabled boolean not null default true,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz,
  deleted_at timestamptz
);
create index keys_api on keys (api_id, id) where deleted_at is null;
create index keys_identity on keys (identity_id) where identity_id is not null;
create index keys_credit_account on keys (credit_account_id) where credit_account_id is not null;
create index keys_warm on keys (created_at desc, id desc) where deleted_at is null;

create table key_roles (
  key_id text not null references keys (id) on delete cascade,
  role_id text not null references roles (id) on delete cascade,
  primary key (key_id, role_id)
);
create index key_roles_role on key_roles (role_id);

create table key_permissions (
  key_id text not null references keys (id) on delete cascade,
  permission_id text not null references permissions (id) on delete cascade,
  primary key (key_id, permission_id)
);
create index key_permissions_permission on key_permissions (permission_id);

create table root_keys (
  id text primary key,
  workspace_id text not null references workspaces (id),
  hash bytea not null unique check (octet_length(hash) = 32),
  start text not null,
  name text,
  enabled boolean not null default true,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz,
  deleted_at timestamptz
);
create index root_keys_warm on root_keys (created_at desc, id desc) where deleted_at is null;

create table root_key_permissions (
  root_key_id text not null references root_keys (id) on delete cascade,
  -- A tuple such as api.*.verify_key.
  permission text not null,
  primary key (root_key_id, permission)
);

-- A limit belongs to a key or to an identity, whose keys share it.
create table rate_limits (
  id text primary key,
  workspace_id text not null references workspaces (id),
  key_id text references keys (id) on delete cascade,
  identity_id text references identities (id) on delete cascade,
  name text not null,
  limit_units bigint not null check (limit_units >= 0),
  duration_ms bigint not null check (duration_ms >= 1000),
  auto_apply boolean not null default false,
  exact boolean not null default false,
  on_unavailable text not null default 'local' check (on_unavailable in ('local', 'deny')),
  created_at timestamptz not null default now(),
  updated_at timestamptz,
  check (num_nonnulls(key_id, identity_id) = 1),
  unique (key_id, name),
  unique (identity_id, name)
);

-- Who is writer. The last row is the present epoch; a home that takes over adds one.
create table epochs (
  counter integer primary key check (counter >= 1),
  id text not null check (id ~ '^[0-9a-z]{8}$'),
  region text not null,
  started_at timestamptz not null default clock_timestamp(),
  -- No transaction below it belongs to this epoch.
  started_xid xid8 not null
);

-- The change feed. The key is the order in which tasks read it.
create table changes (
  epoch integer not null references epochs (counter),
  xid xid8 not null default pg_current_xact_id(),
  seq bigint generated always as identity,
  kind text not null,
  id text not null,
  -- Of keys and root keys: the hash that their record is held under.
  hash bytea,
  at timestamptz not null default now(),
  primary key (epoch, xid, seq),
  check ((hash is not null) = (kind in ('key', 'rootKey')))
);

-- One row, rewritten by the home each second, with room to do so in place.
create table heartbeat (
  only_row boolean primary key default true check (only_row),
  epoch integer not null references epochs (counter),
  epoch_id text not null,
  region text not null,
  beat_at timestamptz not null,
  -- Every transaction below it had ended.
  watermark xid8 not null,
  -- Change rows of the epoch below the watermark, since the epoch began.
  changes_below_watermark bigint not null,
  -- Change rows of the epoch below it may have been pruned.
  pruned_below xid8 not null
) with (fillfactor = 20);

-- How far each task of the zone has applied the feed.
create table task_status (
  task_id text primary key,
  region text not null,
  slot text,
  epoch integer not null,
  epoch_id text not null,
  watermark xid8 not null,
  applied_xids xid8[] not null,
  staleness_ms bigint not null,
  cut_off_after_ms bigint,
  reported_at timestamptz not null,
  stopped_at timestamptz
) with (fillfactor = 50);

create table audit_log (
  id text primary key,
  workspace_id text not null,
  at timestamptz not null default now(),
  epoch integer not null,
  xid xid8 not null default pg_current_xact_id(),
  actor_kind text not null check (actor_kind in ('rootKey', 'system')),
  actor_id text not null,
  request_id text not null,
  client_address text not null,
  -- The call, e.g. key.create.
  action text not null,
  target_kind text not null,
  target_id text not null,
  -- What changed; never a secret.
  detail json not null
);
create index audit_log_workspace on audit_log (workspace_id, at desc, id desc);

-- What a write answered, so that a repeat with the same Idempotency-Key answers the same.
create table idempotency_keys (
  root_key_id text not null,
  key text not null,
  request_hash text not null,
  -- A repeated createKey derives the key's random bytes from it and the caller's own root key.
  salt bytea not null,
  epoch integer not null,
  epoch_id text not null,
  xid xid8 not null default pg_current_xact_id(),
  revokes boolean not null default false,
  answer json,
  created_at timestamptz not null default now(),
  primary key (root_key_id, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);

-- Down Migration

drop table idempotency_keys, audit_log, task_status, heartbeat, changes, epochs, rate_limits, root_key_permissions, root_keys,
  key_permissions, key_roles, keys, credit_accounts, role_permissions, roles, permissions, identities, apis, workspaces;
