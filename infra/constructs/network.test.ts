import { aws_logs as logs, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import { expectCount, expectResource } from '../test/expect-template.ts';
import { testApp } from '../test/zones.ts';
import { Network, publicRanges, subnetPrefixes } from './network.ts';

interface Subnet {
  readonly tier: string;
  readonly zone: string;
  readonly range: string;
}

function templateOf(addressRange: string, letters: string, outsideRanges: readonly string[] = []): Template {
  const env = { account: '111111111111', region: 'eu-west-3' };
  const availabilityZones = Array.from(letters, (letter) => `eu-west-3${letter}`);
  class Pinned extends Stack {
    override get availabilityZones(): string[] {
      return availabilityZones;
    }
  }
  const stack = new Pinned(testApp(), 'Stack', { env });
  const flowLogs = new logs.LogGroup(stack, 'FlowLogs');
  new Network(stack, 'Network', { addressRange, availabilityZones, outsideRanges, flowLogs });
  return Template.fromStack(stack);
}

function subnetsOf(template: Template): readonly Subnet[] {
  return Object.entries(template.findResources('AWS::EC2::Subnet')).map(([id, { Properties }]) => ({
    tier: /Vpc(\D+)Subnet/.exec(id)?.[1] ?? '',
    zone: Properties.AvailabilityZone,
    range: Properties.CidrBlock,
  }));
}

/** First and last address, as numbers. */
function bounds(range: string): readonly [number, number] {
  const number = (address: ipaddr.IPv4): number =>
    address.octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return [
    number(ipaddr.IPv4.networkAddressFromCIDR(range)),
    number(ipaddr.IPv4.broadcastAddressFromCIDR(range)),
  ];
}

const RANGES = ['10.82.0.0/16', '172.16.64.0/18', '10.1.16.0/20'];
const OUTSIDE = ['198.51.100.0/24'];

test.each(RANGES.flatMap((range) => ['ab', 'abc'].map((letters) => [range, letters] as const)))(
  '%s in zones %s: subnets are inside the range, apart from each other, and half of it stays free',
  (range, letters) => {
    const subnets = subnetsOf(templateOf(range, letters, OUTSIDE));
    expect(subnets.map(({ tier, zone }) => `${tier} ${zone}`).toSorted()).toEqual(
      ['Data', 'Outside', 'Tasks'].flatMap((tier) =>
        Array.from(letters, (letter) => `${tier} eu-west-3${letter}`),
      ),
    );
    const [first, last] = bounds(range);
    const sorted = subnets.map((subnet) => bounds(subnet.range)).toSorted(([a], [b]) => a - b);
    let [before, taken] = [first - 1, 0];
    for (const [from, to] of sorted) {
      expect(from).toBeGreaterThan(before);
      before = to;
      taken += to - from + 1;
    }
    expect(before).toBeLessThanOrEqual(last);
    expect(taken).toBeLessThan((last - first + 1) / 2);
  },
);

test('the smallest network still has hundreds of addresses for tasks, and a hundred for data, in each zone', () => {
  const sizes = Object.fromEntries(
    Object.entries(subnetPrefixes('10.0.0.0/20')).map(([tier, prefix]) => [tier, 2 ** (32 - prefix)]),
  );
  expect(sizes).toEqual({ tasks: 512, data: 128, outside: 16 });
});

test.each(['10.0.0.0/15', '10.0.0.0/21', '10.0.0.0'])('%s is refused', (range) => {
  expect(() => subnetPrefixes(range)).toThrow(`address range ${range} must be a /16 to /20`);
});

test.each(RANGES)('in %s a third zone, or a way out, moves nobody’s addresses', (range) => {
  const before = subnetsOf(templateOf(range, 'ab'));
  const after = subnetsOf(templateOf(range, 'abc', OUTSIDE));
  expect(after).toEqual(expect.arrayContaining([...before]));
});

test('an internet gateway is attached, and nothing has a route to it', () => {
  const template = templateOf('10.82.0.0/16', 'abc');
  expectResource(template, 'AWS::EC2::VPCGatewayAttachment', {
    VpcId: { Ref: Match.stringLikeRegexp('^NetworkVpc') },
    InternetGatewayId: { Ref: Match.stringLikeRegexp('^NetworkInternetGateway') },
  });
  expectCount(template, 'AWS::EC2::Route', 0);
  expectCount(template, 'AWS::EC2::NatGateway', 0);
});

test('turning to events that go outside keeps the internet gateway that is there', () => {
  const gateway = (outside: readonly string[]): unknown =>
    templateOf('10.82.0.0/16', 'abc', outside).findResources('AWS::EC2::InternetGateway');
  expect(gateway(OUTSIDE)).toEqual(gateway([]));
});

test('each zone has a NAT gateway of its own, and its tasks’ routes lead to that one, for the given ranges only', () => {
  const template = templateOf('10.82.0.0/16', 'ab', OUTSIDE);
  expectCount(template, 'AWS::EC2::NatGateway', 2);
  for (const number of [1, 2]) {
    expectResource(template, 'AWS::EC2::Route', {
      RouteTableId: { Ref: Match.stringLikeRegexp(`TasksSubnet${number}RouteTable`) },
      DestinationCidrBlock: '198.51.100.0/24',
      NatGatewayId: { Ref: Match.stringLikeRegexp(`OutsideSubnet${number}NATGateway`) },
    });
  }
});

test('private ranges need no way out', () => {
  const ranges = [
    '10.9.0.0/16',
    '172.31.0.0/16',
    '192.168.7.0/24',
    '100.64.0.0/10',
    '198.51.100.0/24',
    '3.5.0.0/16',
  ];
  expect(publicRanges(ranges)).toEqual(['198.51.100.0/24', '3.5.0.0/16']);
});

test('DNS works, flow logs tell everything, and no Lambda function looks after the default group', () => {
  const template = templateOf('10.82.0.0/16', 'abc');
  expectResource(template, 'AWS::EC2::VPC', { EnableDnsHostnames: true, EnableDnsSupport: true });
  expectResource(template, 'AWS::EC2::FlowLog', {
    TrafficType: 'ALL',
    LogDestinationType: 'cloud-watch-logs',
  });
  expectCount(template, 'AWS::Lambda::Function', 0);
});
