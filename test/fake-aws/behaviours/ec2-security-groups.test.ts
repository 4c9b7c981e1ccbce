import { describe, expect, it } from 'vitest';
import { NetworkBench, refusalOf } from './network-bench.ts';

const HTTPS = { IpProtocol: 'tcp', FromPort: 443, ToPort: 443 };

describe('a security group', () => {
  it('has a name that no other of its VPC has', () => {
    const bench = new NetworkBench();
    const { vpc } = bench.network();
    const make = (GroupName: string) =>
      bench.make('EC2::SecurityGroup', { VpcId: vpc.id, GroupName, GroupDescription: 'd' });
    make('tasks');
    expect(refusalOf(() => make('tasks'))).toBe(
      `InvalidGroup.Duplicate: The security group 'tasks' already exists for VPC '${vpc.id}'`,
    );
    expect(refusalOf(() => make('sg-tasks'))).toMatch(/^InvalidParameterValue/u);
    expect(refusalOf(() => make('x'.repeat(256)))).toMatch(/^InvalidParameterValue/u);
  });

  it('has a description in ASCII', () => {
    const bench = new NetworkBench();
    const { vpc } = bench.network();
    expect(
      refusalOf(() => bench.make('EC2::SecurityGroup', { VpcId: vpc.id, GroupDescription: 'Überall' })),
    ).toMatch(/beyond ASCII/u);
  });

  it("can't be deleted while an interface has it", () => {
    const bench = new NetworkBench();
    const network = bench.network();
    const balancer = bench.balancer(network);
    expect(refusalOf(() => bench.remove(network.group))).toBe(
      `DependencyViolation: resource ${network.group.id} has a dependent object`,
    );
    bench.remove(balancer);
    bench.remove(network.group);
  });

  it("can't be deleted while another group's rule names it, its own rules aside", () => {
    const bench = new NetworkBench();
    const { vpc, group } = bench.network();
    const other = bench.make('EC2::SecurityGroup', { VpcId: vpc.id, GroupDescription: 'd' });
    bench.make('EC2::SecurityGroupIngress', { GroupId: group.id, SourceSecurityGroupId: group.id, ...HTTPS });
    const rule = bench.make('EC2::SecurityGroupEgress', {
      GroupId: other.id,
      DestinationSecurityGroupId: group.id,
      ...HTTPS,
    });
    expect(refusalOf(() => bench.remove(group))).toMatch(/has a dependent object/u);
    bench.remove(rule);
    bench.remove(group);
  });
});

describe('a rule of a security group', () => {
  it('is refused where the group has it, however it is written', () => {
    const bench = new NetworkBench();
    const { vpc } = bench.network();
    const group = bench.make('EC2::SecurityGroup', {
      VpcId: vpc.id,
      GroupDescription: 'd',
      SecurityGroupIngress: [{ ...HTTPS, CidrIp: '10.0.0.0/8', Description: 'Clients' }],
    });
    const add = (rule: Record<string, string>) =>
      bench.make('EC2::SecurityGroupIngress', {
        GroupId: group.id,
        FromPort: '443',
        ToPort: '443',
        IpProtocol: 'tcp',
        ...rule,
      });
    const code = /^InvalidPermission.Duplicate/u;
    expect(refusalOf(() => add({ CidrIp: '10.0.0.9/8' }))).toMatch(code);
    expect(refusalOf(() => add({ CidrIp: '10.0.0.0/8', IpProtocol: '6' }))).toMatch(code);
    add({ CidrIp: '10.0.0.0/8', IpProtocol: 'udp' });
    expect(refusalOf(() => add({ CidrIp: '10.0.0.0/8', IpProtocol: 'udp' }))).toMatch(code);
  });

  it("is refused for an update of the group's own rules that repeats one beside them", () => {
    const bench = new NetworkBench();
    const { group } = bench.network();
    const rule = { ...HTTPS, CidrIp: '10.0.0.0/8' };
    bench.make('EC2::SecurityGroupIngress', { GroupId: group.id, ...rule });
    expect(refusalOf(() => bench.change(group, { SecurityGroupIngress: [rule] }))).toMatch(/Duplicate/u);
  });

  it('names one other side, which exists', () => {
    const bench = new NetworkBench();
    const { group } = bench.network();
    const add = (rule: Record<string, string>) =>
      refusalOf(() => bench.make('EC2::SecurityGroupIngress', { GroupId: group.id, ...HTTPS, ...rule }));
    expect(add({})).toMatch(/^InvalidParameterCombination/u);
    expect(add({ CidrIp: '10.0.0.0/8', SourceSecurityGroupId: group.id })).toMatch(/Exactly one/u);
    expect(add({ CidrIp: '10.0.0.0/33' })).toMatch(/malformed/u);
    expect(add({ SourceSecurityGroupId: 'sg-0' })).toBe(
      "InvalidGroup.NotFound: The security group 'sg-0' does not exist",
    );
    expect(add({ CidrIp: '10.0.0.0/8', FromPort: '500' })).toMatch(/port range/u);
  });

  it.each(['The zone’s tasks', "the zone's tasks", 'a<b', 'x'.repeat(256)])(
    'is not described as %j',
    (Description) => {
      const bench = new NetworkBench();
      const { vpc, group } = bench.network();
      const rule = { ...HTTPS, CidrIp: '10.0.0.0/8', Description };
      const code = /^InvalidParameterValue: Invalid rule description/u;
      for (const type of ['Ingress', 'Egress']) {
        expect(
          refusalOf(() => bench.make(`EC2::SecurityGroup${type}`, { GroupId: group.id, ...rule })),
        ).toMatch(code);
        const inline = { VpcId: vpc.id, GroupDescription: 'd', [`SecurityGroup${type}`]: [rule] };
        expect(refusalOf(() => bench.make('EC2::SecurityGroup', inline))).toMatch(code);
      }
      const fits = { ...rule, Description: 'a-Z 0.9_:/()#,@[]+=&;{}!$*' };
      bench.make('EC2::SecurityGroupIngress', { GroupId: group.id, ...fits });
    },
  );

  it("names a group of another VPC only where that is peered with the group's own", () => {
    const bench = new NetworkBench();
    const one = bench.network();
    const other = bench.network('10.1');
    const add = () =>
      bench.make('EC2::SecurityGroupIngress', {
        GroupId: one.group.id,
        SourceSecurityGroupId: other.group.id,
        ...HTTPS,
      });
    expect(refusalOf(add)).toMatch(/belong to different networks/u);
    bench.make('EC2::VPCPeeringConnection', { VpcId: one.vpc.id, PeerVpcId: other.vpc.id });
    expect(add().id).toMatch(/^sgr-/u);
  });

  it('is one of at most 60 in its direction', () => {
    const bench = new NetworkBench();
    const { vpc } = bench.network();
    const rules = Array.from({ length: 61 }, (_, index) => ({ ...HTTPS, CidrIp: `10.0.${index}.0/24` }));
    const make = (count: number) =>
      bench.make('EC2::SecurityGroup', {
        VpcId: vpc.id,
        GroupDescription: 'd',
        SecurityGroupIngress: rules.slice(0, count),
      });
    make(60);
    expect(refusalOf(() => make(61))).toMatch(/^RulesPerSecurityGroupLimitExceeded/u);
  });
});
