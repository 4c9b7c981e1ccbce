import { type Static, type TSchema, Type } from 'typebox';
import { invalidInput } from '../errors.ts';

/** Fields that several calls take, with the bounds of the contract. */

const IDENTIFIER = '^[a-zA-Z0-9_]+$';
const MAX_EXPIRES_MS = 4_102_444_800_000;
/** Metadata of a key is held in memory with it, by every task. */
const MAX_KEY_META_BYTES = 64 * 1024;
/** Longest window of a rate limit: 30 days. */
const MAX_DURATION_MS = 2_592_000_000;
/** Largest number of units, credits apart; far from where a sum of them would lose digits. */
const MAX_UNITS = 1e12;

/** An object that takes no other fields. */
export const body = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });
export const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

export const Id = Type.String({ minLength: 3, maxLength: 255, pattern: IDENTIFIER });
export const Prefix = Type.String({ minLength: 1, maxLength: 16, pattern: IDENTIFIER });
export const KeyName = Type.String({ minLength: 1, maxLength: 255 });
export const KeyText = Type.String({ minLength: 1, maxLength: 512 });
export const ExternalId = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9_.-]+$' });
/** A record of anything. Written by its keywords: TypeBox's own record looks at each property before it counts them. */
export const Meta = Type.Unsafe<Record<string, unknown>>({ type: 'object', maxProperties: 100 });
export const Expires = Type.Integer({ minimum: 0, maximum: MAX_EXPIRES_MS });
export const RoleName = Type.String({ minLength: 1, maxLength: 128 });
export const Slug = Type.String({ minLength: 1, maxLength: 128, pattern: '^[a-zA-Z0-9_:\\-\\.\\*]+$' });
export const Roles = Type.Array(RoleName, { maxItems: 100 });
export const Permissions = Type.Array(Slug, { maxItems: 1000 });
export const Units = (minimum: number) => Type.Integer({ minimum, maximum: MAX_UNITS });
export const Duration = Type.Integer({ minimum: 1000, maximum: MAX_DURATION_MS });
/** A balance of credits. Larger numbers have no exact form in JSON. */
export const Balance = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** Page of a list: `limit` 1–100, and the `cursor` that the page before it answered; empty: the first. */
export const page = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  cursor: Type.Optional(Type.String({ maxLength: 255, pattern: '^[a-zA-Z0-9_]*$' })),
};
export const Search = Type.String({ maxLength: 256 });

export const Ratelimits = Type.Array(
  body({
    name: Type.String({ minLength: 3, maxLength: 128 }),
    limit: Units(1),
    duration: Duration,
    autoApply: Type.Boolean(),
    exact: Type.Optional(Type.Boolean()),
    onUnavailable: Type.Optional(Type.Enum(['local', 'deny'])),
  }),
  { maxItems: 50 },
);

export const Refill = body({
  interval: Type.Enum(['daily', 'monthly']),
  amount: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  refillDay: Type.Optional(Type.Integer({ minimum: 1, maximum: 31 })),
});

/** What the schema can't say of a refill: the day goes with the interval. `location` is where it stands, e.g. `body.credits`. */
export function checkRefill(refill: Static<typeof Refill> | null | undefined, location: string): void {
  if (refill === null || refill === undefined) return;
  if (refill.interval === 'monthly' && refill.refillDay === undefined) {
    throw refused(
      `${location}.refill.refillDay`,
      'is required with interval "monthly"',
      'Add a day from 1 to 31.',
    );
  }
  if (refill.interval === 'daily' && refill.refillDay !== undefined) {
    throw refused(`${location}.refill.refillDay`, 'is not allowed with interval "daily"', 'Remove it.');
  }
}

/** What checks look at in a rate limit, stored or wanted. */
export interface CheckedLimit {
  readonly name: string;
  readonly exact?: boolean;
  readonly onUnavailable?: string;
}

/**
 * Two rate limits of the same name in one key or identity would contradict each other, and what is asked of no shared counter can't
 * find it unavailable.
 */
export function checkRatelimits(
  ratelimits: readonly CheckedLimit[] | undefined,
  location = 'body.ratelimits',
): void {
  const seen = new Set<string>();
  for (const [index, { name, exact, onUnavailable }] of (ratelimits ?? []).entries()) {
    if (onUnavailable !== undefined && exact !== true) {
      throw refused(
        `${location}[${index}].onUnavailable`,
        'is not allowed without "exact": true',
        'Remove it, or add "exact": true.',
      );
    }
    if (seen.has(name)) {
      throw refused(
        `${location}[${index}].name`,
        'must not be the name of another rate limit in this list',
        'Give each rate limit a name of its own.',
      );
    }
    seen.add(name);
  }
}

/** Bounds metadata as the JSON text that is stored: numbers and escapes may be longer there than they were sent. */
export function checkMeta(
  meta: Readonly<Record<string, unknown>> | null | undefined,
  maxBytes = MAX_KEY_META_BYTES,
  location = 'body.meta',
): void {
  if (meta === null || meta === undefined) return;
  if (Buffer.byteLength(JSON.stringify(meta)) <= maxBytes) return;
  throw refused(
    location,
    `must have at most ${maxBytes} bytes as JSON text`,
    'Keep large values elsewhere, and a reference to them here.',
  );
}

/** A field that is wrong in a way that schemas can't say. */
export function refused(location: string, message: string, fix: string) {
  return invalidInput(`${location} ${message}.`, { location, message, fix });
}
