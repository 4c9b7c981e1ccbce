import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { APP_ROLE, createAppRole, type LetIn, letAppIn, type LetInOptions, OWNER_ROLE } from './app-role.ts';
import { MIGRATIONS_TABLE } from './schema-version.ts';
import { scramVerifier } from './scram.ts';

/**
 * Tables of which the app may do less than read, insert, update and delete: what it writes there is for others to rely on.
 */
const RESTRICTED_TABLES: Readonly<Record<string, readonly string[]>> = {
  [MIGRATIONS_TABLE]: ['select'],
  audit_log: ['select', 'insert'],
};
const ALL_RIGHTS: readonly string[] = ['select', 'insert', 'update', 'delete'];

/**
 * What Postgres says, without a code of its own, where somebody else changed the same role or right at the same moment: roles belong
 * to the server, the lock of migrations to one database.
 */
const CHANGED_BY_ANOTHER = 'tuple concurrently updated';
const ATTEMPTS = 10;

/** The rights that the app must not have, as pairs of table and right. */
export function deniedRights(): readonly (readonly [table: string, right: string])[] {
  return Object.entries(RESTRICTED_TABLES).flatMap(([table, allowed]) =>
    ALL_RIGHTS.filter((right) => !allowed.includes(right)).map((right) => [table, right] as const),
  );
}

/**
 * Makes both roles, and what they need before migrations run. Idempotent. For a session of somebody who owns the database and may
 * create roles, superuser or not, that has the lock of migrations. Throws an Error naming the fix where that isn't so.
 */
export async function makeRoles(client: Client, options: LetInOptions): Promise<LetIn> {
  await checkMaster(client);
  const verifier = options.appPassword === null ? null : scramVerifier(options.appPassword, randomBytes(16));
  // One after the other: where the fix is to be let in, or to hand tables over, by hand, it takes roles that are there.
  await inTransaction(client, async () => await makeRolesOnce(client, verifier));
  const letIn = await inTransaction(client, async () => await letAppIn(client, verifier, options.onWarning));
  await inTransaction(client, async () => {
    await takeOver(client);
    await asOwner(client, async () => {
      await client.query(
        `alter default privileges in schema public grant ${ALL_RIGHTS.join(', ')} on tables to ${APP_ROLE}`,
      );
    });
  });
  return letIn;
}

async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query('begin');
      const value = await work();
      await client.query('commit');
      return value;
    } catch (error) {
      const again = attempt < ATTEMPTS && error instanceof Error && error.message === CHANGED_BY_ANOTHER;
      if (!again) throw error;
      await client.query('rollback');
    }
  }
}

async function makeRolesOnce(client: Client, verifier: string | null): Promise<void> {
  await client.query(
    createRole(OWNER_ROLE, `create role ${OWNER_ROLE} nologin;`) +
      createRole(APP_ROLE, createAppRole(verifier)),
  );
  await checkRoles(client);
  // Who creates a role may administer it, and no more (Postgres 16 and later): to act as the owner, we let ourselves.
  await client.query(`do $$ begin
    if not pg_has_role(current_user, '${OWNER_ROLE}', 'set') then
      grant ${OWNER_ROLE} to current_user with inherit false, set true;
    end if;
    execute format('grant connect on database %I to ${APP_ROLE}', current_database());
    -- Postgres lets everybody make temporary tables.
    execute format('revoke temporary on database %I from public', current_database());
  end $$;
  grant usage, create on schema public to ${OWNER_ROLE};
  grant usage on schema public to ${APP_ROLE};`);
}

/** Runs `work` as the role that owns everything. The session is to be ended where it fails. */
export async function asOwner<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query(`set role ${OWNER_ROLE}`);
  const value = await work();
  await client.query('reset role');
  return value;
}

/** After migrations: the app gets its rights on every table, and no more than it may have. Run as the owner. */
export async function grantTables(client: Client): Promise<void> {
  const restrict = Object.entries(RESTRICTED_TABLES).map(
    ([table, allowed]) => `if to_regclass('public.${table}') is not null then
      revoke all on public.${table} from ${APP_ROLE};
      grant ${allowed.join(', ')} on public.${table} to ${APP_ROLE};
    end if;`,
  );
  await client.query(`do $$ declare one regclass; begin
    for one in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
      and relowner = '${OWNER_ROLE}'::regrole
    loop execute format('grant ${ALL_RIGHTS.join(', ')} on %s to ${APP_ROLE}', one); end loop;
    ${restrict.join('\n')}
  end $$`);
}

/** Roles belong to the server, the lock to the database: another database's migrator may make the same role at the same moment. */
function createRole(role: string, statements: string): string {
  return `do $$ begin
    if not exists (select from pg_roles where rolname = '${role}') then ${statements} end if;
  exception when duplicate_object or unique_violation then null; end $$;`;
}

async function checkMaster(client: Client): Promise<void> {
  const { rows } = await client.query<{ me: string; creates: boolean; owns: boolean; database: string }>(
    `select current_user as me, rolcreaterole or rolsuper as creates, datname as database,
       pg_has_role(current_user, datdba, 'usage') as owns
     from pg_roles, pg_database where rolname = current_user and datname = current_database()`,
  );
  const [found] = rows;
  if (found === undefined) throw new Error('the database does not know its own master user');
  const { me, creates, owns, database } = found;
  if (!creates) throw new Error(`role "${me}" may not create roles: alter role "${me}" createrole`);
  if (!owns) {
    throw new Error(
      `role "${me}" does not own the database "${database}": alter database "${database}" owner to "${me}"`,
    );
  }
}

/** Somebody else may have made roles of these names, with other powers or out of our reach. */
async function checkRoles(client: Client): Promise<void> {
  const { rows } = await client.query<{ role: string; mighty: boolean; ours: boolean; me: string }>(
    `select rolname as role, current_user as me, rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication as mighty,
       pg_has_role(current_user, oid, 'usage with admin option') or (select rolsuper from pg_roles where rolname = current_user) as ours
     from pg_roles where rolname in ('${OWNER_ROLE}', '${APP_ROLE}')`,
  );
  for (const { role, mighty, ours, me } of rows) {
    if (mighty) {
      throw new Error(
        `role "${role}" may do more than it should: alter role "${role}" nosuperuser nocreaterole nocreatedb noreplication nobypassrls`,
      );
    }
    // Nobody needs to administer the app's role, and nobody should: see createAppRole.
    if (role === OWNER_ROLE && !ours) {
      throw new Error(
        `role "${role}" was made by somebody else and role "${me}" may not administer it: drop it, or grant "${role}" to "${me}" with admin true, inherit false, set false`,
      );
    }
  }
}

/**
 * Tables that an earlier migration made as another role become the owner's, if we may give them away. Services that still run as
 * that other role keep what rights they need.
 */
async function takeOver(client: Client): Promise<void> {
  const { rows } = await client.query<{ former: string; may: boolean; me: string; tokens: boolean }>(
    `select pg_get_userbyid(relowner) as former, pg_has_role(current_user, relowner, 'usage') as may, current_user as me,
       coalesce(pg_has_role(relowner, (select oid from pg_roles where rolname = 'rds_iam'), 'member'), false) as tokens
     from pg_class where oid = to_regclass('public.${MIGRATIONS_TABLE}') and relowner <> '${OWNER_ROLE}'::regrole`,
  );
  const [found] = rows;
  if (found === undefined) return;
  const { former, may, me, tokens } = found;
  if (!may && tokens) {
    throw new Error(
      `the tables belong to role "${former}", which migrated them before and is let in by token: grant "${OWNER_ROLE}" to "${former}", then, as "${former}", reassign owned by "${former}" to "${OWNER_ROLE}", then start this again; never grant "${former}" to "${me}", which might then be let in by token only`,
    );
  }
  if (!may) {
    throw new Error(
      `the tables belong to role "${former}", which migrated them before, and role "${me}" may not hand them over: grant "${former}" to "${me}" with inherit true`,
    );
  }
  await client.query(`do $$ declare
    one regclass;
    former oid := (select relowner from pg_class where oid = 'public.${MIGRATIONS_TABLE}'::regclass);
  begin
    for one in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
      and relowner = former
    loop
      execute format('alter table %s owner to ${OWNER_ROLE}', one);
      set local role ${OWNER_ROLE};
      execute format('grant ${ALL_RIGHTS.join(', ')} on %s to %I', one, pg_get_userbyid(former));
      reset role;
    end loop;
  end $$`);
}
