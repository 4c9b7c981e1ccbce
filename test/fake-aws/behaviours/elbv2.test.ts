import { describe, expect, it } from 'vitest';
import type { Properties } from '../values.ts';
import { HERE, NetworkBench, THERE, first, refusalOf } from './network-bench.ts';

const BALANCER = 'ElasticLoadBalancingV2::LoadBalancer';

describe('a load balancer', () => {
  it("tells its ARN, its full name, its own name's zone and an internal name", () => {
    const bench = new NetworkBench();
    const { id, attributes } = bench.balancer(bench.network());
    expect(id).toMatch(/^arn:aws:elasticloadbalancing:eu-west-1:111111111111:loadbalancer\/app\//u);
    expect(attributes['LoadBalancerFullName']).toBe(id.split(':loadbalancer/')[1]);
    expect(attributes['CanonicalHostedZoneID']).toBe('Z32O12XQLNTSW2');
    expect(attributes['DNSName']).toMatch(/^internal-.*\.eu-west-1\.elb\.amazonaws\.com$/u);
  });

  it('has a name of at most 32 characters that no other has in its region', () => {
    const bench = new NetworkBench();
    const { subnets } = bench.network();
    const make = (Name: string) =>
      bench.make(BALANCER, { Name, Scheme: 'internal', Subnets: subnets.map(({ id }) => id) });
    expect(refusalOf(() => make('x'.repeat(33)))).toMatch(/cannot be longer than '32' characters/u);
    expect(refusalOf(() => make('internal-a'))).toMatch(/cannot begin with 'internal-'/u);
    expect(refusalOf(() => make('-a'))).toMatch(/begin or end with a hyphen/u);
    make('entry');
    expect(refusalOf(() => make('entry'))).toMatch(/^DuplicateLoadBalancerName/u);
  });

  it('lies in two zones at least, one subnet each, all of one VPC', () => {
    const bench = new NetworkBench();
    const { vpc, subnets } = bench.network();
    const twin = bench.make('EC2::Subnet', {
      VpcId: vpc.id,
      CidrBlock: '10.0.9.0/24',
      AvailabilityZone: 'eu-west-1a',
    });
    const foreign = bench.network('10.1').subnets.map(({ id }) => id);
    const make = (...Subnets: string[]) =>
      refusalOf(() => bench.make(BALANCER, { Scheme: 'internal', Subnets }));
    const own = first(subnets).id;
    expect(make(own)).toMatch(/At least two subnets in two different Availability Zones/u);
    expect(make(own, twin.id)).toMatch(/multiple subnets in the same Availability Zone/u);
    expect(make(own, foreign[1] ?? '')).toMatch(/^InvalidSubnet/u);
    expect(make(own, 'subnet-0')).toBe("SubnetNotFound: The subnet ID 'subnet-0' does not exist");
  });

  it('faces the internet only from a VPC with an internet gateway, which then stays attached', () => {
    const bench = new NetworkBench();
    const { vpc, subnets, attachment, gateway } = bench.network();
    const make = () => bench.make(BALANCER, { Subnets: subnets.map(({ id }) => id) });
    bench.remove(attachment);
    expect(refusalOf(make)).toBe(`InvalidSubnet: VPC ${vpc.id} has no internet gateway`);
    const again = bench.make('EC2::VPCGatewayAttachment', {
      VpcId: vpc.id,
      InternetGatewayId: gateway.id,
    });
    make();
    expect(refusalOf(() => bench.remove(again))).toMatch(/mapped public address/u);
  });

  it('needs eight free addresses in each subnet', () => {
    const bench = new NetworkBench();
    const { vpc, subnets } = bench.network();
    const small = bench.make('EC2::Subnet', {
      VpcId: vpc.id,
      CidrBlock: '10.0.9.0/28',
      AvailabilityZone: 'eu-west-1c',
    });
    const Subnets = [first(subnets).id, small.id];
    const make = () => bench.make(BALANCER, { Scheme: 'internal', Subnets });
    // 16 addresses, five of them AWS's: three balancers leave eight for a fourth one, which leaves seven.
    for (let count = 0; count < 4; count += 1) make();
    expect(refusalOf(make)).toMatch(/requires at least 8 free IP addresses/u);
  });

  it("isn't deleted while it is protected", () => {
    const bench = new NetworkBench();
    const balancer = bench.balancer(bench.network());
    const protect = (Value: string) =>
      bench.change(balancer, {
        LoadBalancerAttributes: [{ Key: 'deletion_protection.enabled', Value }],
      });
    protect('true');
    expect(refusalOf(() => bench.remove(balancer))).toBe(
      `OperationNotPermitted: Load balancer '${balancer.id}' cannot be deleted because deletion protection is enabled`,
    );
    protect('false');
    bench.remove(balancer);
  });
});

function withListener() {
  const bench = new NetworkBench();
  const network = bench.network();
  const balancer = bench.balancer(network);
  const certificate = bench.certificate();
  const group = (Name: string, VpcId = network.vpc.id) =>
    bench.make('ElasticLoadBalancingV2::TargetGroup', {
      Name,
      VpcId,
      Protocol: 'HTTP',
      Port: 8080,
      TargetType: 'ip',
    });
  const listener = (changes: Properties = {}) =>
    bench.make('ElasticLoadBalancingV2::Listener', {
      LoadBalancerArn: balancer.id,
      Port: 443,
      Protocol: 'HTTPS',
      Certificates: [{ CertificateArn: certificate.id }],
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
      ...changes,
    });
  return { bench, network, balancer, certificate, group, listener };
}

describe('a listener of HTTPS', () => {
  it.each(['ELBSecurityPolicy-TLS13-1-9-2099-01', 'ELBSecurityPolicy-', 'modern'])(
    'is refused with the security policy %s, which there is not',
    (SslPolicy) => {
      const { listener } = withListener();
      expect(refusalOf(() => listener({ SslPolicy }))).toBe(
        `SSLPolicyNotFound: SSL policy '${SslPolicy}' not found`,
      );
      listener({ SslPolicy: 'ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09' });
    },
  );
});

const forward = (TargetGroupArn: string) => [{ Type: 'forward', TargetGroupArn }];

describe('a target group', () => {
  it('has a name of its own, of at most 32 characters', () => {
    const { group } = withListener();
    group('tasks');
    expect(refusalOf(() => group('tasks'))).toMatch(/^DuplicateTargetGroupName/u);
    expect(refusalOf(() => group('x'.repeat(33)))).toMatch(
      /Target group name .* cannot be longer than '32'/u,
    );
  });

  it('waits for an answer shorter than between two questions', () => {
    const { bench, group } = withListener();
    expect(refusalOf(() => bench.change(group('tasks'), { HealthCheckIntervalSeconds: 5 }))).toMatch(
      /Health check timeout '5' must be smaller than the interval '5'/u,
    );
  });

  it("isn't deleted while a listener or a rule forwards to it", () => {
    const { bench, group, listener } = withListener();
    const tasks = group('tasks');
    const made = listener({ DefaultActions: forward(tasks.id) });
    expect(refusalOf(() => bench.remove(tasks))).toBe(
      `ResourceInUse: Target group '${tasks.id}' is currently in use by a listener or a rule`,
    );
    bench.remove(made);
    bench.remove(tasks);
  });

  it("is of one load balancer, in that one's VPC", () => {
    const { bench, group, listener, network } = withListener();
    const tasks = group('tasks');
    listener({ DefaultActions: forward(tasks.id) });
    const second = bench.balancer(network);
    expect(
      refusalOf(() => listener({ LoadBalancerArn: second.id, DefaultActions: forward(tasks.id) })),
    ).toMatch(/^TargetGroupAssociationLimit/u);
    const far = group('far', bench.network('10.1').vpc.id);
    expect(refusalOf(() => listener({ Port: 444, DefaultActions: forward(far.id) }))).toMatch(
      /different VPC/u,
    );
  });
});

describe('a listener', () => {
  it('has a port of its own', () => {
    const { listener } = withListener();
    listener();
    expect(refusalOf(() => listener({ Port: '443' }))).toMatch(/^DuplicateListener/u);
    listener({ Port: 8443 });
  });

  it("has an issued certificate of the load balancer's own region", () => {
    const { bench, listener } = withListener();
    const far = bench.make('CertificateManager::Certificate', bench.certificate(THERE).properties, THERE);
    const of = (arn: string) => ({ Certificates: [{ CertificateArn: arn }] });
    expect(refusalOf(() => listener(of(far.id)))).toMatch(/^CertificateNotFound/u);
    expect(refusalOf(() => listener({ Certificates: [] }))).toMatch(/exactly one certificate/u);
    const pending = bench.world.add({
      ...HERE,
      type: 'AWS::CertificateManager::Certificate',
      id: 'arn:aws:acm:eu-west-1:111111111111:certificate/asked-for-by-hand',
      stack: null,
      properties: { DomainName: 'other.example.com', ValidationMethod: 'DNS' },
      attributes: {},
    });
    expect(refusalOf(() => listener(of(pending.id)))).toMatch(/^UnsupportedCertificate/u);
  });

  it('forwards to groups that exist', () => {
    const { listener } = withListener();
    expect(refusalOf(() => listener({ DefaultActions: forward('arn:none') }))).toMatch(
      /^TargetGroupNotFound/u,
    );
    expect(refusalOf(() => listener({ LoadBalancerArn: 'arn:none' }))).toMatch(/^LoadBalancerNotFound/u);
  });
});

describe("a listener's rule", () => {
  it('has a priority of its own, and at most five values in its conditions', () => {
    const { bench, group, listener } = withListener();
    const ListenerArn = listener().id;
    const Actions = forward(group('tasks').id);
    const rule = (Priority: number, ...Values: string[]) =>
      bench.make('ElasticLoadBalancingV2::ListenerRule', {
        ListenerArn,
        Priority,
        Actions,
        Conditions: [{ Field: 'path-pattern', PathPatternConfig: { Values } }],
      });
    rule(10, '/a', '/b', '/c', '/d', '/e');
    expect(refusalOf(() => rule(10, '/f'))).toBe("PriorityInUse: Priority '10' is currently in use");
    expect(refusalOf(() => rule(11, '/a', '/b', '/c', '/d', '/e', '/f'))).toMatch(
      /only have '5' condition values/u,
    );
    expect(refusalOf(() => rule(0, '/f'))).toMatch(/between 1 and 50000/u);
    expect(refusalOf(() => rule(12))).toMatch(/A condition must be specified/u);
  });
});
