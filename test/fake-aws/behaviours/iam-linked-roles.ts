import type { Behaviour } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Place, textAt } from '../values.ts';
import { type Resource, type World, globalPlace } from '../world.ts';
import { CONFLICT_STATUS, LINKED_ROLE, iamArn } from './iam-lookups.ts';
import { requiredText } from './property-values.ts';

/** A service that keeps a role of its own in an account, and the types that need it there. */
interface LinkedService {
  readonly role: string;
  readonly needed: readonly string[];
}

// Each service's page "Using service-linked roles".
const SERVICES: Readonly<Record<string, LinkedService>> = {
  'ecs.amazonaws.com': { role: 'AWSServiceRoleForECS', needed: ['AWS::ECS::Cluster'] },
  'ecs.application-autoscaling.amazonaws.com': {
    role: 'AWSServiceRoleForApplicationAutoScaling_ECSService',
    needed: ['AWS::ApplicationAutoScaling::ScalableTarget'],
  },
  'elasticloadbalancing.amazonaws.com': {
    role: 'AWSServiceRoleForElasticLoadBalancing',
    needed: ['AWS::ElasticLoadBalancingV2::LoadBalancer'],
  },
  'rds.amazonaws.com': {
    role: 'AWSServiceRoleForRDS',
    needed: ['AWS::RDS::DBCluster', 'AWS::RDS::DBInstance'],
  },
  'elasticache.amazonaws.com': {
    role: 'AWSServiceRoleForElastiCache',
    needed: ['AWS::ElastiCache::ServerlessCache', 'AWS::ElastiCache::ReplicationGroup'],
  },
  'globalaccelerator.amazonaws.com': {
    role: 'AWSServiceRoleForGlobalAccelerator',
    needed: ['AWS::GlobalAccelerator::Accelerator'],
  },
};

/** The role that a service keeps in this account, if it is there. */
export function linkedRole(world: World, place: Place, service: string): Resource | undefined {
  return world.find(globalPlace(place), LINKED_ROLE, roleNameOf(service));
}

/** What a service does at its first use in an account: makes its role, unless it is there. */
export function ensureLinkedRole(world: World, place: Place, service: string): Resource {
  return (
    linkedRole(world, place, service) ??
    world.add({
      ...globalPlace(place),
      type: LINKED_ROLE,
      id: roleNameOf(service),
      properties: { AWSServiceName: service },
      attributes: attributesOf(place, service, roleNameOf(service)),
      stack: null,
    })
  );
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-servicelinkedrole.html and IAM's CreateServiceLinkedRole. */
export const serviceLinkedRole: Behaviour = {
  type: LINKED_ROLE,
  scope: 'global',

  create({ world, place }, properties) {
    const service = requiredText(properties, 'AWSServiceName');
    const suffix = textAt(properties, 'CustomSuffix');
    const name = roleNameOf(service) + (suffix === undefined ? '' : `_${suffix}`);
    if (world.find(globalPlace(place), LINKED_ROLE, name) !== undefined) {
      throw new Refusal(
        'InvalidInput',
        `Service role name ${name} has been taken in this account, please try a different suffix.`,
      );
    }
    return { id: name, attributes: attributesOf(place, service, name) };
  },

  // "You can delete a service-linked role only after first deleting their related resources."
  remove({ world, place }, { id, properties }) {
    const needed = SERVICES[requiredText(properties, 'AWSServiceName')]?.needed ?? [];
    const user = needed.flatMap((type) => world.all(type)).find(({ account }) => account === place.account);
    if (user === undefined) return;
    throw new Refusal(
      'DeleteConflict',
      `Role ${id} is in use by ${user.type} ${user.id}, and cannot be deleted.`,
      CONFLICT_STATUS,
    );
  },
};

function attributesOf(place: Place, service: string, name: string): Resource['attributes'] {
  return { RoleName: name, Arn: iamArn(place, 'role', `/aws-service-role/${service}/`, name) };
}

function roleNameOf(service: string): string {
  const known = SERVICES[service]?.role;
  if (known !== undefined) return known;
  const [first = service] = service.split('.');
  return `AWSServiceRoleFor${first.charAt(0).toUpperCase()}${first.slice(1)}`;
}
