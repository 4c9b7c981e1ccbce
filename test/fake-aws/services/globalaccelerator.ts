import type { Answer, Call, Service } from '../call.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, textAt, textsAt } from '../values.ts';
import { type Resource, type World, globalPlace } from '../world.ts';
import { LOAD_BALANCER, loadBalancersOf, targetsOf, TARGET_GROUP } from '../behaviours/elbv2-lookups.ts';
import { isEnabled } from '../behaviours/global-accelerator.ts';
import { changeEndpointGroup, weightOf } from '../behaviours/global-accelerator-endpoints.ts';
import {
  ACCELERATOR,
  ACCELERATOR_LISTENER,
  ENDPOINT_GROUP,
  changed,
  existingGlobal,
  groupsOfListener,
  isDeployed,
  listenersOfAccelerator,
} from '../behaviours/global-accelerator-lookups.ts';
import { flagAt, numberAt, objectsAt, requiredText } from '../behaviours/property-values.ts';

/** AWS Global Accelerator's API, version 2018-08-08, for what stacks have made. */
export const GLOBAL_ACCELERATOR_SERVICE: Service = {
  signingName: 'globalaccelerator',
  protocol: 'json',
  actions: {
    ListAccelerators: ({ world, account, region }) => ({
      result: {
        Accelerators: world
          .all(ACCELERATOR, globalPlace({ account, region }))
          .map((one) => acceleratorShape(one)),
      },
    }),
    DescribeAccelerator: (call) => ({
      result: { Accelerator: acceleratorShape(find(call, ACCELERATOR, 'AcceleratorArn')) },
    }),
    UpdateAccelerator: (call) => {
      const one = find(call, ACCELERATOR, 'AcceleratorArn');
      one.properties = { ...one.properties, ...given(call.input, ['Name', 'Enabled', 'IpAddressType']) };
      changed(call.world, one);
      return { result: { Accelerator: acceleratorShape(one) } };
    },
    // DeleteAccelerator, https://docs.aws.amazon.com/global-accelerator/latest/api/API_DeleteAccelerator.html.
    DeleteAccelerator: (call) => {
      const one = find(call, ACCELERATOR, 'AcceleratorArn');
      if (isEnabled(one)) {
        throw new Refusal('AcceleratorNotDisabledException', 'The accelerator must be disabled first');
      }
      if (listenersOfAccelerator(call.world, one).length > 0) {
        throw new Refusal(
          'AssociatedListenerFoundException',
          'The accelerator that you specified has a listener associated with it',
        );
      }
      if (!isDeployed(one)) {
        throw new Refusal(
          'TransactionInProgressException',
          "There's already a transaction in progress. Another transaction can't be processed.",
        );
      }
      call.world.remove(one);
      return { result: {} };
    },
    ListListeners: (call) => ({
      result: {
        Listeners: listenersOfAccelerator(call.world, find(call, ACCELERATOR, 'AcceleratorArn')).map(
          listenerShape,
        ),
      },
    }),
    DescribeListener: (call) => ({
      result: { Listener: listenerShape(find(call, ACCELERATOR_LISTENER, 'ListenerArn')) },
    }),
    ListEndpointGroups: (call) => ({
      result: {
        EndpointGroups: groupsOfListener(call.world, find(call, ACCELERATOR_LISTENER, 'ListenerArn')).map(
          (one) => groupShape(call.world, one),
        ),
      },
    }),
    DescribeEndpointGroup: (call) => groupAnswer(call, find(call, ENDPOINT_GROUP, 'EndpointGroupArn')),
    UpdateEndpointGroup: (call) => {
      const one = find(call, ENDPOINT_GROUP, 'EndpointGroupArn');
      const asked = given(call.input, [
        'EndpointConfigurations',
        'TrafficDialPercentage',
        'HealthCheckPort',
        'HealthCheckProtocol',
        'HealthCheckPath',
        'HealthCheckIntervalSeconds',
        'ThresholdCount',
        'PortOverrides',
      ]);
      const properties = { ...one.properties, ...asked };
      const { world, account, region } = call;
      changeEndpointGroup({ world, place: globalPlace({ account, region }) }, one, properties);
      one.properties = properties;
      return groupAnswer(call, one);
    },
    ListTagsForResource: ({ world, account, region, input }) => {
      const arn = requiredText(input, 'ResourceArn');
      const one = existingGlobal(world, { account, region }, ACCELERATOR, arn);
      return { result: { Tags: objectsAt(one.properties, 'Tags') } };
    },
  },
};

function find({ world, account, region, input }: Call, type: string, parameter: string): Resource {
  return existingGlobal(world, { account, region }, type, requiredText(input, parameter));
}

function given(input: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = input[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Seconds since 1970, as this protocol writes times. */
function seconds(value: Json | undefined): Json {
  return typeof value === 'string' ? Date.parse(value) / 1000 : null;
}

function acceleratorShape(one: Resource): Properties {
  const { id, properties, attributes, state } = one;
  const v6 = textsAt(attributes, 'Ipv6Addresses');
  const dual = textAt(attributes, 'DualStackDnsName');
  return {
    AcceleratorArn: id,
    Name: requiredText(properties, 'Name'),
    IpAddressType: textAt(properties, 'IpAddressType') ?? 'IPV4',
    Enabled: isEnabled(one),
    IpSets: [
      {
        IpFamily: 'IPv4',
        IpAddressFamily: 'IPv4',
        IpAddresses: textsAt(attributes, 'Ipv4Addresses'),
      },
      ...(v6.length > 0 ? [{ IpFamily: 'IPv6', IpAddressFamily: 'IPv6', IpAddresses: v6 }] : []),
    ],
    DnsName: requiredText(attributes, 'DnsName'),
    ...(dual !== undefined && { DualStackDnsName: dual }),
    Status: state.get('status') ?? 'DEPLOYED',
    CreatedTime: seconds(state.get('createdAt')),
    LastModifiedTime: seconds(state.get('changedAt')),
  };
}

function listenerShape({ id, properties }: Resource): Properties {
  return {
    ListenerArn: id,
    PortRanges: objectsAt(properties, 'PortRanges').map((range) => ({
      FromPort: numberAt(range, 'FromPort') ?? 0,
      ToPort: numberAt(range, 'ToPort') ?? 0,
    })),
    Protocol: textAt(properties, 'Protocol') ?? 'TCP',
    ClientAffinity: textAt(properties, 'ClientAffinity') ?? 'NONE',
  };
}

function groupAnswer({ world }: Call, one: Resource): Answer {
  return { result: { EndpointGroup: groupShape(world, one) } };
}

/** Values that nobody gave are the defaults of CreateEndpointGroup's page. */
function groupShape(world: World, one: Resource): Properties {
  const { id, properties, account } = one;
  const region = requiredText(properties, 'EndpointGroupRegion');
  return {
    EndpointGroupArn: id,
    EndpointGroupRegion: region,
    EndpointDescriptions: objectsAt(properties, 'EndpointConfigurations').map((endpoint) => ({
      EndpointId: requiredText(endpoint, 'EndpointId'),
      Weight: weightOf(endpoint),
      ...healthOf(world, { account, region }, requiredText(endpoint, 'EndpointId')),
      ClientIPPreservationEnabled: flagAt(endpoint, 'ClientIPPreservationEnabled') ?? true,
    })),
    TrafficDialPercentage: numberAt(properties, 'TrafficDialPercentage') ?? 100,
    HealthCheckIntervalSeconds: numberAt(properties, 'HealthCheckIntervalSeconds') ?? 30,
    ThresholdCount: numberAt(properties, 'ThresholdCount') ?? 3,
    PortOverrides: objectsAt(properties, 'PortOverrides').map((override) => ({
      ListenerPort: numberAt(override, 'ListenerPort') ?? 0,
      EndpointPort: numberAt(override, 'EndpointPort') ?? 0,
    })),
  };
}

/** A load balancer is as healthy as its targets: every target group needs a healthy one ("Health checks", developer guide). */
function healthOf(
  world: World,
  place: { readonly account: string; readonly region: string },
  arn: string,
): Properties {
  if (world.find(place, LOAD_BALANCER, arn) === undefined) {
    return { HealthState: 'UNHEALTHY', HealthReason: 'The endpoint does not exist' };
  }
  const groups = world
    .all(TARGET_GROUP, place)
    .filter(({ id }) => loadBalancersOf(world, place, id).includes(arn));
  const healthy = groups.every((group) => targetsOf(group).some(({ health }) => health === 'healthy'));
  return groups.length > 0 && healthy
    ? { HealthState: 'HEALTHY' }
    : { HealthState: 'UNHEALTHY', HealthReason: 'No healthy targets' };
}
