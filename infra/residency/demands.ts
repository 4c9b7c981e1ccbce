import type { ZoneBorder } from './border.ts';
import { HOLE, textOf, textsOf, UNKNOWN } from './evaluate.ts';
import { asObject, intrinsicOf, isList, isObject, type Json, type StackFacts } from './template.ts';

/** What a demand looks at, besides the value. */
export interface Look {
  readonly border: ZoneBorder;
  readonly facts: StackFacts;
}

/** Null for a value that is fine, else what would be. */
export type Demand = (value: Json, look: Look) => string | null;

/** A region of the zone, known now: not a parameter, not a reference. */
export const regionOfZone: Demand = (value, { border, facts }) =>
  border.regions.includes(textOf(value, facts) ?? '')
    ? null
    : `one of ${border.regions.join(', ')}, literally`;

export const ownAccount: Demand = (value, { facts }) =>
  textOf(value, facts) === facts.account ? null : facts.account;

export const absent: Demand = () => 'nothing: leave it out';

export const oneOf =
  (...allowed: readonly string[]): Demand =>
  (value, { facts }) =>
    allowed.includes(textOf(value, facts) ?? '') ? null : allowed.join(' or ');

/** Of the members whose names match, only these. */
export const only =
  (names: RegExp, ...allowed: readonly string[]): Demand =>
  (value) => {
    const others = isObject(value)
      ? Object.keys(value).filter((key) => names.test(key) && !allowed.includes(key))
      : ['?'];
    return others.length === 0 ? null : `${allowed.join(' or ')} alone, not ${others.join(', ')}`;
  };

/** Of an object: these members are there, and exactly so; what AWS takes where one is left out is another. */
export const exactly =
  (wanted: Readonly<Record<string, string>>): Demand =>
  (value, { facts }) => {
    const members = asObject(value);
    const isThere = Object.entries(wanted).every(([key, text]) => textOf(members[key], facts) === text);
    return isThere ? null : JSON.stringify(wanted);
  };

/** Of an object: a member of this name is there. What it may be is another rule's. */
export const having =
  (name: string): Demand =>
  (value) =>
    asObject(value)[name] === undefined ? `${name} is missing` : null;

/**
 * Something of this template or of another stack of the zone, by reference, or a place inside it. Not a name and not an ARN: a bucket's
 * doesn't say where it is, and what a function or an API destination sends on to isn't in theirs. Which stack a reference may be to
 * is judged where functions are.
 */
export const ownResource: Demand = (value, look) =>
  isOwn(value, look) ? null : `a reference to a resource of zone ${look.border.zone}`;

/** As `ownResource`, or the ARN of a log group of the stack's own region, which sends nothing on. */
export const ownLog: Demand = (value, look) => {
  const { region, account } = look.facts;
  const start = `arn:aws:logs:${region}:${account}:log-group:`;
  const text = textOf(value, look.facts) ?? '';
  const isLog = text.startsWith(start) && !text.includes(HOLE) && !text.includes(UNKNOWN);
  return isLog || isOwn(value, look)
    ? null
    : `a reference to a resource of zone ${look.border.zone}, or ${start}…`;
};

/** By reference alone: for identifiers that hold no region. */
export const ownReference: Demand = (value, look) =>
  isReference(value, look) ? null : `a reference to a resource of zone ${look.border.zone}`;

/** A role of this template, which then has its boundary. */
export const ownRole: Demand = (value, look) =>
  typeReferred(value, look) === 'AWS::IAM::Role' ? null : 'a reference to a role of the same template';

/** The address of a load balancer or an accelerator of this template. */
export const ownAddress: Demand = (value, look) => {
  const [name, argument] = intrinsicOf(value) ?? [];
  const [separator, parts] = name === 'Fn::Join' && isList(argument) ? argument : [];
  const address =
    separator === '' && isList(parts) && parts.length === 2 && parts[0] === 'dualstack.' ? parts[1] : value;
  const type = typeReferred(address, look) ?? '';
  return ['AWS::ElasticLoadBalancingV2::LoadBalancer', 'AWS::GlobalAccelerator::Accelerator'].includes(type)
    ? null
    : 'the address of a load balancer or an accelerator of the same template, by reference';
};

export function isReference(value: Json | undefined, look: Look): boolean {
  const [name] = intrinsicOf(value) ?? [];
  return name === 'Fn::GetStackOutput' || typeReferred(value, look) !== null;
}

/** Type of the resource of this template that a value refers to; null for anything else. */
export function typeReferred(value: Json | undefined, { facts }: Look): string | null {
  const [name, argument] = intrinsicOf(value) ?? [];
  if (name !== 'Ref' && name !== 'Fn::GetAtt') return null;
  const target = isList(argument) ? argument[0] : argument;
  const id = typeof target === 'string' ? (name === 'Ref' ? target : (target.split('.')[0] ?? '')) : '';
  if (!Object.hasOwn(facts.resources, id)) return null;
  const { Type: type } = asObject(facts.resources[id]);
  return typeof type === 'string' ? type : null;
}

/** A reference, or the ARN of a bucket by a reference to its name; behind it only what is inside of it. */
const OWN = new RegExp(`^(?:arn:aws:s3:::)?${HOLE}(?:/[^${HOLE}${UNKNOWN}]*|:\\*)?$`);

function isOwn(value: Json | undefined, look: Look): boolean {
  if (isReference(value, look)) return true;
  const texts = textsOf(value, look.facts);
  return texts !== null && texts.length > 0 && texts.every((text) => OWN.test(text));
}

/** The zone's own global cluster, which is made in one of its stacks, by its literal identifier or by reference. */
export const ownGlobalCluster: Demand = (value, look) =>
  isReference(value, look) || textOf(value, look.facts) === look.border.globalCluster
    ? null
    : look.border.globalCluster;

/** A multi-Region key can be replicated: only the one in the origin's base may be. */
export const notMultiRegion: Demand = (value, { border, facts }) =>
  value === false || facts.stackName === border.keyStack ? null : `false, except in ${border.keyStack}`;

/** An AWS service of the stack's own region; a service of somebody's own may be anywhere behind its name. */
export const ownAwsService: Demand = (value, { facts }) => {
  const start = `com.amazonaws.${facts.region}.`;
  const name = textOf(value, facts) ?? '';
  const isAws = name.startsWith(start) && /^[a-z0-9.-]+$/.test(name) && !name.includes('vpce');
  return isAws ? null : `an AWS service: ${start}…`;
};

/** Attributes of a load balancer, whose keys say which of them are about logs. */
export const ownLogBucket: Demand = (value, look) => {
  const { Key: key, Value: bucket } = asObject(value);
  if (typeof key !== 'string') return 'a literal key, and a value';
  return key.endsWith('s3.bucket') && !isOwn(bucket, look)
    ? `a reference to a bucket of zone ${look.border.zone}`
    : null;
};

/** Who is told: the topology's e-mail address, or a queue of the zone. Used on what holds `Protocol` and `Endpoint`. */
export const ownSubscriber: Demand = (value, look) => {
  const { Protocol: protocol, Endpoint: endpoint } = asObject(value);
  const { email } = look.border;
  const kind = textOf(protocol, look.facts);
  if (kind === 'email' && email !== null && textOf(endpoint, look.facts) === email) return null;
  if (kind === 'sqs' && isOwn(endpoint, look)) return null;
  return `protocol email with ${email ?? 'the address of the topology, which has none'}, or sqs with a queue of the zone`;
};

/** Not every kind of traffic to anywhere. Used on a rule of a security group. */
export const notEverywhere: Demand = (value, { facts }) => {
  const rule = asObject(value);
  const isOfOneKind =
    textOf(rule['IpProtocol'], facts) !== null && textOf(rule['IpProtocol'], facts) !== '-1';
  const isAnywhere = ['CidrIp', 'CidrIpv6'].some(
    (key) => rule[key] !== undefined && (textOf(rule[key], facts) ?? '/0').endsWith('/0'),
  );
  return isAnywhere && !isOfOneKind ? 'a protocol and ports, or addresses' : null;
};

/** An image of the stack's own registry. */
export const ownImage: Demand = (value, { facts }) => {
  const start = `${facts.account}.dkr.ecr.${facts.region}.amazonaws.com/`;
  return textOf(value, facts)?.startsWith(start) === true ? null : `an image of ${start}`;
};

/** A secret of the stack's own region, by its ARN: a name alone would be a parameter of Systems Manager. */
export const ownSecret: Demand = (value, look) => {
  const start = `arn:aws:secretsmanager:${look.facts.region}:${look.facts.account}:secret:`;
  const isSecret = typeReferred(value, look) === 'AWS::SecretsManager::Secret';
  return isSecret || textOf(value, look.facts)?.startsWith(start) === true ? null : `${start}…`;
};
