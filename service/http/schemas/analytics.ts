import { Type } from 'typebox';
import { body } from './fields.ts';

/** Bodies of the calls of `analytics`. */

export const GetVerificationsBody = body({ query: Type.String({ minLength: 1, maxLength: 20_000 }) });
