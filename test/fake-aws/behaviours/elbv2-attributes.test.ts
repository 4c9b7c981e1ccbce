import { describe, expect, it } from 'vitest';
import { NetworkBench, refusalOf } from './network-bench.ts';

type Attributes = Readonly<Record<string, string>>;

function pairs(attributes: Attributes): { Key: string; Value: string }[] {
  return Object.entries(attributes).map(([Key, Value]) => ({ Key, Value }));
}

describe("a load balancer's attributes", () => {
  const bench = new NetworkBench();
  const { subnets } = bench.network();
  const balancer = (attributes: Attributes, Type = 'application') =>
    bench.make('ElasticLoadBalancingV2::LoadBalancer', {
      Type,
      Scheme: 'internal',
      Subnets: subnets.map(({ id }) => id),
      LoadBalancerAttributes: pairs(attributes),
    });

  it('are taken where they are in their ranges', () => {
    const made = balancer({
      'idle_timeout.timeout_seconds': '4000',
      'client_keep_alive.seconds': '60',
      'routing.http.desync_mitigation_mode': 'strictest',
    });
    expect(
      refusalOf(() =>
        bench.change(made, { LoadBalancerAttributes: pairs({ 'routing.http3.enabled': 'true' }) }),
      ),
    ).toMatch(/not recognized/u);
  });

  it.each<[string, Attributes, string]>([
    [
      'an unknown key',
      { 'routing.http9.enabled': 'true' },
      "attribute key 'routing.http9.enabled' is not recognized",
    ],
    ['too long a timeout', { 'idle_timeout.timeout_seconds': '4001' }, "attribute value '4001' is not valid"],
    ['no timeout', { 'idle_timeout.timeout_seconds': '0' }, "attribute value '0' is not valid"],
    ['a short keep alive', { 'client_keep_alive.seconds': '59' }, "attribute value '59' is not valid"],
    [
      'an unknown mode',
      { 'routing.http.desync_mitigation_mode': 'lax' },
      "attribute value 'lax' is not valid",
    ],
    ['no cross-zone balancing', { 'load_balancing.cross_zone.enabled': 'false' }, 'is not valid'],
    [
      'logs without a bucket',
      { 'access_logs.s3.enabled': 'true' },
      "'access_logs.s3.bucket' must be specified",
    ],
  ])('are refused with %s', (_, attributes, sentence) => {
    const refusal = refusalOf(() => balancer(attributes));
    expect(refusal).toMatch(/^ValidationError: /u);
    expect(refusal).toContain(sentence);
  });

  it('are those of its type', () => {
    expect(refusalOf(() => balancer({ 'idle_timeout.timeout_seconds': '60' }, 'network'))).toBe(
      "InvalidConfigurationRequest: Load balancer attribute key 'idle_timeout.timeout_seconds' is not supported on load balancers with type 'network'",
    );
    balancer({ 'load_balancing.cross_zone.enabled': 'false' }, 'network');
  });
});

describe("a target group's attributes", () => {
  const bench = new NetworkBench();
  const { vpc } = bench.network();
  const group = (attributes: Attributes, Protocol = 'HTTP') =>
    bench.make('ElasticLoadBalancingV2::TargetGroup', {
      Name: `g-${bench.world.hex(8)}`,
      Protocol,
      Port: 80,
      VpcId: vpc.id,
      TargetGroupAttributes: pairs(attributes),
    });

  it('are taken where they fit each other', () => {
    const made = group({
      'deregistration_delay.timeout_seconds': '0',
      'slow_start.duration_seconds': '30',
      'stickiness.enabled': 'false',
    });
    group({
      'slow_start.duration_seconds': '0',
      'load_balancing.algorithm.type': 'weighted_random',
      'load_balancing.algorithm.anomaly_mitigation': 'on',
    });
    expect(
      refusalOf(() =>
        bench.change(made, {
          TargetGroupAttributes: pairs({ 'deregistration_delay.timeout_seconds': '-1' }),
        }),
      ),
    ).toMatch(/is not valid/u);
  });

  it.each<[string, Attributes, string]>([
    ['an unknown key', { deregistration_delay: '5' }, 'ValidationError: Target group attribute key'],
    ['too long a delay', { 'deregistration_delay.timeout_seconds': '3601' }, "value '3601' is not valid"],
    ['a slow start of 29 seconds', { 'slow_start.duration_seconds': '29' }, "value '29' is not valid"],
    ['a slow start of 901 seconds', { 'slow_start.duration_seconds': '901' }, "value '901' is not valid"],
    ['an unknown algorithm', { 'load_balancing.algorithm.type': 'best' }, "value 'best' is not valid"],
    [
      'a slow start beside another algorithm than round robin',
      { 'slow_start.duration_seconds': '60', 'load_balancing.algorithm.type': 'least_outstanding_requests' },
      'InvalidConfigurationRequest: Slow start cannot be enabled',
    ],
    [
      'anomaly mitigation beside another algorithm than weighted random',
      { 'load_balancing.algorithm.anomaly_mitigation': 'on' },
      'InvalidConfigurationRequest: Anomaly mitigation',
    ],
    [
      'a key of lambda functions',
      { 'lambda.multi_value_headers.enabled': 'true' },
      "with type 'application'",
    ],
  ])('are refused with %s', (_, attributes, sentence) => {
    expect(refusalOf(() => group(attributes))).toContain(sentence);
  });

  it("are those of its protocol's load balancers", () => {
    expect(refusalOf(() => group({ 'slow_start.duration_seconds': '60' }, 'TCP'))).toMatch(
      /with type 'network'/u,
    );
    group({ 'proxy_protocol_v2.enabled': 'true' }, 'TCP');
  });
});
