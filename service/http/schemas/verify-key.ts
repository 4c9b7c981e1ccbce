import { Type } from 'typebox';
import type { WantedLimit } from '../../domain/key-limits.ts';
import { body, checkRatelimits, Duration, KeyText, refused, Units } from './fields.ts';

/** Body of `keys.verifyKey`. A limit or a duration that can't be honoured is refused here: it would pass silently otherwise. */
export const VerifyKeyBody = body({
  key: KeyText,
  permissions: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
  tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { maxItems: 20 })),
  migrationId: Type.Optional(Type.String({ maxLength: 256 })),
  credits: Type.Optional(body({ cost: Units(0) })),
  ratelimits: Type.Optional(
    Type.Array(
      body({
        name: Type.String({ minLength: 3, maxLength: 255 }),
        cost: Type.Optional(Units(0)),
        limit: Type.Optional(Units(0)),
        duration: Type.Optional(Duration),
      }),
      { maxItems: 50 },
    ),
  ),
});

/** What the schema can't say: each name once, and a limit with its duration or neither. */
export function checkWantedLimits(wanted: readonly WantedLimit[] | undefined): void {
  if (wanted === undefined) return;
  checkRatelimits(wanted);
  for (const [index, { limit, duration }] of wanted.entries()) {
    if ((limit === undefined) === (duration === undefined)) continue;
    const [missing, given] = limit === undefined ? ['limit', 'duration'] : ['duration', 'limit'];
    throw refused(
      `body.ratelimits[${index}].${missing}`,
      `is required with "${given}"`,
      `Add "${missing}", or leave both out to use the stored limit of this name.`,
    );
  }
}
