import { absent, type Demand } from './demands.ts';
import type { RuleId } from './rules.ts';

/** What a property of a type may be. */
export interface PropertyRule {
  readonly rule: RuleId;
  readonly type: string;
  /** Below `Properties`; `*` is every member of a list. */
  readonly path: string;
  readonly demand: Demand;
  /** Whether the rule's demand is all there is to say about texts there; otherwise they are judged as any other. */
  readonly claims: boolean;
}

export type Row = readonly [path: string, demand: Demand];

export function rows(
  rule: RuleId,
  type: string,
  list: readonly Row[],
  claims = true,
): readonly PropertyRule[] {
  return list.map(([path, demand]) => ({ rule, type, path, demand, claims }));
}

/** Nothing may be said there. */
export function nothing(rule: RuleId, type: string, ...paths: readonly string[]): readonly PropertyRule[] {
  return rows(
    rule,
    type,
    paths.map((path) => [path, absent]),
  );
}

/** About the properties as a whole; texts in them are judged as any other. */
export function whole(rule: RuleId, type: string, ...demands: readonly Demand[]): readonly PropertyRule[] {
  return rows(
    rule,
    type,
    demands.map((demand) => ['', demand]),
    false,
  );
}
