import type { Behaviour } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import { VPC } from './ec2-lookups.ts';
import { checkTargetGroupAttributes } from './elbv2-attributes.ts';
import { TARGET_GROUP, invalid, loadBalancersOf } from './elbv2-lookups.ts';
import { elbName } from './elbv2-names.ts';
import { numberAt } from './property-values.ts';

const INTERVAL_DEFAULT = 30;
const TIMEOUT_DEFAULT = 5;

const targetGroup: Behaviour = {
  type: TARGET_GROUP,

  // CreateTargetGroup, https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html.
  create(context, properties) {
    const { world, place } = context;
    const name = elbName(context, properties, 'Target group');
    if (world.all(TARGET_GROUP, place).some((other) => other.attributes['TargetGroupName'] === name)) {
      throw new Refusal(
        'DuplicateTargetGroupName',
        `A target group with the same name '${name}' exists, but with different settings`,
      );
    }
    if (textAt(properties, 'TargetType') !== 'lambda') {
      for (const required of ['Protocol', 'Port', 'VpcId']) {
        if (properties[required] === undefined) {
          throw invalid(`A ${required === 'VpcId' ? 'VPC ID' : required.toLowerCase()} must be specified`);
        }
      }
      const vpc = textAt(properties, 'VpcId') ?? '';
      if (world.find(place, VPC, vpc) === undefined) {
        throw invalid(`The VPC ID '${vpc}' is not found`);
      }
    }
    checkHealthCheck(properties);
    checkTargetGroupAttributes(properties);
    const full = `targetgroup/${name}/${world.hex(16)}`;
    const arn = `arn:aws:elasticloadbalancing:${place.region}:${place.account}:${full}`;
    return {
      id: arn,
      attributes: {
        TargetGroupArn: arn,
        TargetGroupName: name,
        TargetGroupFullName: full,
        LoadBalancerArns: [],
      },
    };
  },

  update(_context, _resource, properties) {
    checkHealthCheck(properties);
    checkTargetGroupAttributes(properties);
    return undefined;
  },

  // DeleteTargetGroup: not while an action forwards to it.
  remove({ world, place }, { id }) {
    if (loadBalancersOf(world, place, id).length > 0) {
      throw new Refusal('ResourceInUse', `Target group '${id}' is currently in use by a listener or a rule`);
    }
  },
};

export const ELBV2_TARGET_GROUPS: readonly Behaviour[] = [targetGroup];

/** "Health checks for Application Load Balancer target groups": an answer later than the next question is none. */
function checkHealthCheck(properties: Properties): void {
  const interval = numberAt(properties, 'HealthCheckIntervalSeconds') ?? INTERVAL_DEFAULT;
  const timeout = numberAt(properties, 'HealthCheckTimeoutSeconds') ?? TIMEOUT_DEFAULT;
  if (timeout >= interval) {
    throw invalid(`Health check timeout '${timeout}' must be smaller than the interval '${interval}'`);
  }
}
