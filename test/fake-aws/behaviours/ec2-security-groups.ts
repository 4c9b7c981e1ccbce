import type { Behaviour } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { groupsOf } from './ec2-interfaces.ts';
import { EGRESS, INGRESS, INTERFACE, SECURITY_GROUP, VPC, ec2Id, existing } from './ec2-lookups.ts';
import { type Direction, checkRules, groupOf, rulesOf } from './ec2-security-rules.ts';
import { objectsAt, requiredText } from './property-values.ts';

const NAME_MAX = 255;
const DESCRIPTION = /^[\w .:/()#,@[\]+=&;{}!$*-]{1,255}$/u;
const ANY_DESTINATION: Properties = { IpProtocol: '-1', CidrIp: '0.0.0.0/0' };

export const SECURITY_GROUP_BEHAVIOUR: Behaviour = {
  type: SECURITY_GROUP,

  // CreateSecurityGroup, https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html.
  create(context, properties) {
    const { world, place } = context;
    const vpc = existing(world, place, VPC, vpcOf(properties));
    const name = textAt(properties, 'GroupName') ?? physicalName(context, NAME_MAX);
    if (name.length > NAME_MAX || name.startsWith('sg-')) {
      throw new Refusal('InvalidParameterValue', `Value (${name}) for parameter GroupName is invalid.`);
    }
    if (!DESCRIPTION.test(requiredText(properties, 'GroupDescription'))) {
      throw new Refusal(
        'InvalidParameterValue',
        `Value (${requiredText(properties, 'GroupDescription')}) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.`,
      );
    }
    const taken = world
      .all(SECURITY_GROUP, place)
      .some((other) => other.attributes['VpcId'] === vpc.id && groupName(other) === name);
    if (taken) {
      throw new Refusal(
        'InvalidGroup.Duplicate',
        `The security group '${name}' already exists for VPC '${vpc.id}'`,
      );
    }
    for (const direction of DIRECTIONS) {
      const added = objectsAt(properties, inlineOf(direction));
      checkRules(world, place, vpc.id, direction, { added, present: [] });
    }
    const id = ec2Id(world, 'sg');
    return {
      id,
      attributes: { Id: id, GroupId: id, VpcId: vpc.id },
      state: new Map([['name', name]]),
    };
  },

  update({ world, place }, group, properties) {
    const vpc = requiredText(group.attributes, 'VpcId');
    for (const direction of DIRECTIONS) {
      const inline = new Set(objectsAt(group.properties, inlineOf(direction)));
      const present = rulesOf(world, group, direction).filter((rule) => !inline.has(rule));
      checkRules(world, place, vpc, direction, {
        added: objectsAt(properties, inlineOf(direction)),
        present,
      });
    }
    return undefined;
  },

  // DeleteSecurityGroup, https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html: not while a network
  // interface has it or another group's rule names it.
  remove({ world, place }, group) {
    if (groupName(group) === 'default') {
      throw new Refusal(
        'CannotDelete',
        `the specified group: "${group.id}" name: "default" cannot be deleted by a user`,
      );
    }
    const used = world.all(INTERFACE, place).some((one) => groupsOf(one).includes(group.id));
    if (used || isNamedByOthers(world, group)) {
      throw new Refusal('DependencyViolation', `resource ${group.id} has a dependent object`);
    }
  },
};

const DIRECTIONS: readonly Direction[] = ['ingress', 'egress'];

function ruleBehaviour(type: string, direction: Direction): Behaviour {
  return {
    type,
    create({ world, place }, properties) {
      const group = existing(world, place, SECURITY_GROUP, requiredText(properties, 'GroupId'));
      checkRules(world, place, requiredText(group.attributes, 'VpcId'), direction, {
        added: [properties],
        present: rulesOf(world, group, direction),
      });
      const id = ec2Id(world, 'sgr');
      return { id, attributes: { Id: id } };
    },
  };
}

export const EC2_SECURITY_GROUPS: readonly Behaviour[] = [
  SECURITY_GROUP_BEHAVIOUR,
  ruleBehaviour(INGRESS, 'ingress'),
  ruleBehaviour(EGRESS, 'egress'),
];

export function groupName(group: Resource): string | undefined {
  const made = group.state.get('name');
  return typeof made === 'string' ? made : textAt(group.properties, 'GroupName');
}

/** A group without any egress rule may go everywhere: AWS adds that rule, and CloudFormation takes it away when a template has others. */
export function effectiveRules(world: World, group: Resource, direction: Direction): readonly Properties[] {
  const rules = rulesOf(world, group, direction);
  return direction === 'egress' && rules.length === 0 ? [ANY_DESTINATION] : rules;
}

function inlineOf(direction: Direction): string {
  return direction === 'ingress' ? 'SecurityGroupIngress' : 'SecurityGroupEgress';
}

function isNamedByOthers(world: World, group: Resource): boolean {
  return world
    .all(SECURITY_GROUP, group)
    .filter((other) => other.id !== group.id)
    .some((other) =>
      DIRECTIONS.some((direction) =>
        rulesOf(world, other, direction).some((rule) => groupOf(rule, direction) === group.id),
      ),
    );
}

/** Without one it would be the default VPC's, which new accounts' regions have and this fake hasn't. */
function vpcOf(properties: Properties): string {
  const vpc = textAt(properties, 'VpcId');
  if (vpc !== undefined) return vpc;
  throw new Refusal('VPCIdNotSpecified', 'No default VPC for this user');
}
