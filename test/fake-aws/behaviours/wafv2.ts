import type { Behaviour, Context } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, isProperties, textAt, textsAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { parseRange } from './cidr.ts';
import { LOAD_BALANCER } from './elbv2-lookups.ts';
import { numberAt, objectsAt, requiredText } from './property-values.ts';

const IP_SET = 'AWS::WAFv2::IPSet';
const WEB_ACL = 'AWS::WAFv2::WebACL';
const ASSOCIATION = 'AWS::WAFv2::WebACLAssociation';
const LOGGING = 'AWS::WAFv2::LoggingConfiguration';

const NAME_MAX = 128;

// Errors and their sentences: API reference of AWS WAF V2, https://docs.aws.amazon.com/waf/latest/APIReference/API_Operations_AWS_WAFV2.html.
const MISSING = 'AWS WAF couldn’t perform the operation because your resource doesn’t exist.';
const IN_USE =
  'AWS WAF couldn’t perform the operation because your resource is being used by another resource or it’s associated with another resource.';
const DUPLICATE =
  'AWS WAF couldn’t perform the operation because some resource in your request is a duplicate of an existing one.';

const ipSet: Behaviour = {
  type: IP_SET,
  create(context, properties) {
    checkAddresses(properties);
    return named(context, IP_SET, 'ipset', properties);
  },
  update(_context, _resource, properties) {
    checkAddresses(properties);
    return undefined;
  },
  // DeleteIPSet: not while a web ACL's rule names it.
  remove({ world, place }, resource) {
    const arn = requiredText(resource.attributes, 'Arn');
    const used = world.all(WEB_ACL, place).some(({ properties }) => arnsIn(properties).includes(arn));
    if (used) throw new Refusal('WAFAssociatedItemException', IN_USE);
  },
};

const webAcl: Behaviour = {
  type: WEB_ACL,
  create(context, properties) {
    checkRules(context, properties);
    const made = named(context, WEB_ACL, 'webacl', properties);
    const name = made.id.split('|')[0];
    return {
      ...made,
      attributes: {
        ...made.attributes,
        // Capacity isn't reckoned here.
        Capacity: 0,
        LabelNamespace: `awswaf:${context.place.account}:webacl:${name}:`,
      },
    };
  },
  update(context, _resource, properties) {
    checkRules(context, properties);
    return undefined;
  },
  // DeleteWebACL: not while it is associated with a resource.
  remove({ world, place }, { attributes }) {
    const used = world
      .all(ASSOCIATION, place)
      .some(({ properties }) => textAt(properties, 'WebACLArn') === attributes['Arn']);
    if (used) throw new Refusal('WAFAssociatedItemException', IN_USE);
  },
};

const association: Behaviour = {
  type: ASSOCIATION,
  // AssociateWebACL, https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html.
  create({ world, place }, properties) {
    const resource = requiredText(properties, 'ResourceArn');
    const acl = requiredText(properties, 'WebACLArn');
    existingAcl(world, place, acl);
    const isBalancer = resource.includes(':loadbalancer/');
    if (isBalancer && world.find(place, LOAD_BALANCER, resource) === undefined) {
      throw new Refusal('WAFNonexistentItemException', MISSING);
    }
    return { id: `${resource}|${acl}` };
  },
};

const logging: Behaviour = {
  type: LOGGING,
  // PutLoggingConfiguration and "Logging AWS WAF web ACL traffic": one destination, whose name begins so.
  create({ world, place }, properties) {
    const acl = requiredText(properties, 'ResourceArn');
    existingAcl(world, place, acl);
    checkDestination(world, place, properties);
    return { id: acl, attributes: { ManagedByFirewallManager: false } };
  },
  update({ world, place }, _resource, properties) {
    checkDestination(world, place, properties);
    return undefined;
  },
};

export const WAFV2: readonly Behaviour[] = [ipSet, webAcl, association, logging];

/** `Ref` is name, id and scope, joined by `|`. */
function named(context: Context, type: string, noun: string, properties: Properties) {
  const { world, place } = context;
  const scope = requiredText(properties, 'Scope');
  if (scope === 'CLOUDFRONT' && place.region !== 'us-east-1') {
    throw new Refusal(
      'WAFInvalidParameterException',
      'Error reason: The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT',
    );
  }
  const name = textAt(properties, 'Name') ?? physicalName(context, NAME_MAX);
  const taken = world.all(type, place).some(({ id }) => {
    const [otherName, , otherScope] = id.split('|');
    return otherName === name && otherScope === scope;
  });
  if (taken) throw new Refusal('WAFDuplicateItemException', DUPLICATE);
  const id = `00000000-0000-4000-8000-${world.hex(12)}`;
  const where = scope === 'CLOUDFRONT' ? 'global' : 'regional';
  return {
    id: `${name}|${id}|${scope}`,
    attributes: {
      Id: id,
      Arn: `arn:aws:wafv2:${place.region}:${place.account}:${where}/${noun}/${name}/${id}`,
    },
  };
}

function checkAddresses(properties: Properties): void {
  if (textAt(properties, 'IPAddressVersion') !== 'IPV4') return;
  const wrong = textsAt(properties, 'Addresses').find((text) => parseRange(text) === undefined);
  if (wrong === undefined) return;
  throw new Refusal(
    'WAFInvalidParameterException',
    `Error reason: The parameter contains formatting that is not valid., field: IP_ADDRESS, parameter: ${wrong}`,
  );
}

function checkRules({ world, place }: Context, properties: Properties): void {
  const priorities = objectsAt(properties, 'Rules').map((rule) => numberAt(rule, 'Priority'));
  if (new Set(priorities).size < priorities.length) {
    throw new Refusal('WAFDuplicateItemException', DUPLICATE);
  }
  const known = new Set(world.all(IP_SET, place).map(({ attributes }) => attributes['Arn']));
  const sets = arnsIn(properties).filter((arn) => arn.includes('/ipset/'));
  if (sets.some((arn) => !known.has(arn))) {
    throw new Refusal('WAFNonexistentItemException', MISSING);
  }
}

/** ARNs at any depth: statements of rules contain statements. */
function arnsIn(value: Json): readonly string[] {
  if (typeof value === 'string') return value.startsWith('arn:') ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(arnsIn);
  return isProperties(value) ? Object.values(value).flatMap(arnsIn) : [];
}

function existingAcl(world: World, place: Context['place'], arn: string): Resource {
  const found = world.all(WEB_ACL, place).find(({ attributes }) => attributes['Arn'] === arn);
  if (found === undefined) throw new Refusal('WAFNonexistentItemException', MISSING);
  return found;
}

function checkDestination(world: World, place: Context['place'], properties: Properties): void {
  const [arn = '', ...others] = textsAt(properties, 'LogDestinationConfigs');
  const name = arn.replace(/:\*$/u, '').split(/[:/]/u).at(-1) ?? '';
  if (others.length > 0 || !name.startsWith('aws-waf-logs-')) {
    throw new Refusal(
      'WAFInvalidParameterException',
      `Error reason: The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons or slashes., field: LOG_DESTINATION, parameter: ${arn}`,
    );
  }
  const exists = arn.startsWith('arn:aws:s3:::')
    ? world.all('AWS::S3::Bucket').some(({ id }) => id === name)
    : ['AWS::Logs::LogGroup', 'AWS::KinesisFirehose::DeliveryStream'].some((type) =>
        world.all(type, place).some(({ id }) => id === name),
      );
  if (!exists) {
    throw new Refusal(
      'WAFLogDestinationPermissionIssueException',
      `AWS WAF couldn't deliver to ${arn}: it doesn't exist`,
    );
  }
}
