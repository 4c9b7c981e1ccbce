import { Type } from 'typebox';
import { body, Duration, page, Units } from './fields.ts';

/** Bodies of the calls of `ratelimit` that are decided at home. */

const Namespace = Type.String({ minLength: 1, maxLength: 512 });
const Identifier = Type.String({ minLength: 1, maxLength: 512 });

export const CreateNamespaceBody = body({ namespace: Namespace });
export const SetOverrideBody = body({
  namespace: Namespace,
  identifier: Identifier,
  limit: Units(0),
  duration: Duration,
});
export const OverrideBody = body({ namespace: Namespace, identifier: Identifier });
export const ListOverridesBody = body({ namespace: Namespace, ...page });
