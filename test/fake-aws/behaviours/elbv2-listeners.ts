import type { Behaviour, Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, textAt, textsAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { CERTIFICATE, certificateStatus } from './acm.ts';
import {
  LISTENER,
  LISTENER_RULE,
  LOAD_BALANCER,
  TARGET_GROUP,
  existingElb,
  invalid,
  loadBalancersOf,
  targetGroupsOf,
} from './elbv2-lookups.ts';
import { SSL_POLICIES } from './elbv2-policies.ts';
import { numberAt, objectsAt, requiredText } from './property-values.ts';

// "Quotas for your Application Load Balancers",
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html.
const LISTENERS_MAX = 50;
const CONDITION_VALUES_MAX = 5;
const PRIORITY_MAX = 50_000;

const APPLICATION_PROTOCOLS = ['HTTP', 'HTTPS'];
const NETWORK_PROTOCOLS = ['TCP', 'TLS', 'UDP', 'TCP_UDP', 'QUIC', 'TCP_QUIC'];
const WITH_CERTIFICATE = ['HTTPS', 'TLS'];

const listener: Behaviour = {
  type: LISTENER,

  // CreateListener, https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html.
  create(context, properties) {
    const { world } = context;
    const balancer = loadBalancerOf(context, properties);
    checkListener(context, balancer, properties);
    const others = listenersOf(world, balancer);
    if (others.length >= LISTENERS_MAX) {
      throw new Refusal(
        'TooManyListeners',
        `The maximum number of listeners on load balancer '${balancer.id}' has been reached`,
      );
    }
    const arn = `${balancer.id.replace(':loadbalancer/', ':listener/')}/${world.hex(16)}`;
    return { id: arn, attributes: { ListenerArn: arn } };
  },

  update(context, resource, properties) {
    checkListener(context, loadBalancerOf(context, properties), properties, resource.id);
    return undefined;
  },

  // DeleteListener takes the listener's rules with it.
  remove({ world, place }, { id }) {
    for (const rule of world.all(LISTENER_RULE, place)) {
      if (textAt(rule.properties, 'ListenerArn') === id) world.remove(rule);
    }
  },
};

const rule: Behaviour = {
  type: LISTENER_RULE,

  // CreateRule, https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html.
  create(context, properties) {
    const { world, place } = context;
    const arn = requiredText(properties, 'ListenerArn');
    const parent = existingElb(world, place, LISTENER, arn);
    checkRule(context, parent, properties);
    const id = `${arn.replace(':listener/', ':listener-rule/')}/${world.hex(16)}`;
    return { id, attributes: { RuleArn: id, IsDefault: false } };
  },

  update(context, resource, properties) {
    const { world, place } = context;
    const arn = requiredText(resource.properties, 'ListenerArn');
    checkRule(context, existingElb(world, place, LISTENER, arn), properties, resource.id);
    return undefined;
  },
};

export const ELBV2_LISTENERS: readonly Behaviour[] = [listener, rule];

export function listenersOf(world: World, balancer: Resource): readonly Resource[] {
  return world
    .all(LISTENER, balancer)
    .filter(({ properties }) => textAt(properties, 'LoadBalancerArn') === balancer.id);
}

function loadBalancerOf({ world, place }: Context, properties: Properties): Resource {
  return existingElb(world, place, LOAD_BALANCER, requiredText(properties, 'LoadBalancerArn'));
}

function checkListener(context: Context, balancer: Resource, properties: Properties, self?: string): void {
  const isNetwork = textAt(balancer.properties, 'Type') === 'network';
  const protocol = textAt(properties, 'Protocol') ?? '';
  const protocols = isNetwork ? NETWORK_PROTOCOLS : APPLICATION_PROTOCOLS;
  if (!protocols.includes(protocol)) {
    throw invalid(`Listener protocol '${protocol}' must be one of '${protocols.join(', ')}'`);
  }
  const port = numberAt(properties, 'Port');
  if (port === undefined) throw invalid('A listener port must be specified');
  const taken = listenersOf(context.world, balancer).some(
    (other) => other.id !== self && numberAt(other.properties, 'Port') === port,
  );
  if (taken) {
    throw new Refusal(
      'DuplicateListener',
      `A listener already exists on this port for this load balancer '${balancer.id}'`,
    );
  }
  checkCertificates(context, properties, protocol);
  checkActions(context, balancer, objectsAt(properties, 'DefaultActions'));
}

/** "Certificates for your Application Load Balancer": in the load balancer's own region, and issued. */
function checkCertificates({ world, place }: Context, properties: Properties, protocol: string): void {
  const arns = objectsAt(properties, 'Certificates').flatMap(
    (entry) => textAt(entry, 'CertificateArn') ?? [],
  );
  if (!WITH_CERTIFICATE.includes(protocol)) {
    if (arns.length > 0) throw invalid(`Certificates cannot be specified for ${protocol} listeners`);
    return;
  }
  if (arns.length !== 1) {
    throw new Refusal(
      'InvalidConfigurationRequest',
      `You must specify exactly one certificate for ${protocol} listeners`,
    );
  }
  for (const arn of arns) {
    const certificate = world.find(place, CERTIFICATE, arn);
    if (certificate === undefined) {
      throw new Refusal('CertificateNotFound', `Certificate '${arn}' not found`);
    }
    if (certificateStatus(world, certificate) !== 'ISSUED') {
      throw new Refusal(
        'UnsupportedCertificate',
        `The certificate '${arn}' must have a fully-qualified domain name, a supported signature, and a supported key size.`,
      );
    }
  }
  const policy = textAt(properties, 'SslPolicy');
  if (policy !== undefined && !SSL_POLICIES.has(policy)) {
    throw new Refusal('SSLPolicyNotFound', `SSL policy '${policy}' not found`);
  }
}

/** A target group is of the load balancer's VPC, and of no other load balancer ("Target groups for your Application Load Balancers"). */
function checkActions({ world, place }: Context, balancer: Resource, actions: readonly Properties[]): void {
  for (const arn of targetGroupsOf(actions)) {
    const group = existingElb(world, place, TARGET_GROUP, arn);
    const vpc = textAt(group.properties, 'VpcId');
    if (vpc !== undefined && vpc !== balancer.state.get('vpc')) {
      throw new Refusal(
        'InvalidConfigurationRequest',
        `The target group '${arn}' is in a different VPC than load balancer '${balancer.id}'`,
      );
    }
    if (loadBalancersOf(world, place, arn).some((other) => other !== balancer.id)) {
      throw new Refusal(
        'TargetGroupAssociationLimit',
        `The following target groups cannot be associated with more than one load balancer: ${arn}`,
      );
    }
  }
}

function checkRule(context: Context, parent: Resource, properties: Properties, self?: string): void {
  const { world, place } = context;
  const priority = numberAt(properties, 'Priority');
  if (priority === undefined || priority < 1 || priority > PRIORITY_MAX) {
    throw invalid(`The rule priority must be between 1 and ${PRIORITY_MAX}`);
  }
  const taken = world
    .all(LISTENER_RULE, place)
    .some(
      (other) =>
        other.id !== self &&
        textAt(other.properties, 'ListenerArn') === parent.id &&
        numberAt(other.properties, 'Priority') === priority,
    );
  if (taken) throw new Refusal('PriorityInUse', `Priority '${priority}' is currently in use`);
  const values = objectsAt(properties, 'Conditions').flatMap(conditionValues).length;
  if (values === 0) throw invalid('A condition must be specified');
  if (values > CONDITION_VALUES_MAX) {
    throw invalid(`A rule can only have '${CONDITION_VALUES_MAX}' condition values`);
  }
  checkActions(context, loadBalancerOf(context, parent.properties), objectsAt(properties, 'Actions'));
}

function conditionValues(condition: Properties): readonly Json[] {
  const lists = [
    'Values',
    'PathPatternConfig.Values',
    'PathPatternConfig.RegexValues',
    'HostHeaderConfig.Values',
    'HostHeaderConfig.RegexValues',
    'HttpHeaderConfig.Values',
    'HttpHeaderConfig.RegexValues',
    'HttpRequestMethodConfig.Values',
    'SourceIpConfig.Values',
  ];
  return [
    ...lists.flatMap((path) => textsAt(condition, path)),
    ...objectsAt(condition, 'QueryStringConfig.Values'),
  ];
}
