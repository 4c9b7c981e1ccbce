import type { Behaviour, Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt, textsAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { addInterface, checkGroups, removeInterfaces } from './ec2-interfaces.ts';
import { ENDPOINT, ROUTE_TABLE, SUBNET, VPC, ec2Id, existing } from './ec2-lookups.ts';
import { within } from './ec2-vpc.ts';
import { checkPolicy } from './iam-policy-document.ts';
import { flagAt, requiredText } from './property-values.ts';

// "Gateway endpoints", https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html.
const GATEWAY_SERVICES = ['s3', 'dynamodb'];

const endpoint: Behaviour = {
  type: ENDPOINT,

  // CreateVpcEndpoint, https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html, and "Access an AWS service
  // using an interface VPC endpoint", https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html.
  create(context, properties) {
    const { world, place } = context;
    const vpc = existing(world, place, VPC, requiredText(properties, 'VpcId'));
    checkService(place.region, properties);
    checkEndpointPolicy(properties);
    const id = ec2Id(world, 'vpce');
    if (isGateway(properties)) {
      checkTables(context, vpc, properties);
      return { id, attributes: attributesOf(id, [], []) };
    }
    checkPrivateDns(world, vpc, properties);
    checkSubnets(context, vpc, properties);
    checkGroups(world, place, vpc.id, textsAt(properties, 'SecurityGroupIds'));
    const interfaces = addInterfaces(context, id, properties);
    return { id, attributes: attributesOf(id, interfaces, dnsEntries(context, id, properties)) };
  },

  update(context, resource, properties) {
    const { world, place } = context;
    const vpc = existing(world, place, VPC, requiredText(properties, 'VpcId'));
    checkEndpointPolicy(properties);
    if (isGateway(properties)) {
      checkTables(context, vpc, properties, resource.id);
      return undefined;
    }
    checkPrivateDns(world, vpc, properties, resource.id);
    checkSubnets(context, vpc, properties);
    checkGroups(world, place, vpc.id, textsAt(properties, 'SecurityGroupIds'));
    removeInterfaces(world, place, resource.id);
    return { NetworkInterfaceIds: addInterfaces(context, resource.id, properties) };
  },

  remove({ world, place }, { id }) {
    removeInterfaces(world, place, id);
  },
};

export const EC2_ENDPOINTS: readonly Behaviour[] = [endpoint];

export function isGateway(properties: Properties): boolean {
  return (textAt(properties, 'VpcEndpointType') ?? 'Gateway') === 'Gateway';
}

/** The part of a service's name behind the region: `ecr.api`. */
function shortName(properties: Properties): string {
  return requiredText(properties, 'ServiceName').split('.').slice(3).join('.');
}

function checkService(region: string, properties: Properties): void {
  const service = requiredText(properties, 'ServiceName');
  const short = shortName(properties);
  // `com.amazonaws.<region>.…` for AWS's own, `com.amazonaws.vpce.<region>.vpce-svc-…` for others'; a service of another region needs
  // ServiceRegion ("Cross-Region access"), which gateways don't have.
  const own = service.startsWith(`com.amazonaws.${textAt(properties, 'ServiceRegion') ?? region}.`);
  const others = service.startsWith(`com.amazonaws.vpce.${region}.vpce-svc-`);
  const fits = isGateway(properties) ? own && GATEWAY_SERVICES.includes(short) : own || others;
  if (fits && short !== '') return;
  throw new Refusal('InvalidServiceName', `The Vpc Endpoint Service '${service}' does not exist`);
}

/** "Control access to VPC endpoints using endpoint policies", https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html. */
function checkEndpointPolicy(properties: Properties): void {
  const document = properties['PolicyDocument'];
  if (document === undefined) return;
  checkPolicy(document, 'resource', 'InvalidPolicyDocument');
}

function checkTables({ world, place }: Context, vpc: Resource, properties: Properties, self?: string): void {
  for (const id of textsAt(properties, 'RouteTableIds')) {
    const table = existing(world, place, ROUTE_TABLE, id);
    if (textAt(table.properties, 'VpcId') !== vpc.id) {
      throw new Refusal('InvalidParameter', `Route table ${id} does not belong to VPC ${vpc.id}`);
    }
    const taken = within(world, place, ENDPOINT, vpc.id).some(
      (other) =>
        other.id !== self &&
        isGateway(other.properties) &&
        shortName(other.properties) === shortName(properties) &&
        textsAt(other.properties, 'RouteTableIds').includes(id),
    );
    if (taken) {
      throw new Refusal(
        'RouteAlreadyExists',
        `route table ${id} already has a route to the prefix list of ${requiredText(properties, 'ServiceName')}`,
      );
    }
  }
}

/** "Private DNS" on the page above: both DNS attributes of the VPC, and one endpoint a name. */
function checkPrivateDns(world: World, vpc: Resource, properties: Properties, self?: string): void {
  if (flagAt(properties, 'PrivateDnsEnabled') !== true) return;
  // Support is on for a VPC that doesn't say, host names are off.
  const support = flagAt(vpc.properties, 'EnableDnsSupport') ?? true;
  const hostnames = flagAt(vpc.properties, 'EnableDnsHostnames') ?? false;
  if (!support || !hostnames) {
    throw new Refusal(
      'InvalidParameter',
      `Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for ${vpc.id}`,
    );
  }
  const service = requiredText(properties, 'ServiceName');
  const conflict = within(world, vpc, ENDPOINT, vpc.id).some(
    (other) =>
      other.id !== self &&
      !isGateway(other.properties) &&
      flagAt(other.properties, 'PrivateDnsEnabled') === true &&
      requiredText(other.properties, 'ServiceName') === service,
  );
  if (conflict) {
    throw new Refusal(
      'InvalidParameter',
      `private-dns-enabled cannot be set because there is already a conflicting DNS domain for ${privateName(vpc.region, properties)} in the VPC ${vpc.id}`,
    );
  }
}

function checkSubnets({ world, place }: Context, vpc: Resource, properties: Properties): void {
  const zones = new Set<unknown>();
  for (const id of textsAt(properties, 'SubnetIds')) {
    const subnet = existing(world, place, SUBNET, id);
    if (textAt(subnet.properties, 'VpcId') !== vpc.id) {
      throw new Refusal('InvalidParameter', `Subnet ${id} does not belong to VPC ${vpc.id}`);
    }
    const zone = subnet.attributes['AvailabilityZone'];
    if (zones.has(zone)) {
      throw new Refusal(
        'DuplicateSubnetsInSameZone',
        `Found another VPC endpoint subnet in the availability zone of ${id}`,
      );
    }
    zones.add(zone);
  }
}

function addInterfaces({ world, place }: Context, id: string, properties: Properties): readonly string[] {
  return textsAt(properties, 'SubnetIds').map(
    (subnet) =>
      addInterface(world, place, {
        owner: id,
        subnet,
        groups: textsAt(properties, 'SecurityGroupIds'),
        description: `VPC Endpoint Interface ${id}`,
        kind: 'vpc_endpoint',
      }).id,
  );
}

function attributesOf(id: string, interfaces: readonly string[], names: readonly string[]): Properties {
  return {
    Id: id,
    CreationTimestamp: new Date().toISOString(),
    NetworkInterfaceIds: interfaces,
    DnsEntries: names,
  };
}

/** `<hosted zone>:<name>`, as the attribute has them; the zone is Route 53's for PrivateLink and here the same in every region. */
function dnsEntries({ place: { region } }: Context, id: string, properties: Properties): readonly string[] {
  const own = `Z00000000000VPCE:${id}-00000000.${shortName(properties)}.${region}.vpce.amazonaws.com`;
  const isPrivate = flagAt(properties, 'PrivateDnsEnabled') === true;
  return isPrivate ? [own, `ZONEIDPENDING:${privateName(region, properties)}`] : [own];
}

/** `ecr.api` is reached as `api.ecr.<region>.amazonaws.com`. */
function privateName(region: string, properties: Properties): string {
  return `${shortName(properties).split('.').toReversed().join('.')}.${region}.amazonaws.com`;
}
