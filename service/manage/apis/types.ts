import type { KeyView } from '../keys/types.ts';
import type { Nothing, Page, PageInput, Read, Write } from '../types.ts';

interface ApiInput {
  readonly apiId: string;
}

/** Absent keeps, a value sets. */
export interface UpdateApiInput extends ApiInput {
  readonly name?: string;
  /** Addresses and CIDR blocks that its keys may be used from; empty: from anywhere. */
  readonly ipAllowlist?: readonly string[];
  /** Whether keys may be made whose text is kept, encrypted. False keeps no new ones; texts that are kept already stay readable. */
  readonly recoverableKeys?: boolean;
}

export interface ListKeysInput extends ApiInput, PageInput {
  /** Keys of this identity only. */
  readonly externalId?: string;
  /** Answer the texts of recoverable keys. */
  readonly decrypt?: boolean;
}

/** An API as calls show it. What updateApi can set beyond the name is there too, so that what is set can be read. */
export interface ApiView {
  readonly id: string;
  readonly name: string;
  /** Addresses and CIDR blocks that its keys may be used from; empty: from anywhere. */
  readonly ipAllowlist: readonly string[];
  /** Whether keys may be made whose text is kept, encrypted. */
  readonly recoverableKeys: boolean;
}

/** Calls of `apis`. */
export interface ApiCalls {
  readonly createApi: Write<{ readonly name: string }, { readonly apiId: string }>;
  readonly updateApi: Write<UpdateApiInput, Nothing>;
  readonly deleteApi: Write<ApiInput, Nothing>;
  readonly getApi: Read<ApiInput, ApiView>;
  readonly listKeys: Read<ListKeysInput, Page<KeyView>>;
}
