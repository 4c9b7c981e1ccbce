import type { Need } from './needs.ts';

/** A need beside what AWS allows. */
export interface QuotaUse extends Need {
  readonly allowed: number;
  /** Whether AWS has been asked for it: a default otherwise. */
  readonly isApplied: boolean;
  /** `over`: more than that is needed. `near`: more than half of it. */
  readonly level: 'over' | 'near' | 'fine';
}

/** @param applied what AWS allows this account; null for the default */
export function useOf(need: Need, applied: number | null): QuotaUse {
  const allowed = applied ?? need.quota.value;
  const level = need.need > allowed ? 'over' : need.need > allowed / 2 ? 'near' : 'fine';
  return { ...need, allowed, isApplied: applied !== null, level };
}

/** Whether a person wants to know. What else is in the account isn't counted, hence the half. */
export function isWorthSaying({ level, quota }: QuotaUse): boolean {
  return level !== 'fine' || quota.meetsNewAccounts;
}
