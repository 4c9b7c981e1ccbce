import type { Behaviour, Context, Made } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt, textsAt } from '../values.ts';
import type { Resource } from '../world.ts';
import { INTERFACE, SUBNET } from './ec2-lookups.ts';
import { requiredText } from './property-values.ts';
import { checkClusterParameters } from './rds-parameters.ts';
import {
  CLUSTER,
  CLUSTER_PARAMETERS,
  INSTANCE,
  INSTANCE_PARAMETERS,
  SUBNET_GROUP,
  groupNameOf,
  rdsArn,
} from './rds-names.ts';

const ZONES_MIN = 2;
const FAMILY = /^aurora-(?:postgresql1[1-8]|mysql(?:5\.7|8\.0|8\.4))$/u;

/** Ref is the group's name. "CreateDBSubnetGroup", "DeleteDBSubnetGroup", Amazon RDS API Reference. */
const subnetGroup: Behaviour = {
  type: SUBNET_GROUP,
  create(context, properties): Made {
    const name = groupNameOf(context, properties, {
      property: 'DBSubnetGroupName',
      pattern: /^[a-z0-9 ._-]+$/u,
    });
    if (context.world.find(context.place, SUBNET_GROUP, name) !== undefined) {
      throw new Refusal('DBSubnetGroupAlreadyExists', `The DB subnet group '${name}' already exists.`);
    }
    const vpc = checkSubnets(context, properties);
    return {
      id: name,
      attributes: { DBSubnetGroupArn: rdsArn(context.place, 'subgrp', name) },
      state: new Map([['vpc', vpc]]),
    };
  },
  update(context, resource, properties): undefined {
    const vpc = checkSubnets(context, properties);
    if (vpc !== resource.state.get('vpc')) {
      throw new Refusal(
        'InvalidParameterValue',
        'The new Subnets are not in the same Vpc as the existing subnet group',
      );
    }
    const { world, place } = context;
    const kept = textsAt(properties, 'SubnetIds');
    const inUse = world
      .all(INTERFACE, place)
      .filter(({ state }) => state.get('subnetGroup') === resource.id)
      .map((one) => textAt(one.properties, 'SubnetId') ?? '');
    const missing = inUse.filter((subnet) => !kept.includes(subnet));
    if (missing.length > 0) {
      throw new Refusal(
        'SubnetAlreadyInUse',
        `Some of the subnets to be deleted are currently in use: ${[...new Set(missing)].join(', ')}`,
      );
    }
  },
  remove({ world, place }, { id }): void {
    const user = world.all(CLUSTER, place).find((one) => nameIs(one, 'DBSubnetGroupName', id));
    if (user === undefined) return;
    throw new Refusal(
      'InvalidDBSubnetGroupStateFault',
      `Cannot delete the subnet group '${id}' because at least one database cluster: ${user.id} is still using it.`,
    );
  },
};

/** Ref is the group's name. "CreateDBClusterParameterGroup", "DeleteDBClusterParameterGroup", Amazon RDS API Reference. */
const clusterParameters = parameterGroup(CLUSTER_PARAMETERS, {
  property: 'DBClusterParameterGroupName',
  kind: 'cluster-pg',
  users: CLUSTER,
  reference: 'DBClusterParameterGroupName',
});

/** Likewise, for instances. */
const instanceParameters = parameterGroup(INSTANCE_PARAMETERS, {
  property: 'DBParameterGroupName',
  kind: 'pg',
  users: INSTANCE,
  reference: 'DBParameterGroupName',
});

export const RDS_GROUPS: readonly Behaviour[] = [subnetGroup, clusterParameters, instanceParameters];

/** Throws where a group isn't there, or is for another family; groups that RDS has by itself are always there. */
export function checkParameters(
  { world, place }: Context,
  { type, name, family }: { type: string; name: string | undefined; family: string },
): void {
  if (name === undefined || name === `default.${family}`) return;
  const found = world.find(place, type, name.toLowerCase());
  if (found === undefined) {
    const kind = type === CLUSTER_PARAMETERS ? 'DBClusterParameterGroup' : 'DBParameterGroup';
    throw new Refusal(`${kind}NotFound`, `${kind} not found: ${name}`, 404);
  }
  const own = requiredText(found.properties, 'Family');
  if (own !== family) {
    throw new Refusal(
      'InvalidParameterCombination',
      `The Parameter Group ${name} with DBParameterGroupFamily ${own} cannot be used for this instance. Please use a Parameter Group with DBParameterGroupFamily ${family}`,
    );
  }
}

function parameterGroup(
  type: string,
  { property, kind, users, reference }: { property: string; kind: string; users: string; reference: string },
): Behaviour {
  return {
    type,
    create(context, properties): Made {
      const name = groupNameOf(context, properties, { property, pattern: /^[a-z](?:-?[a-z0-9])*$/u });
      if (context.world.find(context.place, type, name) !== undefined) {
        throw new Refusal('DBParameterGroupAlreadyExists', `Parameter group ${name} already exists`);
      }
      const family = requiredText(properties, 'Family');
      if (!FAMILY.test(family)) {
        throw new Refusal(
          'InvalidParameterValue',
          `ParameterGroupFamily ${family} is not a valid parameter group family`,
        );
      }
      if (type === CLUSTER_PARAMETERS) checkClusterParameters(family, properties);
      const arn = rdsArn(context.place, kind, name);
      return {
        id: name,
        ...(type === INSTANCE_PARAMETERS
          ? { attributes: { DBParameterGroupName: name, DBParameterGroupArn: arn } }
          : {}),
      };
    },
    update(_context, resource, properties): undefined {
      if (type === CLUSTER_PARAMETERS) {
        checkClusterParameters(requiredText(resource.properties, 'Family'), properties);
      }
    },
    remove({ world, place }, { id }): void {
      const user = world.all(users, place).find((one) => nameIs(one, reference, id));
      if (user === undefined) return;
      throw new Refusal(
        'InvalidDBParameterGroupState',
        `One or more database instances are still members of this parameter group ${id}, so the group cannot be deleted`,
      );
    },
  };
}

function nameIs({ properties }: Resource, property: string, name: string): boolean {
  return textAt(properties, property)?.toLowerCase() === name;
}

/** Returns the VPC that all subnets are in. */
function checkSubnets({ world, place }: Context, properties: Properties): string {
  const ids = textsAt(properties, 'SubnetIds');
  const unknown = ids.filter((id) => world.find(place, SUBNET, id) === undefined);
  if (unknown.length > 0 || ids.length === 0) {
    throw new Refusal('InvalidSubnet', `Some input subnets in :[${unknown.join(', ')}] are invalid.`);
  }
  const subnets = ids.flatMap((id) => world.find(place, SUBNET, id) ?? []);
  const [vpc = '', ...others] = new Set(subnets.map((one) => requiredText(one.properties, 'VpcId')));
  if (others.length > 0) {
    throw new Refusal('InvalidParameterValue', 'The DB subnet group subnets are in different VPCs.');
  }
  const zones = new Set(subnets.map((subnet) => zoneOf(subnet)));
  if (zones.size < ZONES_MIN) {
    throw new Refusal(
      'DBSubnetGroupDoesNotCoverEnoughAZs',
      `The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: ${[...zones].join(', ')}. Add subnets to cover at least ${ZONES_MIN} AZs.`,
    );
  }
  return vpc;
}

/** The availability zone that a subnet is in. */
export function zoneOf({ properties, attributes }: Resource): string {
  return textAt(attributes, 'AvailabilityZone') ?? textAt(properties, 'AvailabilityZone') ?? '';
}
