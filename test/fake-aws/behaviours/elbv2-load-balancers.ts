import type { Behaviour, Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, textAt, textsAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { addInterface, checkGroups, freeAddresses, removeInterfaces } from './ec2-interfaces.ts';
import { SUBNET, VPC, existing } from './ec2-lookups.ts';
import { hasInternetGateway } from './ec2-gateways.ts';
import { checkLoadBalancerAttributes } from './elbv2-attributes.ts';
import { LISTENER, LISTENER_RULE, LOAD_BALANCER, invalid } from './elbv2-lookups.ts';
import { LOAD_BALANCER_ZONES, elbName } from './elbv2-names.ts';
import { objectsAt, pairsAt, requiredText } from './property-values.ts';

// "Subnets for your load balancer",
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer.
const FREE_ADDRESSES_MIN = 8;
const ZONES_MIN = 2;

const loadBalancer: Behaviour = {
  type: LOAD_BALANCER,

  // CreateLoadBalancer, https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html.
  create(context, properties) {
    const { world, place } = context;
    const name = elbName(context, properties, 'Load balancer');
    if (world.all(LOAD_BALANCER, place).some((other) => other.attributes['LoadBalancerName'] === name)) {
      throw new Refusal(
        'DuplicateLoadBalancerName',
        `A load balancer with the same name '${name}' exists, but with different settings`,
      );
    }
    checkLoadBalancerAttributes(properties);
    const vpc = checkSubnets(context, properties);
    const isApplication = (textAt(properties, 'Type') ?? 'application') === 'application';
    const groups = textsAt(properties, 'SecurityGroups');
    try {
      checkGroups(world, place, vpc.id, groups);
    } catch (error) {
      if (error instanceof Refusal) throw new Refusal('InvalidSecurityGroup', error.message);
      throw error;
    }
    const id = `${isApplication ? 'app' : 'net'}/${name}/${world.hex(16)}`;
    const arn = `arn:aws:elasticloadbalancing:${place.region}:${place.account}:loadbalancer/${id}`;
    placeInterfaces(context, arn, properties);
    const prefix = isInternal(properties) ? 'internal-' : '';
    return {
      id: arn,
      attributes: {
        LoadBalancerArn: arn,
        LoadBalancerName: name,
        LoadBalancerFullName: id,
        DNSName: `${prefix}${name}-${world.hex(10)}.${place.region}.elb.amazonaws.com`,
        CanonicalHostedZoneID: LOAD_BALANCER_ZONES[place.region] ?? '',
        SecurityGroups: groups.length > 0 ? groups : [requiredText(vpc.attributes, 'DefaultSecurityGroup')],
      },
      state: new Map<string, Json>([
        ['vpc', vpc.id],
        ['createdAt', new Date().toISOString()],
      ]),
    };
  },

  update(context, resource, properties) {
    checkLoadBalancerAttributes(properties);
    const vpc = checkSubnets(context, properties, resource.id);
    checkGroups(context.world, context.place, vpc.id, textsAt(properties, 'SecurityGroups'));
    removeInterfaces(context.world, context.place, resource.id);
    placeInterfaces(context, resource.id, properties);
    // What a call has set since is the template's again.
    resource.state.delete('attributes');
    return { SecurityGroups: textsAt(properties, 'SecurityGroups') };
  },

  // DeleteLoadBalancer: deletion protection stands in the way, listeners don't and go with it.
  remove({ world, place }, resource) {
    if (attributesOf(resource).get('deletion_protection.enabled') === 'true') {
      throw new Refusal(
        'OperationNotPermitted',
        `Load balancer '${resource.id}' cannot be deleted because deletion protection is enabled`,
      );
    }
    removeInterfaces(world, place, resource.id);
    for (const listener of world.all(LISTENER, place)) {
      if (textAt(listener.properties, 'LoadBalancerArn') !== resource.id) continue;
      for (const rule of world.all(LISTENER_RULE, place)) {
        if (textAt(rule.properties, 'ListenerArn') === listener.id) world.remove(rule);
      }
      world.remove(listener);
    }
  },
};

export const ELBV2_LOAD_BALANCERS: readonly Behaviour[] = [loadBalancer];

export function isInternal(properties: Properties): boolean {
  return textAt(properties, 'Scheme') === 'internal';
}

export function subnetsOf(properties: Properties): readonly string[] {
  const mapped = objectsAt(properties, 'SubnetMappings').map((entry) => requiredText(entry, 'SubnetId'));
  return [...textsAt(properties, 'Subnets'), ...mapped];
}

/** Attributes as they are now: a template's, and what ModifyLoadBalancerAttributes has set since. */
export function attributesOf(resource: Resource): ReadonlyMap<string, string> {
  const set = resource.state.get('attributes');
  const changed = Array.isArray(set) ? pairsAt({ set }, 'set') : new Map<string, string>();
  return new Map([...pairsAt(resource.properties, 'LoadBalancerAttributes'), ...changed]);
}

/** Returns the VPC that the subnets are of. `self` has its own addresses in them already. */
function checkSubnets({ world, place }: Context, properties: Properties, self?: string): Resource {
  const subnets = subnetsOf(properties).map((id) => {
    const found = world.find(place, SUBNET, id);
    if (found === undefined) throw new Refusal('SubnetNotFound', `The subnet ID '${id}' does not exist`);
    return found;
  });
  const zones = new Set(subnets.map(({ attributes }) => attributes['AvailabilityZone']));
  if (zones.size < subnets.length) {
    throw new Refusal(
      'InvalidConfigurationRequest',
      'A load balancer cannot be attached to multiple subnets in the same Availability Zone',
    );
  }
  const isNetwork = textAt(properties, 'Type') === 'network';
  const [first] = subnets;
  if (first === undefined || (!isNetwork && zones.size < ZONES_MIN)) {
    throw invalid('At least two subnets in two different Availability Zones must be specified');
  }
  const vpc = existing(world, place, VPC, requiredText(first.properties, 'VpcId'));
  if (subnets.some((one) => textAt(one.properties, 'VpcId') !== vpc.id)) {
    throw new Refusal('InvalidSubnet', 'All subnets must belong to the same VPC');
  }
  if (!isInternal(properties) && !hasInternetGateway(world, vpc)) {
    throw new Refusal('InvalidSubnet', `VPC ${vpc.id} has no internet gateway`);
  }
  if (self === undefined) checkRoom(world, subnets);
  return vpc;
}

function checkRoom(world: World, subnets: readonly Resource[]): void {
  const full = subnets.find((one) => freeAddresses(world, one) < FREE_ADDRESSES_MIN);
  if (full === undefined) return;
  throw new Refusal(
    'InvalidSubnet',
    `Not enough IP space available in ${full.id}. ELB requires at least ${FREE_ADDRESSES_MIN} free IP addresses in each subnet.`,
  );
}

function placeInterfaces({ world, place }: Context, arn: string, properties: Properties): void {
  for (const subnet of subnetsOf(properties)) {
    addInterface(world, place, {
      owner: arn,
      subnet,
      groups: textsAt(properties, 'SecurityGroups'),
      description: `ELB ${arn.split(':loadbalancer/')[1]}`,
      public: !isInternal(properties),
    });
  }
}
