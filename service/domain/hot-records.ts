import type { KeyRow, NamespaceRow, RateLimitOverride, RootKeyRow, SharedKind } from './records.ts';
import { type AppliedLimit, autoLimitsOf } from './key-limits.ts';
import { compileOverrides } from './override-match.ts';
import { viewOf, type KeyView } from './key-view.ts';
import type { Principal } from './principal.ts';
import type { SharedEntry } from './shared-entry.ts';

/** Epoch generation of a record that was asked of home for one answer and is held nowhere. */
export const CONFIRMED = -1;

/**
 * A longer answer is made each time: it says more of the record's shared objects than the estimate of its size has room for.
 * In characters.
 */
export const KEPT_TAIL_MAX = 4096;

/** What every record held in memory has: its row, what it depends on, and under which writer and when it was read. */
abstract class HotRecord<Row extends KeyRow | RootKeyRow | NamespaceRow> {
  row: Row;
  /** Shared objects that decide about this record. */
  dependencies: readonly SharedEntry[];
  /** Generation of the writer's epoch under which it was read; under another one it is unverified. */
  epochGeneration: number;
  /** Generation of the shared objects at which all dependencies were last found fresh. */
  checkedGeneration = -1;
  /** Monotonic ms. */
  readAtMs: number;

  constructor(row: Row, dependencies: readonly SharedEntry[], epochGeneration: number, readAtMs: number) {
    this.row = row;
    this.dependencies = dependencies;
    this.epochGeneration = epochGeneration;
    this.readAtMs = readAtMs;
  }

  /** Takes over what was read again, in place, so that the record keeps its rank among the recently used. */
  replace(row: Row, dependencies: readonly SharedEntry[], epochGeneration: number, readAtMs: number): void {
    this.row = row;
    this.dependencies = dependencies;
    this.epochGeneration = epochGeneration;
    this.readAtMs = readAtMs;
    this.checkedGeneration = -1;
    this.forgetDerived();
  }

  /**
   * True where no dependency waits to be read again. What was derived from those that were replaced since the last look is forgotten.
   * `generation` is that of the shared objects at this moment; where it is still the same nothing can have changed.
   */
  check(generation: number): boolean {
    if (this.checkedGeneration === generation) return true;
    for (const entry of this.dependencies) {
      if (!entry.fresh) return false;
      if (entry.changedGeneration > this.checkedGeneration) this.forgetDerivedFrom(entry.kind);
    }
    this.checkedGeneration = generation;
    return true;
  }

  /** Forgets what was derived from the row or from its dependencies. */
  abstract forgetDerived(): void;

  /** Forgets what was derived from a dependency of this kind. */
  abstract forgetDerivedFrom(kind: SharedKind): void;
}

/** A key's whole verification record. */
export class HotKey extends HotRecord<KeyRow> {
  /** What the answer says of the key, as JSON text; made at the first use. */
  answerTail: string | null = null;
  #view: KeyView | null = null;
  #autoLimits: readonly AppliedLimit[] | null = null;

  get view(): KeyView {
    this.#view ??= viewOf(this.dependencies);
    return this.#view;
  }

  /** The limits that each verification asks, named or not. */
  get autoLimits(): readonly AppliedLimit[] {
    this.#autoLimits ??= autoLimitsOf(this.row, this.view.identity);
    return this.#autoLimits;
  }

  forgetDerived(): void {
    this.answerTail = null;
    this.#view = null;
    this.#autoLimits = null;
  }

  forgetDerivedFrom(kind: SharedKind): void {
    this.#view = null;
    // Each refill changes an account, and neither the kept answer nor the limits say anything of it.
    if (kind !== 'credits') this.forgetDerived();
  }
}

/** A root key and the principal that it stands for. */
export class HotRootKey extends HotRecord<RootKeyRow> {
  #principal: Principal | null = null;

  get principal(): Principal {
    this.#principal ??= this.#makePrincipal();
    return this.#principal;
  }

  #makePrincipal(): Principal {
    const { rootKeyId, workspaceId, permissions } = this.row;
    const { workspace } = viewOf(this.dependencies);
    const rateLimit = workspace?.rateLimit ?? null;
    return {
      rootKeyId,
      workspaceId,
      permissions: new Set(permissions),
      ...(rateLimit === null ? {} : { rateLimit }),
    };
  }

  forgetDerived(): void {
    this.#principal = null;
  }

  forgetDerivedFrom(): void {
    this.forgetDerived();
  }
}

/** A namespace of rate limits. */
export class HotNamespace extends HotRecord<NamespaceRow> {
  #match: ((identifier: string) => RateLimitOverride | null) | null = null;

  /** The override for this identifier: the exact one, or else the first whose pattern it fits; null: none. */
  overrideOf(identifier: string): RateLimitOverride | null {
    this.#match ??= compileOverrides(this.row.overrides);
    return this.#match(identifier);
  }

  forgetDerived(): void {
    this.#match = null;
  }

  /** Overrides stand in the row alone. */
  forgetDerivedFrom(): void {}
}
