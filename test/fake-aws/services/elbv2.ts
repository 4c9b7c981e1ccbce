import { type Call, type Service, members } from '../call.ts';
import { type Json, type Properties, isProperties, textAt, textsAt, valueAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { SUBNET } from '../behaviours/ec2-lookups.ts';
import { listenersOf } from '../behaviours/elbv2-listeners.ts';
import { checkLoadBalancerAttributes } from '../behaviours/elbv2-attributes.ts';
import { attributesOf, isInternal, subnetsOf } from '../behaviours/elbv2-load-balancers.ts';
import {
  LISTENER,
  LISTENER_RULE,
  LOAD_BALANCER,
  TARGET_GROUP,
  existingElb,
  loadBalancersOf,
  targetsOf,
} from '../behaviours/elbv2-lookups.ts';
import { numberAt, objectsAt, pairsAt, requiredText } from '../behaviours/property-values.ts';

/** Elastic Load Balancing's API, version 2015-12-01, for what stacks have made. */
export const ELBV2_SERVICE: Service = {
  signingName: 'elasticloadbalancing',
  protocol: 'query',
  namespace: 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/',
  actions: {
    DescribeLoadBalancers: (call) => {
      const found = asked(call, LOAD_BALANCER, 'LoadBalancerArns', 'LoadBalancerName');
      return { result: { LoadBalancers: members(found.map((one) => balancerShape(call.world, one))) } };
    },
    DescribeLoadBalancerAttributes: (call) => ({
      result: { Attributes: pairs(attributesOf(find(call, LOAD_BALANCER, 'LoadBalancerArn'))) },
    }),
    ModifyLoadBalancerAttributes: (call) => {
      const one = find(call, LOAD_BALANCER, 'LoadBalancerArn');
      checkLoadBalancerAttributes({
        Type: one.properties['Type'] ?? 'application',
        LoadBalancerAttributes: call.input['Attributes'] ?? [],
      });
      const before = one.state.get('attributes');
      const set = new Map([
        ...pairsAt({ before: before ?? [] }, 'before'),
        ...pairsAt(call.input, 'Attributes'),
      ]);
      one.state.set(
        'attributes',
        [...set].map(([Key, Value]) => ({ Key, Value })),
      );
      return { result: { Attributes: pairs(attributesOf(one)) } };
    },
    DescribeListeners: (call) => {
      const balancer = textAt(call.input, 'LoadBalancerArn');
      const found =
        balancer === undefined
          ? asked(call, LISTENER, 'ListenerArns')
          : listenersOf(call.world, existingElb(call.world, call, LOAD_BALANCER, balancer));
      return { result: { Listeners: members(found.map(listenerShape)) } };
    },
    DescribeRules: (call) => {
      const listener = textAt(call.input, 'ListenerArn');
      const found =
        listener === undefined
          ? asked(call, LISTENER_RULE, 'RuleArns')
          : call.world
              .all(LISTENER_RULE, call)
              .filter(({ properties }) => textAt(properties, 'ListenerArn') === listener);
      return { result: { Rules: members(found.map(ruleShape)) } };
    },
    DescribeTargetGroups: (call) => {
      const balancer = textAt(call.input, 'LoadBalancerArn');
      const found = asked(call, TARGET_GROUP, 'TargetGroupArns', 'TargetGroupName').filter(
        ({ id }) => balancer === undefined || loadBalancersOf(call.world, call, id).includes(balancer),
      );
      return { result: { TargetGroups: members(found.map((one) => groupShape(call.world, one))) } };
    },
    DescribeTargetGroupAttributes: ({ world, input, ...call }) => {
      const one = existingElb(world, call, TARGET_GROUP, requiredText(input, 'TargetGroupArn'));
      return { result: { Attributes: pairs(pairsAt(one.properties, 'TargetGroupAttributes')) } };
    },
    DescribeTargetHealth: (call) => {
      const group = find(call, TARGET_GROUP, 'TargetGroupArn');
      const described = targetsOf(group).map(({ id, port, zone, health }) => ({
        Target: { Id: id, Port: port, AvailabilityZone: zone },
        HealthCheckPort: String(port),
        TargetHealth: { State: health },
      }));
      return { result: { TargetHealthDescriptions: members(described) } };
    },
    DescribeTags: (call) => {
      const found = textsAt(call.input, 'ResourceArns').flatMap((arn) =>
        [LOAD_BALANCER, TARGET_GROUP, LISTENER, LISTENER_RULE].flatMap(
          (type) => call.world.find(call, type, arn) ?? [],
        ),
      );
      const described = found.map(({ id, properties }) => ({
        ResourceArn: id,
        Tags: members(objectsAt(properties, 'Tags')),
      }));
      return { result: { TagDescriptions: members(described) } };
    },
  },
};

function find({ world, input, ...place }: Call, type: string, parameter: string): Resource {
  return existingElb(world, place, type, requiredText(input, parameter));
}

/** All of a type, or those whose ARNs or names a call gives: each must exist. */
function asked(call: Call, type: string, arns: string, name?: string): readonly Resource[] {
  const all = call.world.all(type, call);
  const byArn = textsAt(call.input, arns).map((arn) => existingElb(call.world, call, type, arn));
  const byName = (name === undefined ? [] : textsAt(call.input, 'Names')).map(
    (wanted) =>
      all.find(({ attributes }) => name !== undefined && attributes[name] === wanted) ??
      existingElb(call.world, call, type, wanted),
  );
  const isSelective = valueAt(call.input, arns) !== undefined || valueAt(call.input, 'Names') !== undefined;
  return isSelective ? [...byArn, ...byName] : all;
}

function pairs(map: ReadonlyMap<string, string>): Properties {
  return members([...map].map(([Key, Value]) => ({ Key, Value })));
}

/** JSON as this protocol writes it: every list, at any depth, has `member`s. */
function queried(value: Json): Json {
  if (Array.isArray(value)) return members(value.map(queried));
  if (!isProperties(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, queried(entry)]));
}

function balancerShape(world: World, one: Resource): Properties {
  const { id, properties, attributes, state } = one;
  const zones = subnetsOf(properties).map((subnet) => ({
    SubnetId: subnet,
    ZoneName: world.find(one, SUBNET, subnet)?.attributes['AvailabilityZone'] ?? null,
  }));
  return {
    LoadBalancerArn: id,
    LoadBalancerName: requiredText(attributes, 'LoadBalancerName'),
    DNSName: requiredText(attributes, 'DNSName'),
    CanonicalHostedZoneId: requiredText(attributes, 'CanonicalHostedZoneID'),
    CreatedTime: state.get('createdAt') ?? null,
    Scheme: isInternal(properties) ? 'internal' : 'internet-facing',
    VpcId: state.get('vpc') ?? null,
    State: { Code: 'active' },
    Type: textAt(properties, 'Type') ?? 'application',
    IpAddressType: textAt(properties, 'IpAddressType') ?? 'ipv4',
    AvailabilityZones: members(zones),
    SecurityGroups: members(textsAt(attributes, 'SecurityGroups')),
  };
}

function listenerShape({ id, properties }: Resource): Properties {
  return {
    ListenerArn: id,
    LoadBalancerArn: requiredText(properties, 'LoadBalancerArn'),
    Port: numberAt(properties, 'Port') ?? null,
    Protocol: textAt(properties, 'Protocol') ?? null,
    SslPolicy: textAt(properties, 'SslPolicy') ?? null,
    Certificates: queried(objectsAt(properties, 'Certificates')),
    DefaultActions: queried(objectsAt(properties, 'DefaultActions')),
  };
}

function ruleShape({ id, properties }: Resource): Properties {
  return {
    RuleArn: id,
    Priority: String(numberAt(properties, 'Priority') ?? ''),
    IsDefault: false,
    Conditions: queried(objectsAt(properties, 'Conditions')),
    Actions: queried(objectsAt(properties, 'Actions')),
  };
}

/** Values that nobody gave are the defaults of CreateTargetGroup's page. */
function groupShape(world: World, one: Resource): Properties {
  const { id, properties, attributes } = one;
  return {
    TargetGroupArn: id,
    TargetGroupName: requiredText(attributes, 'TargetGroupName'),
    Protocol: textAt(properties, 'Protocol') ?? null,
    Port: numberAt(properties, 'Port') ?? null,
    VpcId: textAt(properties, 'VpcId') ?? null,
    TargetType: textAt(properties, 'TargetType') ?? 'instance',
    HealthCheckEnabled: true,
    HealthCheckPath: textAt(properties, 'HealthCheckPath') ?? '/',
    HealthCheckPort: textAt(properties, 'HealthCheckPort') ?? 'traffic-port',
    HealthCheckProtocol: textAt(properties, 'HealthCheckProtocol') ?? textAt(properties, 'Protocol') ?? null,
    HealthCheckIntervalSeconds: numberAt(properties, 'HealthCheckIntervalSeconds') ?? 30,
    HealthCheckTimeoutSeconds: numberAt(properties, 'HealthCheckTimeoutSeconds') ?? 5,
    HealthyThresholdCount: numberAt(properties, 'HealthyThresholdCount') ?? 5,
    UnhealthyThresholdCount: numberAt(properties, 'UnhealthyThresholdCount') ?? 2,
    LoadBalancerArns: members(loadBalancersOf(world, one, id)),
  };
}
