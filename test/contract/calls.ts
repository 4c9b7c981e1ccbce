import { KEY_CALLS } from './calls/keys.ts';
import { OTHER_CALLS } from './calls/others.ts';
import { RATELIMIT_CALLS } from './calls/ratelimit.ts';
import type { Call, Made } from './calls/types.ts';

/** Every call of the contract; some more than once, where one of their fields asks for one more permission. */
export const CALLS: readonly Call[] = [...KEY_CALLS, ...OTHER_CALLS, ...RATELIMIT_CALLS];

/** Names within all bounds, of things that don't exist. */
export const PLACEHOLDERS: Made = {
  apiId: 'api_none',
  keyId: 'key_none',
  key: 'none',
  slug: 'none',
  role: 'none',
  name: 'none',
  roleId: 'role_none',
  permissionId: 'perm_none',
  identityId: 'id_none',
  externalId: 'none',
  migrationId: 'none',
  hash: '0'.repeat(64),
  namespace: 'none',
  namespaceId: 'none',
  identifier: 'none',
};
