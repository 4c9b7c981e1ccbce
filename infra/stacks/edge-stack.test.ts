import { expect, test } from 'vitest';
import { Match } from 'aws-cdk-lib/assertions';
import { directPort } from '../names.ts';
import { expectCount, expectResource } from '../test/expect-template.ts';
import { stacksOf, templateOf } from '../test/zones.ts';
import type { Zone } from '../../topology/types.ts';

const edgeOf = (zone: Partial<Zone> = {}): ReturnType<typeof templateOf> => templateOf(stacksOf(zone).edge);

test('the anycast listener leads to the load balancer of every region, at the public port', () => {
  const template = edgeOf();
  expectResource(template, 'AWS::GlobalAccelerator::Listener', {
    PortRanges: [{ FromPort: 443, ToPort: 443 }],
    Protocol: 'TCP',
    ClientAffinity: 'NONE',
  });
  for (const region of ['eu-central-1', 'eu-west-3']) {
    expectResource(template, 'AWS::GlobalAccelerator::EndpointGroup', {
      EndpointGroupRegion: region,
      PortOverrides: Match.absent(),
      EndpointConfigurations: [
        {
          ClientIPPreservationEnabled: true,
          EndpointId: {
            'Fn::GetStackOutput': Match.objectLike({
              StackName: `keyhearth-test-eu-svc-${region}`,
              Region: region,
            }),
          },
        },
      ],
    });
  }
});

test('each region has a direct listener of its own, at a port of the load balancer that nothing else uses', () => {
  const template = edgeOf();
  expectCount(template, 'AWS::GlobalAccelerator::Listener', 3);
  expectCount(template, 'AWS::GlobalAccelerator::EndpointGroup', 4);
  for (const region of ['eu-central-1', 'eu-west-3'] as const) {
    const port = directPort(region);
    expectResource(template, 'AWS::GlobalAccelerator::Listener', {
      PortRanges: [{ FromPort: port, ToPort: port }],
    });
    expectResource(template, 'AWS::GlobalAccelerator::EndpointGroup', {
      EndpointGroupRegion: region,
      PortOverrides: [{ ListenerPort: port, EndpointPort: 8443 }],
    });
  }
});

test('a region is drained by a parameter, which a later deployment keeps', () => {
  const template = edgeOf();
  template.hasParameter('WeightEuWest3', { Type: 'Number', Default: 128, MinValue: 0, MaxValue: 255 });
  expectResource(template, 'AWS::GlobalAccelerator::EndpointGroup', {
    EndpointGroupRegion: 'eu-west-3',
    EndpointConfigurations: [{ Weight: { Ref: 'WeightEuWest3' } }],
  });
});

test('the accelerator stays when its stack is deleted, unless the zone isn’t protected', () => {
  edgeOf().hasResource('AWS::GlobalAccelerator::Accelerator', {
    DeletionPolicy: 'RetainExceptOnCreate',
    UpdateReplacePolicy: 'Retain',
  });
  edgeOf({ deletionProtection: false }).hasResource('AWS::GlobalAccelerator::Accelerator', {
    DeletionPolicy: 'Delete',
  });
  expect(stacksOf().edge.terminationProtection).toBe(true);
  expect(stacksOf({ deletionProtection: false }).edge.terminationProtection).toBe(false);
});

test('a load balancer that is made anew changes this template, so that the accelerator learns its ARN', () => {
  const metadata = (zone: Partial<Zone>): unknown =>
    Object.values(edgeOf(zone).findResources('AWS::GlobalAccelerator::EndpointGroup')).map(
      ({ Metadata }) => Metadata as unknown,
    );
  expect(metadata({})).toEqual(metadata({}));
  // Another set of subnets: one of the changes that replace a load balancer's addresses.
  const moved = { availabilityZones: { 'eu-central-1': ['eu-central-1a', 'eu-central-1b'] } };
  expect(metadata(moved)).not.toEqual(metadata({}));
});

test('the hostname is an alias of the accelerator where the zone has a hosted zone, and yours to make where it has certificates', () => {
  expectResource(edgeOf(), 'AWS::Route53::RecordSet', {
    Name: 'keys.eu.example.com.',
    Type: 'A',
    HostedZoneId: 'Z0EXAMPLE0000000EU',
  });
  const arn = (region: string): string =>
    `arn:aws:acm:${region}:222222222222:certificate/00000000-0000-0000-0000-000000000000`;
  const own = {
    domain: { certificateArns: { 'eu-central-1': arn('eu-central-1'), 'eu-west-3': arn('eu-west-3') } },
  };
  const template = edgeOf(own);
  expectCount(template, 'AWS::Route53::RecordSet', 0);
  template.hasOutput('AcceleratorDnsName', {});
});

test('a budget tells the alarms’ address, and is there only where the zone has one', () => {
  expectCount(edgeOf(), 'AWS::Budgets::Budget', 0);
  expectResource(
    edgeOf({ alarms: { email: 'ops@example.com' }, budget: { usdPerMonth: 900 } }),
    'AWS::Budgets::Budget',
    {
      Budget: Match.objectLike({ BudgetLimit: { Amount: 900, Unit: 'USD' } }),
      NotificationsWithSubscribers: Match.arrayWith([
        Match.objectLike({ Subscribers: [{ SubscriptionType: 'EMAIL', Address: 'ops@example.com' }] }),
      ]),
    },
  );
});
