import type { Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt, textsAt } from '../values.ts';
import type { Resource } from '../world.ts';
import { addInterface, interfacesOf } from './ec2-interfaces.ts';
import { SECURITY_GROUP, SUBNET } from './ec2-lookups.ts';
import { requiredText } from './property-values.ts';
import { zoneOf } from './rds-groups.ts';
import { NOT_FOUND, SUBNET_GROUP, instancesOf, rdsArn } from './rds-names.ts';
import { stateText } from './state-values.ts';

/** Returns the VPC. Accounts have no default VPC here, so a cluster names its subnets. "Working with a DB cluster in a VPC", Aurora User Guide. */
export function checkClusterNetwork({ world, place }: Context, properties: Properties): string {
  const name = textAt(properties, 'DBSubnetGroupName');
  if (name === undefined) {
    throw new Refusal(
      'InvalidSubnet',
      'No default subnet detected in VPC. Please contact AWS Support to recreate the default Subnets.',
    );
  }
  const group = world.find(place, SUBNET_GROUP, name.toLowerCase());
  if (group === undefined) {
    throw new Refusal('DBSubnetGroupNotFoundFault', `DB subnet group '${name}' does not exist.`, NOT_FOUND);
  }
  const vpc = stateText(group, 'vpc');
  for (const id of textsAt(properties, 'VpcSecurityGroupIds')) {
    const found = world.find(place, SECURITY_GROUP, id);
    if (found === undefined) {
      throw new Refusal('InvalidParameterValue', `Invalid security group , groupId= ${id}, groupName=.`);
    }
    const own = textAt(found.attributes, 'VpcId') ?? textAt(found.properties, 'VpcId') ?? '';
    if (own !== vpc) {
      throw new Refusal(
        'InvalidParameterCombination',
        `The DB instance and EC2 security group are in different VPCs. The DB instance is in ${vpc} and the EC2 security group is in ${own}`,
      );
    }
  }
  return vpc;
}

/** Puts an instance's interface into the subnet of its availability zone. Returns that zone. */
export function placeInstance(
  { world, place }: Context,
  cluster: Resource,
  { id, zone }: { id: string; zone: string | undefined },
): string {
  const name = requiredText(cluster.properties, 'DBSubnetGroupName').toLowerCase();
  const ids = textsAt(world.find(place, SUBNET_GROUP, name)?.properties ?? {}, 'SubnetIds');
  const subnets = ids.flatMap((subnet) => world.find(place, SUBNET, subnet) ?? []);
  const used = instancesOf(world, cluster).map(({ state }) => state.get('zone'));
  // Left to Aurora, an instance goes where the cluster has none yet.
  const subnet =
    zone === undefined
      ? (subnets.find((one) => !used.includes(zoneOf(one))) ?? subnets[0])
      : subnets.find((one) => zoneOf(one) === zone);
  if (subnet === undefined) {
    throw new Refusal(
      'InvalidVPCNetworkStateFault',
      `DB subnet group ${name} has no subnet in Availability Zone ${zone}.`,
    );
  }
  const made = addInterface(world, place, {
    owner: rdsArn(place, 'db', id),
    subnet: subnet.id,
    groups: textsAt(cluster.properties, 'VpcSecurityGroupIds'),
    description: 'RDSNetworkInterface',
  });
  made.state.set('subnetGroup', name);
  return zoneOf(subnet);
}

/** Gives the interfaces of all instances other security groups. */
export function moveInterfaces(
  { world, place }: Context,
  cluster: Resource,
  groups: readonly string[],
): void {
  for (const instance of instancesOf(world, cluster)) {
    for (const one of interfacesOf(world, place, rdsArn(place, 'db', instance.id))) {
      one.properties = { ...one.properties, GroupSet: groups };
    }
  }
}
