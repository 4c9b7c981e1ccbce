import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import { invalid } from './elbv2-lookups.ts';
import { pairsAt } from './property-values.ts';

type Kind = 'application' | 'gateway' | 'lambda' | 'network';

/** What an attribute takes, and on what kinds of load balancers or target groups. */
interface Rule {
  readonly kinds: readonly Kind[];
  readonly values?: readonly string[];
  /** Whole numbers from, to. */
  readonly range?: readonly [number, number];
}

const FLAG = ['true', 'false'];
const WEEK_SECONDS = 604_800;
const ALL: readonly Kind[] = ['application', 'gateway', 'network'];
const BOTH: readonly Kind[] = ['application', 'network'];
const APPLICATION: readonly Kind[] = ['application'];
const NETWORK: readonly Kind[] = ['network'];
const GATEWAY: readonly Kind[] = ['gateway'];

// "LoadBalancerAttribute", https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html.
const OF_LOAD_BALANCERS: Readonly<Record<string, Rule>> = {
  'deletion_protection.enabled': { kinds: ALL, values: FLAG },
  'load_balancing.cross_zone.enabled': { kinds: ALL, values: FLAG },
  'access_logs.s3.enabled': { kinds: BOTH, values: FLAG },
  'access_logs.s3.bucket': { kinds: BOTH },
  'access_logs.s3.prefix': { kinds: BOTH },
  'ipv6.deny_all_igw_traffic': { kinds: BOTH, values: FLAG },
  'zonal_shift.config.enabled': { kinds: BOTH, values: FLAG },
  'idle_timeout.timeout_seconds': { kinds: APPLICATION, range: [1, 4000] },
  'client_keep_alive.seconds': { kinds: APPLICATION, range: [60, WEEK_SECONDS] },
  'connection_logs.s3.enabled': { kinds: APPLICATION, values: FLAG },
  'connection_logs.s3.bucket': { kinds: APPLICATION },
  'connection_logs.s3.prefix': { kinds: APPLICATION },
  'health_check_logs.s3.enabled': { kinds: APPLICATION, values: FLAG },
  'health_check_logs.s3.bucket': { kinds: APPLICATION },
  'health_check_logs.s3.prefix': { kinds: APPLICATION },
  'routing.http.desync_mitigation_mode': {
    kinds: APPLICATION,
    values: ['monitor', 'defensive', 'strictest'],
  },
  'routing.http.drop_invalid_header_fields.enabled': { kinds: APPLICATION, values: FLAG },
  'routing.http.preserve_host_header.enabled': { kinds: APPLICATION, values: FLAG },
  'routing.http.x_amzn_tls_version_and_cipher_suite.enabled': { kinds: APPLICATION, values: FLAG },
  'routing.http.xff_client_port.enabled': { kinds: APPLICATION, values: FLAG },
  'routing.http.xff_header_processing.mode': {
    kinds: APPLICATION,
    values: ['append', 'preserve', 'remove'],
  },
  'routing.http2.enabled': { kinds: APPLICATION, values: FLAG },
  'waf.fail_open.enabled': { kinds: APPLICATION, values: FLAG },
  'dns_record.client_routing_policy': {
    kinds: NETWORK,
    values: ['availability_zone_affinity', 'partial_availability_zone_affinity', 'any_availability_zone'],
  },
  'secondary_ips.auto_assigned.per_subnet': { kinds: NETWORK, range: [0, 7] },
};

const HEALTHY = 'target_group_health';
const SHARE = [...Array.from({ length: 100 }, (_, index) => `${index + 1}`), 'off'];
const FAILOVER = ['rebalance', 'no_rebalance'];

// "TargetGroupAttribute", https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html.
const OF_TARGET_GROUPS: Readonly<Record<string, Rule>> = {
  'deregistration_delay.timeout_seconds': { kinds: ALL, range: [0, 3600] },
  'stickiness.enabled': { kinds: [...ALL, 'lambda'], values: FLAG },
  'stickiness.type': {
    kinds: [...ALL, 'lambda'],
    values: ['lb_cookie', 'app_cookie', 'source_ip', 'source_ip_dest_ip', 'source_ip_dest_ip_proto'],
  },
  'load_balancing.cross_zone.enabled': {
    kinds: BOTH,
    values: [...FLAG, 'use_load_balancer_configuration'],
  },
  [`${HEALTHY}.dns_failover.minimum_healthy_targets.count`]: { kinds: BOTH },
  [`${HEALTHY}.dns_failover.minimum_healthy_targets.percentage`]: { kinds: BOTH, values: SHARE },
  [`${HEALTHY}.unhealthy_state_routing.minimum_healthy_targets.count`]: { kinds: BOTH },
  [`${HEALTHY}.unhealthy_state_routing.minimum_healthy_targets.percentage`]: { kinds: BOTH, values: SHARE },
  'load_balancing.algorithm.type': {
    kinds: APPLICATION,
    values: ['round_robin', 'least_outstanding_requests', 'weighted_random'],
  },
  'load_balancing.algorithm.anomaly_mitigation': { kinds: APPLICATION, values: ['on', 'off'] },
  'slow_start.duration_seconds': { kinds: APPLICATION, range: [0, 900] },
  'stickiness.app_cookie.cookie_name': { kinds: APPLICATION },
  'stickiness.app_cookie.duration_seconds': { kinds: APPLICATION, range: [1, WEEK_SECONDS] },
  'stickiness.lb_cookie.duration_seconds': { kinds: [...APPLICATION, 'lambda'], range: [1, WEEK_SECONDS] },
  'lambda.multi_value_headers.enabled': { kinds: ['lambda'], values: FLAG },
  'deregistration_delay.connection_termination.enabled': { kinds: NETWORK, values: FLAG },
  'preserve_client_ip.enabled': { kinds: NETWORK, values: FLAG },
  'proxy_protocol_v2.enabled': { kinds: NETWORK, values: FLAG },
  'target_health_state.unhealthy.connection_termination.enabled': { kinds: NETWORK, values: FLAG },
  'target_health_state.unhealthy.draining_interval_seconds': { kinds: NETWORK, range: [0, 360_000] },
  'target_failover.on_deregistration': { kinds: GATEWAY, values: FAILOVER },
  'target_failover.on_unhealthy': { kinds: GATEWAY, values: FAILOVER },
  'send_tcp_reset.on_unhealthy.enabled': { kinds: GATEWAY, values: FLAG },
  'send_tcp_reset.on_deregistration.enabled': { kinds: GATEWAY, values: FLAG },
};
// "Slow start mode" on "Edit target group attributes": off, or this long.
const SLOW_START_MIN = 30;

/**
 * @throws Refusal for a key that load balancers of this type don't have, or a value that it doesn't take, as
 * ModifyLoadBalancerAttributes does. The sentences about keys are Elastic Load Balancing's own (hashicorp/terraform-provider-aws issues 3611 and
 * 23971); believed: those about values.
 */
export function checkLoadBalancerAttributes(properties: Properties): void {
  const type = textAt(properties, 'Type');
  const kind = type === 'network' || type === 'gateway' ? type : 'application';
  const pairs = pairsAt(properties, 'LoadBalancerAttributes');
  checkPairs(pairs, OF_LOAD_BALANCERS, kind, 'Load balancer');
  // "The default for Application Load Balancers is true, and can't be changed."
  if (kind === 'application' && pairs.get('load_balancing.cross_zone.enabled') === 'false') {
    throw unfit('Load balancer', 'load_balancing.cross_zone.enabled', 'false');
  }
  for (const logs of ['access_logs', 'connection_logs', 'health_check_logs']) {
    if (pairs.get(`${logs}.s3.enabled`) === 'true' && (pairs.get(`${logs}.s3.bucket`) ?? '') === '') {
      throw invalid(`The attribute '${logs}.s3.bucket' must be specified when '${logs}.s3.enabled' is true`);
    }
  }
}

/** @throws Refusal likewise, as ModifyTargetGroupAttributes does */
export function checkTargetGroupAttributes(properties: Properties): void {
  const protocol = textAt(properties, 'Protocol') ?? '';
  const kind =
    textAt(properties, 'TargetType') === 'lambda'
      ? 'lambda'
      : protocol === 'GENEVE'
        ? 'gateway'
        : ['HTTP', 'HTTPS'].includes(protocol)
          ? 'application'
          : 'network';
  const pairs = pairsAt(properties, 'TargetGroupAttributes');
  checkPairs(pairs, OF_TARGET_GROUPS, kind, 'Target group');
  const slow = Number(pairs.get('slow_start.duration_seconds') ?? 0);
  if (slow !== 0 && slow < SLOW_START_MIN) {
    throw unfit('Target group', 'slow_start.duration_seconds', `${slow}`);
  }
  // "You can't enable slow start with" these algorithms: "Slow start mode" and "Routing algorithms" on the page of the attributes.
  const algorithm = pairs.get('load_balancing.algorithm.type') ?? 'round_robin';
  if (slow !== 0 && algorithm !== 'round_robin') {
    throw new Refusal(
      'InvalidConfigurationRequest',
      `Slow start cannot be enabled with the load balancing algorithm '${algorithm}'`,
    );
  }
  if (pairs.get('load_balancing.algorithm.anomaly_mitigation') === 'on' && algorithm !== 'weighted_random') {
    throw new Refusal(
      'InvalidConfigurationRequest',
      `Anomaly mitigation cannot be enabled with the load balancing algorithm '${algorithm}'`,
    );
  }
}

function checkPairs(
  pairs: ReadonlyMap<string, string>,
  rules: Readonly<Record<string, Rule>>,
  kind: Kind,
  what: string,
): void {
  for (const [key, value] of pairs) {
    const rule = rules[key];
    if (rule === undefined) throw invalid(`${what} attribute key '${key}' is not recognized`);
    if (!rule.kinds.includes(kind)) {
      throw new Refusal(
        'InvalidConfigurationRequest',
        `${what} attribute key '${key}' is not supported on ${what.toLowerCase()}s with type '${kind}'`,
      );
    }
    if (!fits(rule, value)) throw unfit(what, key, value);
  }
}

function fits({ values, range }: Rule, value: string): boolean {
  if (values !== undefined) return values.includes(value);
  if (range === undefined) return true;
  const [least, most] = range;
  return /^\d+$/u.test(value) && Number(value) >= least && Number(value) <= most;
}

function unfit(what: string, key: string, value: string): Refusal {
  return invalid(`${what} attribute value '${value}' is not valid for attribute key '${key}'`);
}
