import type { Nothing, Page, PageInput, Read, Write } from '../types.ts';

/** `namespace` is an id or a name; `identifier` is taken as it stands, `*` included. */
export interface OverrideInput {
  readonly namespace: string;
  readonly identifier: string;
}

export interface SetOverrideInput extends OverrideInput {
  /** Units per window; 0 lets nothing through. */
  readonly limit: number;
  /** Length of the window in ms. */
  readonly duration: number;
}

export interface OverrideView {
  readonly overrideId: string;
  readonly identifier: string;
  readonly limit: number;
  readonly duration: number;
}

export interface ListOverridesInput extends PageInput {
  readonly namespace: string;
}

/** Calls of `ratelimit` that are decided at home; `limit` and `multiLimit` are decided in each task. */
export interface RatelimitCalls {
  /** Makes the namespace unless there is one of that name; a deleted one stays deleted. */
  readonly createNamespace: Write<{ readonly namespace: string }, { readonly namespaceId: string }>;
  readonly setOverride: Write<SetOverrideInput, { readonly overrideId: string }>;
  readonly deleteOverride: Write<OverrideInput, Nothing>;
  readonly getOverride: Read<OverrideInput, OverrideView>;
  readonly listOverrides: Read<ListOverridesInput, Page<OverrideView>>;
}
