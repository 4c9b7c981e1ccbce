import { type Static, type TSchema, Type } from 'typebox';
import { type FieldProblem, Problem } from '../domain/problem.ts';
import { invalidInput } from './errors.ts';

/** The bodies of management calls, with the bounds of the contract. Unknown fields are refused. */

const IDENTIFIER = '^[a-zA-Z0-9_]+$';
const MAX_EXPIRES_MS = 4_102_444_800_000;
/** Metadata is held in memory with its key, by every task. */
const MAX_META_BYTES = 64 * 1024;

const body = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });
const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

const Id = Type.String({ minLength: 3, maxLength: 255, pattern: IDENTIFIER });
const KeyName = Type.String({ minLength: 1, maxLength: 255 });
const ExternalId = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9_.-]+$' });
/** A record of anything. Written by its keywords: TypeBox's own record looks at each property before it counts them. */
const Meta = Type.Unsafe<Record<string, unknown>>({ type: 'object', maxProperties: 100 });
const Expires = Type.Integer({ minimum: 0, maximum: MAX_EXPIRES_MS });
const Roles = Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 100 });
const Permissions = Type.Array(
  Type.String({ minLength: 1, maxLength: 128, pattern: '^[a-zA-Z0-9_:\\-\\.\\*]+$' }),
  { maxItems: 1000 },
);

const Ratelimits = Type.Array(
  body({
    name: Type.String({ minLength: 3, maxLength: 128 }),
    limit: Type.Integer({ minimum: 1 }),
    duration: Type.Integer({ minimum: 1000 }),
    autoApply: Type.Boolean(),
  }),
  { maxItems: 50 },
);

const Credits = body({
  remaining: Nullable(Type.Integer({ minimum: 0 })),
  refill: Type.Optional(
    body({
      interval: Type.Enum(['daily', 'monthly']),
      amount: Type.Integer({ minimum: 1 }),
      refillDay: Type.Optional(Type.Integer({ minimum: 1, maximum: 31 })),
    }),
  ),
});

export const CreateKeyBody = body({
  apiId: Id,
  prefix: Type.Optional(Type.String({ minLength: 1, maxLength: 16, pattern: IDENTIFIER })),
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
  credits: Type.Optional(Nullable(Credits)),
  ratelimits: Type.Optional(Ratelimits),
  enabled: Type.Optional(Type.Boolean()),
  roles: Type.Optional(Roles),
  permissions: Type.Optional(Permissions),
});

export const DeleteKeyBody = body({ keyId: Id, permanent: Type.Optional(Type.Boolean()) });
export const GetKeyBody = body({ keyId: Id, decrypt: Type.Optional(Type.Boolean()) });
export const WhoamiBody = body({ key: Type.String({ minLength: 1, maxLength: 512 }) });
export const CreateApiBody = body({ name: Type.String({ minLength: 3, maxLength: 256 }) });
export const GetApiBody = body({ apiId: Id });
export const WaitForRevisionBody = body({
  revision: Type.String({ minLength: 1, maxLength: 64 }),
  timeoutMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 30_000 })),
});

/** Bounds that a schema can't say: they tie `refill` to `remaining`, and `refillDay` to `interval`. */
export function checkCredits(credits: Static<typeof Credits> | null | undefined): void {
  const refill = credits?.refill;
  if (credits === null || credits === undefined || refill === undefined) return;
  if (credits.remaining === null) {
    throw refused(
      'body.credits.refill',
      'is not allowed with unlimited credits',
      'Remove it, or set "remaining".',
    );
  }
  if (refill.interval === 'monthly' && refill.refillDay === undefined) {
    throw refused(
      'body.credits.refill.refillDay',
      'is required with interval "monthly"',
      'Add a day from 1 to 31.',
    );
  }
  if (refill.interval === 'daily' && refill.refillDay !== undefined) {
    throw refused('body.credits.refill.refillDay', 'is not allowed with interval "daily"', 'Remove it.');
  }
}

/** Bounds metadata as the JSON text that is stored: numbers and escapes may be longer there than they were sent. */
export function checkMeta(meta: Readonly<Record<string, unknown>> | null | undefined): void {
  if (meta === null || meta === undefined) return;
  if (Buffer.byteLength(JSON.stringify(meta)) <= MAX_META_BYTES) return;
  throw refused(
    'body.meta',
    `must have at most ${MAX_META_BYTES} bytes as JSON text`,
    'Keep large values elsewhere, and a reference to them here.',
  );
}

/** Fields that are part of the API and that this version doesn't act on: refused, since ignoring one would be a silent pass. */
interface UnavailableFields {
  readonly ratelimits?: unknown;
  readonly credits?: unknown;
  readonly recoverable?: boolean;
  readonly decrypt?: boolean;
}

/** Throws Problem `not_available_yet`, naming each such field. */
export function refuseUnavailable(input: UnavailableFields): void {
  const names = [
    ...(input.ratelimits === undefined ? [] : ['ratelimits']),
    ...(input.credits === undefined ? [] : ['credits']),
    ...(input.recoverable === true ? ['recoverable'] : []),
    ...(input.decrypt === true ? ['decrypt'] : []),
  ];
  if (names.length === 0) return;
  const errors = names.map((name): FieldProblem => ({
    location: `body.${name}`,
    message: 'is not available in this version yet',
    fix: 'Send the request without it.',
  }));
  throw new Problem('not_available_yet', `Not available in this version yet: ${names.join(', ')}.`, {
    errors,
  });
}

function refused(location: string, message: string, fix: string): Problem {
  return invalidInput(`${location} ${message}.`, { location, message, fix });
}
