import type { ZoneDeployment } from '../../topology/deployment.ts';
import { compareZone, type DeployedStack, type StackPlan, type WantedStack } from './compare-zone.ts';
import { type Obstacle, obstaclesOf } from './obstacles.ts';
import { NO_SURROUNDINGS, type Surroundings } from './surroundings.ts';
import { identityObstacles, zoneObstacles } from './zone-obstacles.ts';
import { stackNamesOf } from '../lib/zone-stacks.ts';

/** What is known of a zone's stacks in AWS. */
export type Observation =
  | {
      readonly kind: 'compared';
      readonly stacks: readonly DeployedStack[];
      readonly surroundings: Surroundings;
    }
  /** Planned as if nothing were deployed, or not compared at all; `why` is a sentence. */
  | { readonly kind: 'assumed-empty' | 'not-compared'; readonly why: string };

export interface ZonePlan {
  readonly zone: ZoneDeployment;
  readonly observation: Observation;
  /** Where the zone isn't compared, every stack is there as a new one. */
  readonly stacks: readonly StackPlan[];
  /** Whether the description is of another zone than the deployed one, so that a comparison of stacks means nothing. */
  readonly isAnother: boolean;
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
  const deployed = observation.kind === 'compared' ? observation.stacks : [];
  const stacks = compareZone(own, deployed);
  const surroundings = observation.kind === 'compared' ? observation.surroundings : NO_SURROUNDINGS;
  const observed = { zone, deployed, plans: stacks, surroundings, allowReplacement };
  const identity = identityObstacles(observed);
  const isAnother = identity.length > 0;
  const obstacles = isAnother
    ? identity
    : [...zoneObstacles(observed), ...obstaclesOf(stacks, allowReplacement)];
  return { zone, observation, stacks, isAnother, obstacles };
}
