import { type Static, Type } from 'typebox';
import {
  body,
  type CheckedLimit,
  checkMeta,
  checkRatelimits,
  ExternalId,
  Meta,
  Nullable,
  page,
  Ratelimits,
  Search,
} from './fields.ts';
import { checkCredits, Credits, CreditsUpdate } from './keys.ts';

/** Bodies of the calls of `identities`. */

const MAX_IDENTITY_META_BYTES = 1024 * 1024;

/** An id or an externalId. A text that can be neither names no identity, which is what the answer says. */
const Identity = Type.String({ minLength: 1, maxLength: 255 });

export const CreateIdentityBody = body({
  externalId: ExternalId,
  meta: Type.Optional(Meta),
  ratelimits: Type.Optional(Ratelimits),
  credits: Type.Optional(Credits),
});
export const UpdateIdentityBody = body({
  identity: Identity,
  meta: Type.Optional(Meta),
  ratelimits: Type.Optional(Ratelimits),
  credits: Type.Optional(Nullable(CreditsUpdate)),
});
export const DeleteIdentityBody = body({ identity: Identity });
export const GetIdentityBody = body({ identity: Identity });
export const ListIdentitiesBody = body({ ...page, search: Type.Optional(Search) });

interface CheckedFields {
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly ratelimits?: readonly CheckedLimit[];
  readonly credits?: Static<typeof CreditsUpdate> | null;
}

/** What the schemas can't say of an identity. */
export function checkIdentity({ meta, ratelimits, credits }: CheckedFields): void {
  checkMeta(meta, MAX_IDENTITY_META_BYTES);
  checkRatelimits(ratelimits);
  checkCredits(credits);
}
