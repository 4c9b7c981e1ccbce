import { resourceSchema } from '../../../scripts/lib/resource-schemas.ts';
import type { Behaviour } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { GLOBAL, type Json, type Place, type Properties } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { isUnknown } from './intrinsics.ts';

/**
 * Properties whose relationship in AWS's schemas is one of several that are possible, or isn't one to something that has to exist:
 * the generic check would refuse what AWS takes.
 */
const EXCEPTIONS: ReadonlySet<string> = new Set([
  // `service/cluster/name`, an id of each scalable service's own form; the schema knows Kafka's alone.
  'AWS::ApplicationAutoScaling::ScalableTarget.ResourceId',
  // A range of addresses. It may be a VPC's, but needs not be.
  'AWS::EC2::SecurityGroupIngress.CidrIp',
  'AWS::EC2::SecurityGroupEgress.CidrIp',
  // The peer's region and account are its own properties.
  'AWS::EC2::VPCPeeringConnection.PeerVpcId',
  // A name that the template chooses; it may be made from another resource's.
  'AWS::KinesisFirehose::DeliveryStream.DeliveryStreamName',
  'AWS::Logs::LogGroup.LogGroupName',
  // An address of whatever the protocol says.
  'AWS::SNS::Subscription.Endpoint',
  // The route says which kind of gateway by the id's beginning; the behaviour looks it up.
  'AWS::EC2::Route.GatewayId',
  // One connection, known in the regions of both its sides, that lives in the place of the side that asked for it.
  'AWS::EC2::Route.VpcPeeringConnectionId',
]);

/** Types that are taken where the schema names only the first: a key may be named by its replica or its alias as well. */
const KINDRED: Readonly<Record<string, readonly string[]>> = {
  'AWS::KMS::Key': ['AWS::KMS::ReplicaKey', 'AWS::KMS::Alias'],
};

const KINDRED_TYPES = new Set(Object.values(KINDRED).flat());

/** What AWS itself keeps in every account, so that nobody has to make it. */
const GIVEN: readonly RegExp[] = [
  /^arn:[^:]+:iam::aws:policy\//u,
  // Service-linked roles: made by the service when it first needs them.
  /^arn:[^:]+:iam::\d+:role\/aws-service-role\//u,
  /^(?:arn:[^:]+:kms:[^:]*:\d+:)?alias\/aws\//u,
  /^default[.:]/u,
  /^default$/u,
  /^FARGATE(?:_SPOT)?$/u,
];

interface Surroundings {
  readonly world: World;
  readonly place: Place;
  readonly behaviours: ReadonlyMap<string, Behaviour>;
}

/** The part of an ARN that names the service, where it isn't the type's own in lower case. */
const ARN_SERVICES: Readonly<Record<string, string>> = {
  ApplicationAutoScaling: 'autoscaling',
  CertificateManager: 'acm',
  ElasticLoadBalancingV2: 'elasticloadbalancing',
  KinesisFirehose: 'firehose',
};

/**
 * A refusal where a property names a resource that doesn't exist in the account: in the same region, or in the one that its ARN says.
 * Only properties of the first level, because the schemas that are at hand tell the relationships of those alone.
 */
export function missingReference(
  type: string,
  properties: Properties,
  surroundings: Surroundings,
): Refusal | undefined {
  for (const [name, { refersTo }] of resourceSchema(type)?.properties ?? []) {
    const value = properties[name];
    if (value === undefined || refersTo.length === 0 || EXCEPTIONS.has(`${type}.${name}`)) continue;
    const types = new Set(
      refersTo.flatMap((reference) => [reference.type, ...(KINDRED[reference.type] ?? [])]),
    );
    const missing = textsOf(value).find((text) => !isThere(text, types, surroundings));
    if (missing !== undefined) {
      const [first] = types;
      return new Refusal(
        'NotFound',
        `Resource of type '${first}' with identifier '${missing}' was not found (property ${name}).`,
        404,
      );
    }
  }
  return undefined;
}

function isThere(
  text: string,
  types: ReadonlySet<string>,
  { world, place, behaviours }: Surroundings,
): boolean {
  if (text === '' || isUnknown(text) || GIVEN.some((pattern) => pattern.test(text))) return true;
  const here = [...types].filter((type) => behaviours.has(type));
  const isArn = text.startsWith('arn:');
  const found = here.some((type) =>
    world.all(type).some((one) => isNamed(one, text) && (isArn || isNear(one, place))),
  );
  if (found) return true;
  // It may be of a type that this local AWS doesn't have. An ARN tells by its service, a plain id doesn't.
  const elsewhere = [...types].filter((type) => !behaviours.has(type) && !KINDRED_TYPES.has(type));
  if (elsewhere.length === 0) return false;
  const service = text.split(':')[2];
  return (
    !(isArn && here.some((type) => arnService(type) === service)) ||
    elsewhere.some((type) => arnService(type) === service)
  );
}

function isNear(resource: Resource, { account, region }: Place): boolean {
  return resource.account === account && (resource.region === region || resource.region === GLOBAL);
}

/** By its physical id, by an attribute (an ARN, an id of another kind), or by a name that it was given. */
function isNamed(resource: Resource, text: string): boolean {
  if (resource.id === text || Object.values(resource.attributes).includes(text)) return true;
  // A log group's ARN ends in `:*` where everything in it is meant; some services want it without
  // (https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html).
  if (text.endsWith(':*') && isNamed(resource, text.slice(0, -2))) return true;
  if (Object.values(resource.attributes).includes(`${text}:*`)) return true;
  const names = resourceSchema(resource.type)?.names ?? [];
  if (names.some((name) => resource.properties[name] === text)) return true;
  return Object.entries(resource.properties).some(
    ([name, value]) => value === text && /(?:Name|Identifier)$/u.test(name),
  );
}

function arnService(type: string): string {
  const [, service = ''] = type.split('::');
  return ARN_SERVICES[service] ?? service.toLowerCase();
}

function textsOf(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.filter((entry: Json) => typeof entry === 'string');
  return typeof value === 'string' ? [value] : [];
}
