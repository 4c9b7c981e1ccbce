import type { Unkey } from '@unkey/api';
import * as errors from '@unkey/api/models/errors';
import { describe, expect, test } from 'vitest';
import { CALLS, PLACEHOLDERS } from '../../calls.ts';
import { type Call, nameOf } from '../../calls/types.ts';
import type { TargetOf } from '../../target.ts';
import { callMethod, INSIDE, OUTSIDE } from './methods.ts';
import { WINDOW_MS } from '../expected.ts';

/** Calls that the client knows, each entry with the client's method. */
const BY_CLIENT: readonly Call[] = CALLS.filter(({ verb }) => INSIDE.includes(verb));

/** A body that the client sends and the service refuses. */
const BAD_BODIES: Readonly<Record<string, unknown>> = {
  'analytics.getVerifications': { query: '' },
  'apis.createApi': { name: 'x' },
  'apis.deleteApi': { apiId: '!' },
  'apis.getApi': { apiId: '!' },
  'apis.listKeys': { apiId: '!' },
  'identities.createIdentity': { externalId: 'not allowed' },
  'identities.deleteIdentity': { identity: '' },
  'identities.getIdentity': { identity: '' },
  'identities.listIdentities': { limit: 101 },
  'identities.updateIdentity': { identity: '' },
  'keys.addPermissions': { keyId: 'key_1', permissions: [] },
  'keys.addRoles': { keyId: 'key_1', roles: [] },
  'keys.createKey': { apiId: 'api_1', byteLength: 15 },
  'keys.deleteKey': { keyId: '!' },
  'keys.getKey': { keyId: '!' },
  'keys.migrateKeys': { migrationId: 'legacy', apiId: 'api_1', keys: [] },
  'keys.removePermissions': { keyId: 'key_1', permissions: [] },
  'keys.removeRoles': { keyId: 'key_1', roles: [] },
  'keys.rerollKey': { keyId: 'key_1', expiration: -1 },
  'keys.setPermissions': { keyId: 'key_1', permissions: ['not allowed'] },
  'keys.setRoles': { keyId: 'key_1', roles: [''] },
  'keys.updateCredits': { keyId: 'key_1', operation: 'set', value: -1 },
  'keys.updateKey': { keyId: 'key_1', expires: -1 },
  'keys.verifyKey': { key: '' },
  'keys.whoami': { key: '' },
  'permissions.createPermission': { name: 'x', slug: 'not allowed' },
  'permissions.createRole': { name: '' },
  'permissions.deletePermission': { permission: '' },
  'permissions.deleteRole': { role: '' },
  'permissions.getPermission': { permission: '' },
  'permissions.getRole': { role: '' },
  'permissions.listPermissions': { limit: 0 },
  'permissions.listRoles': { limit: 0 },
  'permissions.setRolePermissions': { roleId: 'role_1', permissions: ['not allowed'] },
  'ratelimit.deleteOverride': { namespace: '', identifier: 'x' },
  'ratelimit.getOverride': { namespace: '', identifier: 'x' },
  'ratelimit.limit': { namespace: 'x', identifier: 'x', limit: 0, duration: 1000 },
  'ratelimit.listOverrides': { namespace: '' },
  'ratelimit.multiLimit': [],
  'ratelimit.setOverride': { namespace: 'x', identifier: 'x', limit: 1, duration: 999 },
};

/** Every method of @unkey/api, with its success and the errors that all of them have. */
export function everyMethodCases(target: TargetOf): void {
  describe.concurrent('@unkey/api', () => {
    test(`has ${INSIDE.length} methods of this contract, and all are called here`, () => {
      const called = new Set(BY_CLIENT.map(({ verb }) => verb));
      expect(INSIDE.filter((method) => !called.has(method) || !(method in BAD_BODIES))).toEqual([]);
      expect(Object.keys(BAD_BODIES).filter((method) => !INSIDE.includes(method))).toEqual([]);
    });

    test.for(BY_CLIENT.map((call) => ({ name: nameOf(call), call })))('$name', async ({ call }) => {
      const workspace = await target().workspace();
      const body = call.body(await call.make(workspace));
      const answer = callMethod(workspace.client(), call.verb, body);
      if (call.status === undefined) await expect(answer).resolves.toBeDefined();
      else expect(statusOf(await answer.catch((error: unknown) => error))).toBe(call.status);
    });

    test(`throws its typed errors for 400, 401 and 429 from all ${INSIDE.length} methods`, async () => {
      const [workspace, limited] = await Promise.all([target().workspace(), target().workspace()]);
      await limited.alter({ rate_limit_units: 0, rate_limit_duration_ms: WINDOW_MS });
      const plain = new Map(BY_CLIENT.map((call) => [call.verb, call]));
      for (const [method, call] of plain) {
        const body = call.body(PLACEHOLDERS);
        await expectThrown(workspace.client(), method, BAD_BODIES[method], errors.BadRequestErrorResponse);
        await expectThrown(workspace.client('none'), method, body, errors.UnauthorizedErrorResponse);
        await expectThrown(limited.client(), method, body, errors.TooManyRequestsErrorResponse);
      }
    });

    test.for(BY_CLIENT.filter(isRefused).map((call) => ({ name: nameOf(call), call })))(
      'throws its typed error for a root key that may not call $name',
      async ({ call }) => {
        const workspace = await target().workspace();
        const body = call.body(await call.make(workspace));
        const client = workspace.client(await workspace.rootKeyWith([]));
        const type =
          call.lacking === undefined ? errors.ForbiddenErrorResponse : errors.NotFoundErrorResponse;
        await expectThrown(client, call.verb, body, type);
      },
    );

    test(`makes an error with our 404 of the ${OUTSIDE.length} methods outside this contract`, async () => {
      const workspace = await target().workspace();
      const client = workspace.client();
      for (const method of OUTSIDE) {
        const thrown: unknown = await callMethod(client, method, ANYTHING).catch((error: unknown) => error);
        expect([method, statusOf(thrown)]).toEqual([method, 404]);
      }
    });
  });
}

/** Verifications never throw for a permission that is missing, and some entries say what one field needs in addition. */
function isRefused({ verb, permissions, with: variant }: Call): boolean {
  return verb !== 'keys.verifyKey' && permissions.length > 0 && variant === undefined;
}

type ErrorType = abstract new (...args: never[]) => errors.UnkeyError;

async function expectThrown(client: Unkey, method: string, body: unknown, type: ErrorType): Promise<void> {
  const thrown: unknown = await callMethod(client, method, body).catch((error: unknown) => error);
  expect(thrown, `${method}: ${String(thrown)}`).toBeInstanceOf(type);
}

function statusOf(error: unknown): unknown {
  return error instanceof errors.UnkeyError ? error.statusCode : error;
}

/** A body that has every field that some call outside the contract asks for; the client sends of it what it knows. */
const ANYTHING = {
  project: 'none',
  app: 'none',
  environment: 'none',
  environmentSlug: 'none',
  name: 'none',
  slug: 'none',
  domain: 'none',
  deploymentId: 'none',
  policyId: 'none',
  branch: 'none',
  dockerImage: 'none',
  image: { dockerImage: 'none' },
  portal: 'none',
  externalId: 'none',
  keyId: 'none',
  code: 'none',
  query: 'none',
  variables: [],
  policies: [],
  scopes: [],
  expiration: 0,
  startTime: 0,
  endTime: 1,
};
