import { describe, expect, it } from 'vitest';
import { routeState } from './ec2-routes.ts';
import { NetworkBench, first, refusalOf } from './network-bench.ts';

function withTable() {
  const bench = new NetworkBench();
  const network = bench.network();
  const table = bench.make('EC2::RouteTable', { VpcId: network.vpc.id });
  const route = (properties: Record<string, string>) =>
    bench.make('EC2::Route', { RouteTableId: table.id, ...properties });
  return { bench, ...network, table, route };
}

describe('a route', () => {
  it('is known by its table and destination', () => {
    const { route, gateway, table } = withTable();
    const made = route({ DestinationCidrBlock: '0.0.0.0/0', GatewayId: gateway.id });
    expect(made.id).toBe(`${table.id}|0.0.0.0/0`);
  });

  it('is refused where its destination is taken, whatever its target', () => {
    const { route, gateway } = withTable();
    route({ DestinationCidrBlock: '192.168.0.0/16', GatewayId: gateway.id });
    expect(refusalOf(() => route({ DestinationCidrBlock: '192.168.7.7/16', GatewayId: gateway.id }))).toBe(
      'RouteAlreadyExists: The route identified by 192.168.0.0/16 already exists.',
    );
  });

  it("is refused into the VPC's own addresses", () => {
    const { route, gateway } = withTable();
    expect(refusalOf(() => route({ DestinationCidrBlock: '10.0.7.0/24', GatewayId: gateway.id }))).toMatch(
      /equal to or more specific/u,
    );
  });

  it('needs one target that exists and is of its VPC', () => {
    const { bench, route, gateway } = withTable();
    const other = bench.network('10.7');
    const third = bench.network('10.8');
    const destination = { DestinationCidrBlock: '10.8.0.0/16' };
    const foreign = bench.make('EC2::VPCPeeringConnection', {
      VpcId: other.vpc.id,
      PeerVpcId: third.vpc.id,
    });
    expect(refusalOf(() => route(destination))).toMatch(/^InvalidParameterCombination/u);
    expect(refusalOf(() => route({ ...destination, GatewayId: gateway.id, NatGatewayId: 'nat-0' }))).toMatch(
      /^InvalidParameterCombination/u,
    );
    expect(refusalOf(() => route({ ...destination, NatGatewayId: 'nat-0' }))).toMatch(/^NatGatewayNotFound/u);
    expect(refusalOf(() => route({ ...destination, GatewayId: other.gateway.id }))).toMatch(
      /belong to different networks/u,
    );
    expect(refusalOf(() => route({ ...destination, VpcPeeringConnectionId: foreign.id }))).toMatch(
      /^InvalidVpcPeeringConnectionID.NotFound/u,
    );
  });

  it('leads through a peering connection that the other region asked for, and into nothing once that is gone', () => {
    const { bench, route, vpc } = withTable();
    const THERE = { account: '111111111111', region: 'us-east-1' };
    const far = bench.network('10.1', THERE);
    const connection = bench.make(
      'EC2::VPCPeeringConnection',
      { VpcId: far.vpc.id, PeerVpcId: vpc.id, PeerRegion: 'eu-west-1' },
      THERE,
    );
    const made = route({ DestinationCidrBlock: '10.1.0.0/16', VpcPeeringConnectionId: connection.id });
    expect(routeState(bench.world, made)).toBe('active');
    bench.remove(connection);
    expect(routeState(bench.world, made)).toBe('blackhole');
  });
});

describe('a route table', () => {
  it("can't be deleted while a subnet has it; a subnet has one, of its own VPC", () => {
    const { bench, table, subnets, vpc } = withTable();
    const associate = (SubnetId: string, RouteTableId = table.id) =>
      bench.make('EC2::SubnetRouteTableAssociation', { SubnetId, RouteTableId });
    const subnet = first(subnets);
    const association = associate(subnet.id);
    expect(refusalOf(() => bench.remove(table))).toMatch(/^DependencyViolation: The routeTable/u);
    const second = bench.make('EC2::RouteTable', { VpcId: vpc.id });
    expect(refusalOf(() => associate(subnet.id, second.id))).toMatch(/^Resource.AlreadyAssociated/u);
    const foreign = bench.network('10.9');
    expect(refusalOf(() => associate(first(foreign.subnets).id))).toMatch(/different networks/u);
    bench.remove(association);
    bench.remove(table);
  });
});
