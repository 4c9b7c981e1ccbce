import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { errorCode } from './failures.ts';

/** Owns all objects; nobody logs in as it, migrations run under it. */
export const OWNER_ROLE = 'keyhearth_ddl';
/** What services log in as. */
export const APP_ROLE = 'keyhearth_app';
/** RDS lets members of it in by IAM token, and by nothing else. */
const TOKEN_ROLE = 'rds_iam';
/** SQLSTATE. */
const INSUFFICIENT_PRIVILEGE = '42501';

export interface LetInOptions {
  /** For servers that know no IAM tokens; null: the app's password is left as it is. */
  readonly appPassword: string | null;
  readonly onWarning: (message: string) => void;
}

export interface LetIn {
  /** True: the app's role was there before and its password is not ours to set; whether it is `appPassword` has to be tried. */
  readonly passwordUnknown: boolean;
}

/**
 * Statements of PL/pgSQL that make the app's role, acting as a role that is gone again at once. Who creates a role becomes a member of
 * it (Postgres 16 and later), by a grant that only a superuser can take back, and a line of pg_hba.conf for members of rds_iam looks
 * through every membership: the master user could then log in by token only. All of it is one transaction, so nobody ever sees that
 * other role, and nothing is left of it where we are stopped half-way. Afterwards only a superuser may alter or drop the app's role.
 */
export function createAppRole(verifier: string | null): string {
  const maker = `keyhearth_maker_${randomBytes(8).toString('hex')}`;
  // A verifier holds base64, `:` and single `$`: nothing that would end its own text or the one around it.
  const setPassword =
    verifier === null
      ? ''
      : `if not exists (select from pg_roles where rolname = '${TOKEN_ROLE}') then
           alter role ${APP_ROLE} password '${verifier}';
         end if;`;
  return `set local createrole_self_grant = '';
    create role ${maker} createrole nologin;
    grant ${maker} to current_user with inherit false, set true;
    set local role ${maker};
    create role ${APP_ROLE} login;
    ${setPassword}
    reset role;
    drop role ${maker};`;
}

/** What the server says of tokens, and of who would be let in by them. */
interface Doors {
  readonly me: string;
  readonly superuser: boolean;
  readonly tokens: boolean;
  /** Members of rds_iam, whoever made them so. */
  readonly appByToken: boolean;
  readonly ownerByToken: boolean;
  /** We are a member of the app's role, in whatever way. */
  readonly reachesApp: boolean;
  readonly administersApp: boolean;
}

/** By token where the server knows tokens (RDS), else by password where one is given. */
export async function letAppIn(
  client: Client,
  verifier: string | null,
  onWarning: (message: string) => void,
): Promise<LetIn> {
  const { rows } = await client.query<Doors>(
    `select current_user as me, me.rolsuper as superuser, iam.oid is not null as tokens,
       coalesce(pg_has_role('${APP_ROLE}', iam.oid, 'member'), false) as "appByToken",
       coalesce(pg_has_role('${OWNER_ROLE}', iam.oid, 'member'), false) as "ownerByToken",
       pg_has_role('${APP_ROLE}', 'member') as "reachesApp",
       pg_has_role('${APP_ROLE}', 'usage with admin option') as "administersApp"
     from pg_roles me left join pg_roles iam on iam.rolname = '${TOKEN_ROLE}' where me.rolname = current_user`,
  );
  const [doors] = rows;
  if (doors === undefined) throw new Error('the database does not know its own master user');
  const { superuser, tokens, administersApp } = doors;
  if (tokens) {
    await letAppInByToken(client, doors, onWarning);
  } else if (verifier !== null) {
    if (!superuser && !administersApp) return { passwordUnknown: true };
    await client.query(`alter role ${APP_ROLE} password '${verifier}'`);
  }
  return { passwordUnknown: false };
}

/** Never so that we, too, become a member of rds_iam by it. A superuser isn't: pg_hba.conf looks at real memberships only. */
async function letAppInByToken(
  client: Client,
  { me, superuser, appByToken, ownerByToken, reachesApp }: Doors,
  onWarning: (message: string) => void,
): Promise<void> {
  if (ownerByToken) {
    throw new Error(
      `role "${OWNER_ROLE}" is a member of rds_iam, and so role "${me}", which acts as it, may be let in by token only: revoke rds_iam from "${OWNER_ROLE}"`,
    );
  }
  const former = `${APP_ROLE}_former`;
  const lockedOut = `role "${me}" is a member of role "${APP_ROLE}", and whoever is a member of a member of rds_iam may be let in by token only: alter role "${APP_ROLE}" rename to "${former}", revoke rds_iam from "${former}", then start this again, which makes "${APP_ROLE}" anew`;
  const harmful = reachesApp && !superuser;
  if (appByToken) {
    // The harm is done, or this server does none: we did get in. To stop here would help nobody.
    if (harmful) onWarning(`Warning: ${lockedOut}.`);
    return;
  }
  if (harmful) throw new Error(lockedOut);
  try {
    await client.query(`grant ${TOKEN_ROLE} to ${APP_ROLE}`);
  } catch (error) {
    if (errorCode(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new Error(
      `role "${me}" may not grant rds_iam: grant rds_iam to "${APP_ROLE}" as somebody who may`,
      { cause: error },
    );
  }
}
