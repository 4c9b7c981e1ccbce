import { describe, expect, it } from 'vitest';
import { HERE, NetworkBench, first, refusalOf } from './network-bench.ts';

describe('a VPC', () => {
  it('comes with a security group, a route table and an access control list, which go with it', () => {
    const bench = new NetworkBench();
    const vpc = bench.make('EC2::VPC', { CidrBlock: '10.0.0.0/16' });
    expect(vpc.attributes['DefaultSecurityGroup']).toMatch(/^sg-[0-9a-f]{17}$/u);
    expect(bench.world.everything()).toHaveLength(4);
    bench.remove(vpc);
    expect(bench.world.everything()).toHaveLength(0);
  });

  it('has between 16 and 65,536 addresses', () => {
    const bench = new NetworkBench();
    expect(refusalOf(() => bench.make('EC2::VPC', { CidrBlock: '10.0.0.0/15' }))).toMatch(
      /^InvalidVpc.Range/u,
    );
    expect(refusalOf(() => bench.make('EC2::VPC', { CidrBlock: 'ten' }))).toMatch(/^InvalidParameterValue/u);
  });

  it("can't be deleted while a subnet, a gateway, a group of one's own or an endpoint is in it", () => {
    const bench = new NetworkBench();
    const { vpc, subnets, attachment, gateway, group } = bench.network();
    const sentence = `DependencyViolation: The vpc '${vpc.id}' has dependencies and cannot be deleted.`;
    for (const inTheWay of [...subnets, attachment, group]) {
      expect(refusalOf(() => bench.remove(vpc))).toBe(sentence);
      bench.remove(inTheWay);
    }
    bench.remove(vpc);
    bench.remove(gateway);
    expect(bench.world.everything()).toHaveLength(0);
  });
});

describe('a subnet', () => {
  it('lies within its VPC, beside the others', () => {
    const bench = new NetworkBench();
    const { vpc } = bench.network();
    const make = (CidrBlock: string) => bench.make('EC2::Subnet', { VpcId: vpc.id, CidrBlock });
    expect(refusalOf(() => make('10.1.0.0/24'))).toMatch(/^InvalidSubnet.Range/u);
    expect(refusalOf(() => make('10.0.1.128/25'))).toMatch(/^InvalidSubnet.Conflict/u);
    expect(make('10.0.2.0/24').attributes['CidrBlock']).toBe('10.0.2.0/24');
  });

  it("is in one of its region's availability zones, of a VPC that exists", () => {
    const bench = new NetworkBench();
    const { vpc } = bench.network();
    const properties = { VpcId: vpc.id, CidrBlock: '10.0.2.0/24', AvailabilityZone: 'eu-west-3a' };
    expect(refusalOf(() => bench.make('EC2::Subnet', properties))).toMatch(/availabilityZone is invalid/u);
    expect(refusalOf(() => bench.make('EC2::Subnet', { ...properties, VpcId: 'vpc-0' }))).toBe(
      "InvalidVpcID.NotFound: The vpc ID 'vpc-0' does not exist",
    );
  });

  it("can't be deleted while a load balancer has an interface in it", () => {
    const bench = new NetworkBench();
    const network = bench.network();
    const balancer = bench.balancer(network);
    const subnet = first(network.subnets);
    expect(refusalOf(() => bench.remove(subnet))).toBe(
      `DependencyViolation: The subnet '${subnet.id}' has dependencies and cannot be deleted.`,
    );
    bench.remove(balancer);
    bench.remove(subnet);
  });
});

describe('an internet gateway', () => {
  it('is attached to one VPC, and a VPC has one', () => {
    const bench = new NetworkBench();
    const { vpc, gateway } = bench.network();
    const other = bench.make('EC2::VPC', { CidrBlock: '10.9.0.0/16' });
    const attach = (VpcId: string, InternetGatewayId: string) =>
      bench.make('EC2::VPCGatewayAttachment', { VpcId, InternetGatewayId });
    expect(refusalOf(() => attach(other.id, gateway.id))).toMatch(/^Resource.AlreadyAssociated/u);
    const second = bench.make('EC2::InternetGateway', {});
    expect(refusalOf(() => attach(vpc.id, second.id))).toMatch(/already has an internet gateway/u);
  });

  it("can't be deleted while attached, nor detached while something has a public address", () => {
    const bench = new NetworkBench();
    const { gateway, attachment, subnets } = bench.network();
    expect(refusalOf(() => bench.remove(gateway))).toMatch(/^DependencyViolation: The internetGateway/u);
    const address = bench.make('EC2::EIP', {});
    const nat = bench.make('EC2::NatGateway', {
      SubnetId: first(subnets).id,
      AllocationId: address.attributes['AllocationId'] ?? '',
    });
    expect(refusalOf(() => bench.remove(attachment))).toMatch(/mapped public address/u);
    expect(refusalOf(() => bench.remove(address))).toMatch(/^InvalidIPAddress.InUse/u);
    bench.remove(nat);
    bench.remove(attachment);
    bench.remove(gateway);
  });
});

describe('VPC peering', () => {
  const THERE = { account: HERE.account, region: 'us-east-1' };

  it('is active at once between VPCs of an account, in other regions too', () => {
    const bench = new NetworkBench();
    const one = bench.network();
    const other = bench.network('10.1', THERE);
    const connection = bench.make('EC2::VPCPeeringConnection', {
      VpcId: one.vpc.id,
      PeerVpcId: other.vpc.id,
      PeerRegion: THERE.region,
    });
    expect(connection.id).toMatch(/^pcx-/u);
    expect(refusalOf(() => bench.remove(other.vpc))).toMatch(/^DependencyViolation/u);
  });

  it('fails without the region, with overlapping addresses, without a role of another account', () => {
    const bench = new NetworkBench();
    const { vpc } = bench.network();
    const far = bench.network('10.1', THERE);
    const same = bench.network('10.0', THERE);
    const elsewhere = bench.network('10.2', { account: '222222222222', region: HERE.region });
    const connect = (properties: Record<string, string>) =>
      refusalOf(() => bench.make('EC2::VPCPeeringConnection', { VpcId: vpc.id, ...properties }));
    expect(connect({ PeerVpcId: far.vpc.id })).toMatch(/failed to stabilize.*incorrect VPC-ID/u);
    expect(connect({ PeerVpcId: same.vpc.id, PeerRegion: THERE.region })).toMatch(/overlapping CIDR/u);
    expect(connect({ PeerVpcId: elsewhere.vpc.id, PeerOwnerId: '222222222222' })).toMatch(
      /Pending Acceptance/u,
    );
  });

  it('is there once between the same two', () => {
    const bench = new NetworkBench();
    const one = bench.network();
    const other = bench.network('10.1');
    bench.make('EC2::VPCPeeringConnection', { VpcId: one.vpc.id, PeerVpcId: other.vpc.id });
    expect(
      refusalOf(() =>
        bench.make('EC2::VPCPeeringConnection', { VpcId: other.vpc.id, PeerVpcId: one.vpc.id }),
      ),
    ).toMatch(/^VpcPeeringConnectionAlreadyExists/u);
  });
});

describe('a flow log', () => {
  it("needs a role that exists, a network that exists, and isn't there twice", () => {
    const bench = new NetworkBench();
    const { vpc } = bench.network();
    bench.world.add({
      account: HERE.account,
      region: 'aws-global',
      type: 'AWS::IAM::Role',
      id: 'logs',
      stack: null,
      properties: {},
      attributes: { Arn: 'arn:aws:iam::111111111111:role/logs' },
    });
    const properties = {
      ResourceId: vpc.id,
      ResourceType: 'VPC',
      LogGroupName: 'flows',
      DeliverLogsPermissionArn: 'arn:aws:iam::111111111111:role/logs',
    };
    const make = (changes: Record<string, string> = {}) =>
      bench.make('EC2::FlowLog', { ...properties, ...changes });
    expect(refusalOf(() => make({ DeliverLogsPermissionArn: 'arn:aws:iam::1:role/x' }))).toMatch(
      /does not exist/u,
    );
    expect(refusalOf(() => make({ ResourceId: 'vpc-0' }))).toMatch(/^InvalidVpcID.NotFound/u);
    make();
    expect(refusalOf(() => make())).toMatch(/^FlowLogAlreadyExists/u);
  });
});
