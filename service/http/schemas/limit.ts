import { Type } from 'typebox';
import { body, Duration, Units } from './fields.ts';

/** Bodies of `ratelimit.limit` and `ratelimit.multiLimit`, which each task answers by itself. */

/** The counter's name is made of it, and of the namespace's. */
const Name = Type.String({ minLength: 1, maxLength: 512 });

export const LimitBody = body({
  namespace: Name,
  identifier: Name,
  limit: Units(1),
  duration: Duration,
  cost: Type.Optional(Units(0)),
});

export const MultiLimitBody = Type.Array(LimitBody, { minItems: 1, maxItems: 100 });
