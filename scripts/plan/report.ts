import type { ZoneDeployment } from '../../topology/deployment.ts';
import type { StackPlan } from './compare-zone.ts';
import { type CostReport, costOf } from './cost.ts';
import type { Refusal } from './effect-types.ts';
import type { Obstacle } from './obstacles.ts';
import { readPrices } from './prices/price-table.ts';
import { stepsBefore } from './readiness.ts';
import type { QuotaUse } from './quotas/quota-use.ts';
import type { Observation, ZonePlan } from './zone-plan.ts';

/** A plan, as it is printed and as `--json` gives it. */
export interface Report {
  readonly environment: string;
  readonly zones: readonly ZonePlan[];
  readonly quotas: readonly QuotaUse[];
  /** Why quotas are defaults; null where AWS was asked or nobody wanted to. */
  readonly quotaProblem: string | null;
  readonly costs: readonly CostReport[];
}

export interface PriceOptions {
  /** A file that is laid over the repository's price table. */
  readonly prices: string | undefined;
  /** Verifications per second of a zone; none for the usual ones. */
  readonly rates: readonly number[];
}

/** What zones cost. Throws `UserError` for a file of prices that can't be used. */
export function costsOf(
  zones: readonly ZoneDeployment[],
  { prices, rates }: PriceOptions,
): readonly CostReport[] {
  const table = readPrices(prices);
  const options = rates.length === 0 ? { prices: table } : { prices: table, rates };
  return zones.map((zone) => costOf(zone, { ...options, now: new Date() }));
}

/** Whether a deployment of what is planned would be stopped, here or by AWS. */
export function isRefused({ zones }: Report): boolean {
  return zones.some(({ obstacles }) => obstacles.length > 0);
}

/** One object for programs. Values of parameters that CloudFormation hides aren't in it. */
export function reportJson(report: Report): object {
  return {
    environment: report.environment,
    refused: isRefused(report),
    before: stepsBefore(report.zones, report.quotas),
    zones: report.zones.map(({ zone, observation, stacks, obstacles }) => ({
      zone: zone.name,
      account: zone.account,
      regions: zone.regions.map(({ region }) => region),
      observed: observationJson(observation),
      stacks: stacks.map(stackJson),
      obstacles: obstacles satisfies readonly Obstacle[],
    })),
    quotas: report.quotas.map(({ quota, account, region, need, allowed, isApplied, level }) => ({
      ...quota,
      account,
      region,
      need,
      allowed,
      applied: isApplied,
      level,
    })),
    quotaProblem: report.quotaProblem,
    costs: report.costs,
  };
}

function observationJson(observation: Observation): object {
  return observation.kind === 'compared'
    ? { kind: observation.kind, undescribed: observation.surroundings.strangers }
    : { kind: observation.kind, why: observation.why };
}

function stackJson(plan: StackPlan): object {
  const { name, account, region, kind, status, state, effect, stale, waitsFor, terminationProtection } = plan;
  const { refused, added, changed, replaced, removed, weakened, unknownTypes } = effect;
  return {
    name,
    account,
    region,
    kind,
    status,
    reason: plan.reason,
    advice: state.advice,
    waitsFor,
    terminationProtection,
    losesTerminationProtection: plan.losesTerminationProtection,
    added,
    changed,
    replaced,
    removed,
    weakened,
    unknownTypes,
    refused: refused satisfies readonly Refusal[],
    stale,
  };
}
