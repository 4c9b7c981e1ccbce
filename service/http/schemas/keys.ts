import { type Static, Type } from 'typebox';
import {
  Balance,
  body,
  type CheckedLimit,
  checkMeta,
  checkRatelimits,
  checkRefill,
  Expires,
  ExternalId,
  Id,
  KeyName,
  KeyText,
  Meta,
  Nullable,
  Permissions,
  Prefix,
  Ratelimits,
  Refill,
  refused,
  Roles,
} from './fields.ts';

/** Bodies of the calls of `keys`. */

export const Credits = body({ remaining: Nullable(Balance), refill: Type.Optional(Refill) });
export const CreditsUpdate = body({
  remaining: Type.Optional(Nullable(Balance)),
  refill: Type.Optional(Nullable(Refill)),
});

export const CreateKeyBody = body({
  apiId: Id,
  prefix: Type.Optional(Prefix),
  name: Type.Optional(KeyName),
  byteLength: Type.Optional(Type.Integer({ minimum: 16, maximum: 255 })),
  externalId: Type.Optional(ExternalId),
  meta: Type.Optional(Meta),
  roles: Type.Optional(Roles),
  permissions: Type.Optional(Permissions),
  expires: Type.Optional(Expires),
  credits: Type.Optional(Credits),
  ratelimits: Type.Optional(Ratelimits),
  enabled: Type.Optional(Type.Boolean()),
  recoverable: Type.Optional(Type.Boolean()),
});

export const UpdateKeyBody = body({
  keyId: Id,
  name: Type.Optional(Nullable(KeyName)),
  externalId: Type.Optional(Nullable(ExternalId)),
  meta: Type.Optional(Nullable(Meta)),
  expires: Type.Optional(Nullable(Expires)),
  credits: Type.Optional(Nullable(CreditsUpdate)),
  ratelimits: Type.Optional(Ratelimits),
  enabled: Type.Optional(Type.Boolean()),
  roles: Type.Optional(Roles),
  permissions: Type.Optional(Permissions),
});

export const DeleteKeyBody = body({ keyId: Id, permanent: Type.Optional(Type.Boolean()) });
export const GetKeyBody = body({ keyId: Id, decrypt: Type.Optional(Type.Boolean()) });
export const UpdateCreditsBody = body({
  keyId: Id,
  operation: Type.Enum(['set', 'increment', 'decrement']),
  value: Type.Optional(Nullable(Balance)),
});
export const WhoamiBody = body({ key: KeyText });

interface CheckedFields {
  readonly credits?: Static<typeof CreditsUpdate> | null;
  readonly meta?: Readonly<Record<string, unknown>> | null;
  readonly ratelimits?: readonly CheckedLimit[];
}

/** What the schemas can't say of a key. `location` is where it stands. */
export function checkKey({ credits, meta, ratelimits }: CheckedFields, location = 'body'): void {
  checkMeta(meta, undefined, `${location}.meta`);
  checkRatelimits(ratelimits, `${location}.ratelimits`);
  checkCredits(credits, location);
}

/** What the schemas can't say of credits, of a key or an identity. `location` is where those stand. */
export function checkCredits(
  credits: Static<typeof CreditsUpdate> | null | undefined,
  location = 'body',
): void {
  const refill = credits?.refill;
  if (refill === null || refill === undefined) return;
  if (credits?.remaining === null) {
    throw refused(
      `${location}.credits.refill`,
      'is not allowed with unlimited credits',
      'Remove it, or set "remaining".',
    );
  }
  checkRefill(refill, `${location}.credits`);
}
