import { onTestFinished } from 'vitest';
import { systemClock } from '../service/clock.ts';
import { type AccessSettings, type ValkeyAccess, valkeyAccess } from '../service/valkey/access.ts';
import { ValkeyConnection, type ValkeyConnectionOptions } from '../service/valkey/connection.ts';
import type { SignToken } from '../service/valkey/iam-tokens.ts';
import type { TestValkey } from './valkey.ts';

const NONE: AccessSettings = {
  valkey: '',
  valkeyAuth: 'password',
  valkeyUser: '',
  valkeyCache: '',
  valkeyTlsCa: '',
  region: 'eu-west-1',
};

/** What leads to a cluster; settings that are given differ. */
export function accessTo(
  valkey: TestValkey,
  settings: Partial<AccessSettings> = {},
  sign?: SignToken,
): ValkeyAccess {
  const access = valkeyAccess({ ...NONE, valkey: valkey.url, valkeyTlsCa: valkey.caFile, ...settings }, sign);
  if (access === null) throw new Error('the settings name no Valkey');
  return access;
}

export interface TestConnection {
  readonly connection: ValkeyConnection;
  /** What it logged, as text. */
  readonly logged: readonly string[];
}

/** A started connection, closed when the test ends. It may not be connected yet. */
export function startConnection(
  access: ValkeyAccess,
  options: Partial<ValkeyConnectionOptions> = {},
): TestConnection {
  const logged: string[] = [];
  const keep =
    (level: string) =>
    (fields: object, message: string): void =>
      void logged.push(`${level} ${JSON.stringify(fields)} ${message}`);
  const log = { info: keep('info'), warn: keep('warn') };
  const connection = new ValkeyConnection({ access, clock: systemClock, log, checkMs: 100, ...options });
  connection.start();
  onTestFinished(async () => await connection.close());
  return { connection, logged };
}
