import { describe, expect, it } from 'vitest';
import type { Properties } from '../values.ts';
import { NetworkBench, first, refusalOf } from './network-bench.ts';

function setUp(dns = true) {
  const bench = new NetworkBench();
  const network = bench.network();
  bench.change(network.vpc, { EnableDnsSupport: true, EnableDnsHostnames: dns });
  const endpoint = (changes: Properties = {}) =>
    bench.make('EC2::VPCEndpoint', {
      VpcId: network.vpc.id,
      VpcEndpointType: 'Interface',
      ServiceName: 'com.amazonaws.eu-west-1.ecr.api',
      PrivateDnsEnabled: true,
      SubnetIds: network.subnets.map(({ id }) => id),
      SecurityGroupIds: [network.group.id],
      ...changes,
    });
  return { bench, ...network, endpoint };
}

describe('an interface endpoint', () => {
  it('has a policy that names principals, actions and effects', () => {
    const { bench, endpoint } = setUp();
    const statement = { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' };
    const { Principal: _, ...bare } = statement;
    const code = /^InvalidPolicyDocument: /u;
    const policy = (Statement: Properties) => ({ PolicyDocument: { Version: '2012-10-17', Statement } });
    expect(refusalOf(() => endpoint(policy(bare)))).toMatch(code);
    expect(refusalOf(() => endpoint({ PolicyDocument: { rules: [] } }))).toMatch(code);
    const made = endpoint(policy(statement));
    expect(refusalOf(() => bench.change(made, policy({ ...statement, Effect: 'Perhaps' })))).toMatch(code);
  });

  it('has an interface in each subnet, which keeps subnet and group from being deleted until it goes', () => {
    const { bench, endpoint, subnets, group } = setUp();
    const made = endpoint();
    expect(made.attributes['NetworkInterfaceIds']).toHaveLength(2);
    expect(refusalOf(() => bench.remove(first(subnets)))).toMatch(/^DependencyViolation/u);
    expect(refusalOf(() => bench.remove(group))).toMatch(/^DependencyViolation/u);
    bench.remove(made);
    bench.remove(first(subnets));
    bench.remove(group);
  });

  it("is of a service of its own region, and shows it by the service's private name", () => {
    const { endpoint } = setUp();
    expect(refusalOf(() => endpoint({ ServiceName: 'com.amazonaws.us-east-1.ecr.api' }))).toBe(
      "InvalidServiceName: The Vpc Endpoint Service 'com.amazonaws.us-east-1.ecr.api' does not exist",
    );
    expect(JSON.stringify(endpoint().attributes['DnsEntries'])).toContain('api.ecr.eu-west-1.amazonaws.com');
  });

  it('has a private name only where the VPC resolves names, and where no other has it', () => {
    expect(refusalOf(() => setUp(false).endpoint())).toMatch(/enableDnsSupport and enableDnsHostnames/u);
    const { endpoint } = setUp();
    endpoint();
    expect(refusalOf(() => endpoint())).toMatch(/already a conflicting DNS domain/u);
    endpoint({ PrivateDnsEnabled: false });
  });

  it('has one subnet a zone, all of its VPC, and groups of its VPC', () => {
    const { bench, endpoint, vpc, subnets } = setUp();
    const twin = bench.make('EC2::Subnet', {
      VpcId: vpc.id,
      CidrBlock: '10.0.9.0/24',
      AvailabilityZone: 'eu-west-1a',
    });
    expect(refusalOf(() => endpoint({ SubnetIds: [first(subnets).id, twin.id] }))).toMatch(
      /^DuplicateSubnetsInSameZone/u,
    );
    const other = bench.network('10.1');
    expect(refusalOf(() => endpoint({ SubnetIds: [first(other.subnets).id] }))).toMatch(/does not belong/u);
    expect(refusalOf(() => endpoint({ SecurityGroupIds: [other.group.id] }))).toMatch(/different networks/u);
  });
});

describe('a gateway endpoint', () => {
  const S3 = { VpcEndpointType: 'Gateway', ServiceName: 'com.amazonaws.eu-west-1.s3' };

  it('is there for S3 and DynamoDB only', () => {
    const { endpoint } = setUp();
    expect(refusalOf(() => endpoint({ ...S3, ServiceName: 'com.amazonaws.eu-west-1.ecr.api' }))).toMatch(
      /^InvalidServiceName/u,
    );
  });

  it('is once in a route table of its VPC', () => {
    const { bench, endpoint, vpc } = setUp();
    const table = bench.make('EC2::RouteTable', { VpcId: vpc.id });
    endpoint({ ...S3, RouteTableIds: [table.id] });
    expect(refusalOf(() => endpoint({ ...S3, RouteTableIds: [table.id] }))).toMatch(/^RouteAlreadyExists/u);
    const foreign = bench.make('EC2::RouteTable', { VpcId: bench.network('10.1').vpc.id });
    expect(refusalOf(() => endpoint({ ...S3, RouteTableIds: [foreign.id] }))).toMatch(/does not belong/u);
  });
});
