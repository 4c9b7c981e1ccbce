import type { ZoneBorder } from './border.ts';
import {
  HOLE,
  intrinsicOf,
  isList,
  isObject,
  textOf,
  type Json,
  type JsonObject,
  type StackFacts,
} from './template.ts';

/** What a demand looks at, besides the value. */
export interface Look {
  readonly border: ZoneBorder;
  readonly facts: StackFacts;
  /** Whether the template has a resource of this logical id. */
  readonly hasResource: (logicalId: string) => boolean;
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

/**
 * Something of this template or of another stack of the zone, by reference, or an ARN that says region and account. Not a name and not
 * the ARN of a bucket, which don't say where the thing is. Which stack a reference may be to is judged where functions are.
 */
export const ownResource: Demand = (value, look) =>
  isOwn(value, look)
    ? null
    : `a reference to a resource of zone ${look.border.zone}, or an ARN that says its region and account`;

/** By reference alone: for identifiers that hold no region. */
export const ownReference: Demand = (value, look) =>
  isReference(value, look) ? null : `a reference to a resource of zone ${look.border.zone}`;

function isReference(value: Json | undefined, { hasResource }: Look): boolean {
  const [name, argument] = intrinsicOf(value) ?? [];
  if (name === 'Ref') return typeof argument === 'string' && hasResource(argument);
  if (name === 'Fn::GetAtt') {
    const target = isList(argument) ? argument[0] : argument;
    return typeof target === 'string' && hasResource(target.split('.')[0] ?? '');
  }
  return name === 'Fn::GetStackOutput';
}

function isOwn(value: Json, look: Look): boolean {
  if (isReference(value, look)) return true;
  const text = textOf(value, look.facts);
  if (text === null) return false;
  const [arn = '', , service = '', region = '', account = '', resource = ''] = text.split(':');
  const { border, facts } = look;
  if (arn === 'arn' && region !== '') return border.regions.includes(region) && account === facts.account;
  // A text that begins with a reference is what that refers to, or something inside it.
  const startsWithReference = text.startsWith(HOLE) || (service === 's3' && resource.startsWith(HOLE));
  return (
    startsWithReference && partsOf(value).every((part) => typeof part === 'string' || isReference(part, look))
  );
}

/** What a text is joined from, as far as it can be told; a `Fn::Sub` with a reference in its text can't be. */
function partsOf(value: Json): readonly (Json | null)[] {
  const [name, argument] = intrinsicOf(value) ?? [];
  if (name !== 'Fn::Join' || !isList(argument)) return [null];
  const [, parts] = argument;
  // The partition, the account and the region are texts, though written as references.
  const isPseudo = (part: Json): boolean => {
    const [kind, target] = intrinsicOf(part) ?? [];
    return kind === 'Ref' && typeof target === 'string' && target.startsWith('AWS::');
  };
  return isList(parts) ? parts.map((part) => (isPseudo(part) ? '' : part)) : [null];
}

/** The zone's own global cluster, which is made in one of its stacks, by its literal identifier or by reference. */
export const ownGlobalCluster: Demand = (value, look) =>
  isReference(value, look) || textOf(value, look.facts) === look.border.globalCluster
    ? null
    : look.border.globalCluster;

/** A multi-Region key can be replicated: only the one in the origin's base may be. */
export const notMultiRegion: Demand = (value, { border, facts }) =>
  value === false || facts.stackName === border.keyStack ? null : `false, except in ${border.keyStack}`;

/** The permission boundary of the stack's own region: made in its base stack, referred to from the others. */
export const ownBoundary: Demand = (value, look) => {
  const { border, facts } = look;
  const { stack, policy } = border.boundaries.get(facts.region) ?? { stack: '', policy: '' };
  const [name, argument] = intrinsicOf(value) ?? [];
  const isOurs =
    name === 'Fn::GetStackOutput'
      ? isObject(argument) && argument['StackName'] === stack
      : facts.stackName === stack && isReference(value, look);
  const isNamed = textOf(value, facts) === `arn:aws:iam::${facts.account}:policy/${policy}`;
  return isOurs || isNamed ? null : `the boundary of ${stack}, by reference`;
};

/** An AWS service of the stack's own region; a service of somebody's own may be anywhere behind its name. */
export const ownAwsService: Demand = (value, { facts }) => {
  const start = `com.amazonaws.${facts.region}.`;
  const name = textOf(value, facts) ?? '';
  return name.startsWith(start) && !name.includes(HOLE) ? null : `an AWS service: ${start}…`;
};

/** Attributes of a load balancer that say where its logs go. */
export const ownLogBucket: Demand = (value, look) => {
  if (!isObject(value)) return 'a key and a value';
  const key = textOf(value['Key'], look.facts);
  return key?.endsWith('s3.bucket') === true && !isOwn(value['Value'] ?? null, look)
    ? `a reference to a bucket of zone ${look.border.zone}`
    : null;
};

/** Who is told: an e-mail address, or a queue of the zone. Used on what holds `Protocol` and `Endpoint`. */
export const ownSubscriber: Demand = (value, look) => {
  if (!isObject(value)) return 'a protocol and an endpoint';
  const protocol = textOf(value['Protocol'], look.facts);
  if (protocol === 'email') return null;
  const isOwnQueue = protocol === 'sqs' && isOwn(value['Endpoint'] ?? null, look);
  return isOwnQueue ? null : 'protocol email, or sqs with a queue of the zone';
};

/** Principals of a statement that lets in: `*` where it doesn't grant (an endpoint's policy), services, the zone's account. */
export function principalProblem(statement: JsonObject, look: Look, grants: boolean): string | null {
  if (statement['Effect'] !== 'Allow') return null;
  if (statement['NotPrincipal'] !== undefined) return 'NotPrincipal';
  const principal = statement['Principal'];
  if (principal === undefined) return null;
  if (!isObject(principal)) return principal === '*' && !grants ? null : JSON.stringify(principal);
  for (const [kind, given] of Object.entries(principal)) {
    for (const one of isList(given) ? given : [given]) {
      if (!isPrincipal(kind, one, look, grants)) return JSON.stringify({ [kind]: one });
    }
  }
  return null;
}

function isPrincipal(kind: string, value: Json, look: Look, grants: boolean): boolean {
  const text = textOf(value, look.facts);
  if (kind === 'Service') return text !== null && isService(text, look.border.regions);
  if (kind !== 'AWS') return false;
  if (text === '*') return !grants;
  if (text === null) return isReference(value, look);
  if (text === look.facts.account) return true;
  // IAM has no region; only an account.
  const [, , service, , account] = text.split(':');
  return (service === 'iam' || service === 'sts') && account === look.facts.account;
}

function isService(name: string, regions: readonly string[]): boolean {
  const [, region] = /^[a-z0-9-]+(?:\.([a-z0-9-]+))?\.amazonaws\.com$/.exec(name) ?? [null, ''];
  return region === undefined || regions.includes(region);
}
