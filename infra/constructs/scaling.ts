import { type aws_ecs as ecs, type aws_elasticloadbalancingv2 as elbv2, Duration } from 'aws-cdk-lib';
import type { RegionSize } from '../../topology/types.ts';

const SECONDS_PER_MINUTE = 60;
/** Demand that is gone for a moment comes back: capacity leaves slowly. */
const SCALE_IN_COOLDOWN = Duration.minutes(10);
/** A new task needs about as long until it is ready. */
const SCALE_OUT_COOLDOWN = Duration.seconds(60);

export type ScalingSize = Pick<
  Required<RegionSize>,
  'minTasks' | 'maxTasks' | 'requestsPerTask' | 'cpuTargetPercent'
>;

/** Keeps the number of tasks between the size's bounds, by requests and by processor use: whichever asks for more. */
export function scaleTasks(
  service: ecs.FargateService,
  targetGroup: elbv2.ApplicationTargetGroup,
  size: ScalingSize,
): void {
  const cooldowns = { scaleInCooldown: SCALE_IN_COOLDOWN, scaleOutCooldown: SCALE_OUT_COOLDOWN };
  const tasks = service.autoScaleTaskCount({ minCapacity: size.minTasks, maxCapacity: size.maxTasks });
  tasks.scaleOnRequestCount('Requests', {
    ...cooldowns,
    targetGroup,
    // The metric counts requests of a minute; the topology says requests per second.
    requestsPerTarget: size.requestsPerTask * SECONDS_PER_MINUTE,
  });
  tasks.scaleOnCpuUtilization('Processor', { ...cooldowns, targetUtilizationPercent: size.cpuTargetPercent });
}
