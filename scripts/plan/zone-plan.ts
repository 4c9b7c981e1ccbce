import type { ZoneDeployment } from '../../topology/deployment.ts';
import { compareZone, type DeployedStack, type StackPlan, type WantedStack } from './compare-zone.ts';
import { type Obstacle, obstaclesOf } from './obstacles.ts';
import { stackNamesOf } from './zone-stacks.ts';

/** What is known of a zone's stacks in AWS. */
export type Observation =
  | { readonly kind: 'compared'; readonly stacks: readonly DeployedStack[] }
  /** Planned as if nothing were deployed, or not compared at all; `why` is a sentence. */
  | { readonly kind: 'assumed-empty' | 'not-compared'; readonly why: string };

export interface ZonePlan {
  readonly zone: ZoneDeployment;
  readonly observation: Observation;
  /** Where the zone isn't compared, every stack is there as a new one. */
  readonly stacks: readonly StackPlan[];
  readonly obstacles: readonly Obstacle[];
}

/** What a deployment would do to a zone. `wanted` may hold stacks of other zones. */
export function planZone(
  zone: ZoneDeployment,
  wanted: readonly WantedStack[],
  observation: Observation,
  allowReplacement: boolean,
): ZonePlan {
  const names = stackNamesOf(zone);
  const own = wanted.filter(({ name }) => names.has(name));
  const stacks = compareZone(own, observation.kind === 'compared' ? observation.stacks : []);
  return { zone, observation, stacks, obstacles: obstaclesOf(stacks, allowReplacement) };
}
