import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../../lib/user-error.ts';

/** Passwords of one zone's database roles; a standby has those of its primary, so all nodes of a zone share them. */
export interface PostgresPasswords {
  /** Role `postgres`, superuser: replication control only. */
  readonly admin: string;
  /** Role `keyhearth`: owns the database of that name; what the service and its migrations use. */
  readonly service: string;
  /** Role `replication`: streams, and can read nothing. */
  readonly replication: string;
}

/** New random ones: 32 hexadecimal digits each, so that they need no escaping anywhere. */
export function newPasswords(): PostgresPasswords {
  return { admin: newPassword(), service: newPassword(), replication: newPassword() };
}

function newPassword(): string {
  return randomBytes(16).toString('hex');
}

/** Those kept in `file` (mode 0600), made on first use. */
export function keptPasswords(file: string): PostgresPasswords {
  try {
    // Written below and by nobody else.
    return JSON.parse(readFileSync(file, 'utf8')) as PostgresPasswords;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  const passwords = newPasswords();
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(passwords), { mode: 0o600, flag: 'wx' });
  return passwords;
}
