import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { expectCount, expectResource } from '../test/expect-template.ts';
import { deployment, templateOf, testApp } from '../test/zones.ts';
import { BaseStack } from './base-stack.ts';
import { LinkStack } from './link-stack.ts';

function pair(): {
  readonly bases: readonly BaseStack[];
  readonly forth: LinkStack;
  readonly back: LinkStack;
} {
  const app = testApp();
  const zone = deployment();
  const from = new BaseStack(app, { zone, region: 'eu-central-1' });
  const to = new BaseStack(app, { zone, region: 'eu-west-3' });
  const forth = new LinkStack(app, { from, to, counterpart: null });
  const back = new LinkStack(app, { from: to, to: from, counterpart: forth });
  return { bases: [from, to], forth, back };
}

test('the first of a pair makes the connection, to the other region’s network', () => {
  const { forth, back } = pair();
  const output = (stack: string, region: string): unknown => ({
    'Fn::GetStackOutput': { StackName: stack, Region: region, OutputName: 'VpcId' },
  });
  expectResource(templateOf(forth), 'AWS::EC2::VPCPeeringConnection', {
    VpcId: output('keyhearth-test-eu-base-eu-central-1', 'eu-central-1'),
    PeerVpcId: output('keyhearth-test-eu-base-eu-west-3', 'eu-west-3'),
    PeerRegion: 'eu-west-3',
    // An owner or a role is for connections between accounts; without them CloudFormation accepts by itself.
    PeerOwnerId: Match.absent(),
    PeerRoleArn: Match.absent(),
  });
  expectCount(templateOf(back), 'AWS::EC2::VPCPeeringConnection', 0);
});

test('every route table of tasks and data has a route to the other region’s range, and only the own region’s are touched', () => {
  const { forth, back } = pair();
  for (const [stack, range, region] of [
    [forth, '10.89.0.0/16', 'eu-central-1'],
    [back, '10.82.0.0/16', 'eu-west-3'],
  ] as const) {
    const routes = Object.values(templateOf(stack).findResources('AWS::EC2::Route'));
    expect(routes.map(({ Properties }) => Properties.RouteTableId['Fn::GetStackOutput'])).toEqual(
      ['Tasks1', 'Tasks2', 'Tasks3', 'Data1', 'Data2', 'Data3'].map((name) => ({
        StackName: `keyhearth-test-eu-base-${region}`,
        Region: region,
        OutputName: `${name}RouteTableId`,
      })),
    );
    expect(new Set(routes.map(({ Properties }) => Properties.DestinationCidrBlock))).toEqual(
      new Set([range]),
    );
  }
});

test('the connection is there before the other side’s routes, and both networks before the connection', () => {
  const { bases, forth, back } = pair();
  templateOf(forth);
  expect(forth.dependencies).toEqual(expect.arrayContaining([...bases]));
  expect(forth.dependencies).not.toContain(back);
  expect(back.dependencies).toEqual(expect.arrayContaining([bases[1], forth]));
});

test('rules name the other region’s range, TCP, and the two ports', () => {
  const made = templateOf(pair().forth);
  const rules = [
    ...Object.values(made.findResources('AWS::EC2::SecurityGroupEgress')),
    ...Object.values(made.findResources('AWS::EC2::SecurityGroupIngress')),
  ].map(({ Type, Properties: { GroupId, CidrIp, IpProtocol, FromPort, ToPort } }) => [
    Type,
    GroupId['Fn::GetStackOutput'].OutputName,
    `${IpProtocol} ${FromPort}-${ToPort} ${CidrIp}`,
  ]);
  expect(rules).toEqual([
    ['AWS::EC2::SecurityGroupEgress', 'TasksGroupId', 'tcp 8444-8444 10.89.0.0/16'],
    ['AWS::EC2::SecurityGroupEgress', 'TasksGroupId', 'tcp 5432-5432 10.89.0.0/16'],
    ['AWS::EC2::SecurityGroupIngress', 'LoadBalancerGroupId', 'tcp 8444-8444 10.89.0.0/16'],
    ['AWS::EC2::SecurityGroupIngress', 'DatabaseGroupId', 'tcp 5432-5432 10.89.0.0/16'],
  ]);
});
