import { Type } from 'typebox';
import { body, Duration, page, refused, Units } from './fields.ts';

/** Bodies of the calls of `ratelimit` that are decided at home. */

const Namespace = Type.String({ minLength: 1, maxLength: 512 });
const Identifier = Type.String({ minLength: 1, maxLength: 512 });
/** Each `*` of a pattern is one more search through each identifier that is limited. */
const MAX_WILDCARDS = 8;

export const CreateNamespaceBody = body({ namespace: Namespace });
export const SetOverrideBody = body({
  namespace: Namespace,
  identifier: Identifier,
  limit: Units(0),
  duration: Duration,
});
export const OverrideBody = body({ namespace: Namespace, identifier: Identifier });

/** What the schema can't say of an override. */
export function checkOverride({ identifier }: { readonly identifier: string }): void {
  if (identifier.split('*').length - 1 <= MAX_WILDCARDS) return;
  throw refused(
    'body.identifier',
    `must have at most ${MAX_WILDCARDS} of the character *`,
    `Use ${MAX_WILDCARDS} or fewer: each stands for any text.`,
  );
}
export const ListOverridesBody = body({ namespace: Namespace, ...page });
