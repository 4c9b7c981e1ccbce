import { Type } from 'typebox';
import {
  body,
  type CheckedLimit,
  checkMeta,
  checkRatelimits,
  ExternalId,
  Meta,
  page,
  Ratelimits,
  Search,
} from './fields.ts';

/** Bodies of the calls of `identities`. */

const MAX_IDENTITY_META_BYTES = 1024 * 1024;

/** An id or an externalId. A text that can be neither names no identity, which is what the answer says. */
const Identity = Type.String({ minLength: 1, maxLength: 255 });

export const CreateIdentityBody = body({
  externalId: ExternalId,
  meta: Type.Optional(Meta),
  ratelimits: Type.Optional(Ratelimits),
});
export const UpdateIdentityBody = body({
  identity: Identity,
  meta: Type.Optional(Meta),
  ratelimits: Type.Optional(Ratelimits),
});
export const DeleteIdentityBody = body({ identity: Identity });
export const GetIdentityBody = body({ identity: Identity });
export const ListIdentitiesBody = body({ ...page, search: Type.Optional(Search) });

interface CheckedFields {
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly ratelimits?: readonly CheckedLimit[];
}

/** What the schemas can't say of an identity. */
export function checkIdentity({ meta, ratelimits }: CheckedFields): void {
  checkMeta(meta, MAX_IDENTITY_META_BYTES);
  checkRatelimits(ratelimits);
}
