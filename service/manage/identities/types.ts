import type { CreditsUpdate, CreditsView } from '../keys/types.ts';
import type { Meta, Nothing, Page, PageInput, RateLimitInput, RateLimitView, Read, Write } from '../types.ts';

/**
 * Whom keys belong to; its rate limits are shared by all of them, its credits by those that have none of their own. Empty fields are
 * left out.
 */
export interface IdentityView {
  readonly id: string;
  readonly externalId: string;
  readonly meta?: Meta;
  readonly ratelimits?: readonly RateLimitView[];
  /** Not where the identity is part of a key's view. */
  readonly credits?: CreditsView;
}

export interface CreateIdentityInput {
  readonly externalId: string;
  readonly meta?: Meta;
  readonly ratelimits?: readonly RateLimitInput[];
  readonly credits?: CreditsView;
}

/** By its id or its externalId. */
interface IdentityInput {
  readonly identity: string;
}

/** Absent keeps, a value sets; rate limits are replaced. */
export interface UpdateIdentityInput extends IdentityInput {
  readonly meta?: Meta;
  readonly ratelimits?: readonly RateLimitInput[];
  /** Null: none. */
  readonly credits?: CreditsUpdate | null;
}

export interface ListIdentitiesInput extends PageInput {
  /** Part of an id or an externalId, in any case. */
  readonly search?: string;
}

/** Calls of `identities`. */
export interface IdentityCalls {
  readonly createIdentity: Write<CreateIdentityInput, { readonly identityId: string }>;
  readonly updateIdentity: Write<UpdateIdentityInput, IdentityView>;
  readonly deleteIdentity: Write<IdentityInput, Nothing>;
  readonly getIdentity: Read<IdentityInput, IdentityView>;
  readonly listIdentities: Read<ListIdentitiesInput, Page<IdentityView>>;
}
