import { Type } from 'typebox';
import { body } from './fields.ts';

export const WaitForRevisionBody = body({
  revision: Type.String({ minLength: 1, maxLength: 64 }),
  timeoutMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 30_000 })),
});
