import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { canonicalText, parseRange } from './cidr.ts';
import { EGRESS, INGRESS, SECURITY_GROUP, existing } from './ec2-lookups.ts';
import { livePeerings, otherEnd } from './ec2-peering.ts';
import { numberAt, objectsAt, scalarText } from './property-values.ts';

export type Direction = 'ingress' | 'egress';

// "Amazon VPC quotas": inbound or outbound rules per security group.
const RULES_MAX = 60;
// "IpRange", Description: these characters, and 255 of them (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html).
const DESCRIPTION = /^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{0,255}$/u;

const OTHER_SIDE = {
  ingress: { group: 'SourceSecurityGroupId', list: 'SourcePrefixListId' },
  egress: { group: 'DestinationSecurityGroupId', list: 'DestinationPrefixListId' },
} as const;

const PROTOCOLS: Readonly<Record<string, string>> = { '6': 'tcp', '17': 'udp', '1': 'icmp' };
const PORTS_MAX = 65_535;
const ICMP_MAX = 255;

/** Rules of a group: those in its own properties, and those that stand for themselves, whichever stack has them. */
export function rulesOf(world: World, group: Resource, direction: Direction): readonly Properties[] {
  const inline = objectsAt(
    group.properties,
    direction === 'ingress' ? 'SecurityGroupIngress' : 'SecurityGroupEgress',
  );
  const separate = world
    .all(direction === 'ingress' ? INGRESS : EGRESS, group)
    .filter(({ properties }) => textAt(properties, 'GroupId') === group.id)
    .map(({ properties }) => properties);
  return [...inline, ...separate];
}

/** The group that a rule names as its other side. */
export function groupOf(rule: Properties, direction: Direction): string | undefined {
  return textAt(rule, OTHER_SIDE[direction].group);
}

/**
 * What AuthorizeSecurityGroupIngress and …Egress refuse, given the rules that the group has already.
 * Source: "Security group rules", https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html, and the two calls' pages.
 *
 * @param vpc the group's VPC
 */
export function checkRules(
  world: World,
  place: { readonly account: string; readonly region: string },
  vpc: string,
  direction: Direction,
  { added, present }: { readonly added: readonly Properties[]; readonly present: readonly Properties[] },
): void {
  const seen = new Set(present.map((rule) => keyOf(rule, direction)));
  for (const rule of added) {
    checkDescription(rule);
    checkPorts(rule);
    checkOtherSide(world, place, vpc, rule, direction);
    const key = keyOf(rule, direction);
    if (seen.has(key)) {
      throw new Refusal(
        'InvalidPermission.Duplicate',
        `the specified rule "peer: ${peerOf(rule, direction)}, ${protocolOf(rule).toUpperCase()}, from port: ${numberAt(rule, 'FromPort') ?? -1}, to port: ${numberAt(rule, 'ToPort') ?? -1}, ALLOW" already exists`,
      );
    }
    seen.add(key);
  }
  if (seen.size > RULES_MAX) {
    throw new Refusal(
      'RulesPerSecurityGroupLimitExceeded',
      'The maximum number of rules per security group has been reached.',
    );
  }
}

function checkDescription(rule: Properties): void {
  const description = textAt(rule, 'Description') ?? '';
  if (DESCRIPTION.test(description)) return;
  throw new Refusal(
    'InvalidParameterValue',
    `Invalid rule description: ${description}. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*`,
  );
}

function checkPorts(rule: Properties): void {
  const protocol = protocolOf(rule);
  if (protocol === '-1') return;
  const from = numberAt(rule, 'FromPort');
  const to = numberAt(rule, 'ToPort');
  if (protocol === 'tcp' || protocol === 'udp') {
    const fits = from !== undefined && to !== undefined && from >= 0 && to <= PORTS_MAX && from <= to;
    if (fits) return;
    throw new Refusal('InvalidParameterValue', `Invalid value '${from}-${to}' for port range.`);
  }
  // Type and code, not ports: any order.
  const codes = [from ?? -1, to ?? -1];
  if (protocol === 'icmp' && codes.some((code) => code < -1 || code > ICMP_MAX)) {
    throw new Refusal('InvalidParameterValue', `ICMP code (${to}) out of range`);
  }
}

function checkOtherSide(
  world: World,
  place: { readonly account: string; readonly region: string },
  vpc: string,
  rule: Properties,
  direction: Direction,
): void {
  const { group, list } = OTHER_SIDE[direction];
  const named = ['CidrIp', 'CidrIpv6', group, list].filter((name) => textAt(rule, name) !== undefined);
  if (named.length !== 1) {
    throw new Refusal(
      'InvalidParameterCombination',
      `Exactly one of CidrIp, CidrIpv6, ${group} and ${list} must be specified`,
    );
  }
  const block = textAt(rule, 'CidrIp');
  if (block !== undefined && parseRange(block) === undefined) {
    throw new Refusal('InvalidParameterValue', `CIDR block ${block} is malformed`);
  }
  const id = groupOf(rule, direction);
  if (id !== undefined) checkGroup(world, place, vpc, id);
}

/** A rule may name groups of its own VPC, and of one in the same region that it is peered with. */
function checkGroup(
  world: World,
  place: { readonly account: string; readonly region: string },
  vpc: string,
  id: string,
): void {
  const reachable = livePeerings(world, place.account, vpc)
    .map((connection) => otherEnd(world, connection, vpc))
    .filter((other) => other?.region === place.region)
    .map((other) => other?.id);
  const group = existing(world, place, SECURITY_GROUP, id);
  const other = textAt(group.properties, 'VpcId');
  if (other === vpc || reachable.includes(other)) return;
  throw new Refusal(
    'InvalidGroup.NotFound',
    'You have specified two resources that belong to different networks.',
  );
}

/** What makes two rules the same: description and tags don't. */
function keyOf(rule: Properties, direction: Direction): string {
  const protocol = protocolOf(rule);
  const ports =
    protocol === '-1' ? '' : `${numberAt(rule, 'FromPort') ?? -1}-${numberAt(rule, 'ToPort') ?? -1}`;
  return `${protocol}/${ports}/${peerOf(rule, direction)}`;
}

function peerOf(rule: Properties, direction: Direction): string {
  const range = parseRange(textAt(rule, 'CidrIp') ?? '');
  return (
    (range && canonicalText(range)) ??
    textAt(rule, 'CidrIpv6') ??
    groupOf(rule, direction) ??
    textAt(rule, OTHER_SIDE[direction].list) ??
    ''
  );
}

function protocolOf(rule: Properties): string {
  const protocol = scalarText(rule['IpProtocol']).toLowerCase();
  return PROTOCOLS[protocol] ?? protocol;
}
