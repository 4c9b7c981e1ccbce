import { expect, test } from 'vitest';
import type { Zone } from '../topology/types.ts';
import type { DeployedTemplate } from './test/network-model.ts';
import { type Needs, prove } from './test/reachability.ts';
import { deployment, testApp } from './test/zones.ts';
import { buildZone } from './zone.ts';

const SERVICES = ['ecr.api', 'ecr.dkr', 'kms', 'logs', 'secretsmanager'];
const NEEDS: Needs = { services: [...SERVICES, 'kinesis-firehose'], outside: null };
const OUTSIDE = { ranges: ['198.51.100.0/24', '203.0.113.8/32'], port: 8443 };
const THREE_REGIONS: Partial<Zone> = { replicas: ['eu-north-1', 'eu-west-3'] };
const CLICKHOUSE: Partial<Zone> = {
  events: { kind: 'clickhouse', secretName: 'events', addressRanges: OUTSIDE.ranges, port: OUTSIDE.port },
};

interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
}

interface Deployed extends DeployedTemplate {
  readonly template: { Resources: Record<string, Resource> };
}

function templatesOf(zone: Partial<Zone>): readonly Deployed[] {
  const app = testApp();
  buildZone(app, deployment(zone));
  return app.synth().stacks.map((stack) => ({
    stackName: stack.stackName,
    region: stack.environment.region,
    template: stack.template as Deployed['template'],
  }));
}

/** Shared, and never changed: a mutation is made of a copy. */
const two = templatesOf({});

/** The templates with one of them changed. */
function mutated(
  templates: readonly Deployed[],
  stackName: string,
  change: (resources: Record<string, Resource>) => void,
): readonly Deployed[] {
  return templates.map((one) => {
    if (one.stackName !== stackName) return one;
    const template = structuredClone(one.template);
    change(template.Resources);
    return { ...one, template };
  });
}

const BASE = 'keyhearth-test-eu-base-eu-central-1';
const OTHER_BASE = 'keyhearth-test-eu-base-eu-west-3';
const LINK = 'keyhearth-test-eu-link-eu-central-1-eu-west-3';
const LINK_BACK = 'keyhearth-test-eu-link-eu-west-3-eu-central-1';

/** The only resource of a stack whose logical id begins so, or the only one of a type among them. */
function named(resources: Record<string, Resource>, start: string, type = ''): string {
  const found = Object.keys(resources).filter(
    (id) => id.startsWith(start) && (type === '' || resources[id]?.Type === `AWS::EC2::${type}`),
  );
  if (found.length !== 1) throw new Error(`${found.length} resources begin with ${start}`);
  return String(found[0]);
}

function propertiesOf(resources: Record<string, Resource>, id: string): Record<string, unknown> {
  const resource = resources[id];
  if (resource === undefined) throw new Error(`there is no ${id}`);
  return resource.Properties;
}

function without(
  templates: readonly Deployed[],
  stackName: string,
  start: string,
): { readonly lost: readonly string[]; readonly stray: readonly string[] } {
  const changed = mutated(templates, stackName, (resources) => {
    delete resources[named(resources, start)];
  });
  return prove(changed, NEEDS);
}

test.each([
  ['one region', { replicas: [] }, NEEDS],
  ['two regions', {}, NEEDS],
  ['three regions', THREE_REGIONS, NEEDS],
  ['two availability zones', { availabilityZones: { 'eu-west-3': ['eu-west-3a', 'eu-west-3c'] } }, NEEDS],
  ['other ranges', { addressRanges: { 'eu-central-1': '10.1.0.0/20', 'eu-west-3': '172.16.0.0/18' } }, NEEDS],
  ['events that go outside', CLICKHOUSE, { services: SERVICES, outside: OUTSIDE }],
  ['a firewall', { firewall: { requestsPer5Minutes: 1000 } }, NEEDS],
] as const)('with %s every dependency is reachable and nothing else is', (_, zone, needs) => {
  expect(prove(templatesOf(zone), needs)).toEqual({ lost: [], stray: [] });
});

const SENDER = 'no rule at the sender';
const RECEIVER = 'no rule at the receiver';

test.each([
  [BASE, 'SecurityGroupsTasksto', 'Database', 'own database', SENDER],
  [BASE, 'SecurityGroupsDatabasefrom', '', 'own database', RECEIVER],
  [BASE, 'SecurityGroupsTasksto', 'Cache', 'own cache', SENDER],
  [BASE, 'SecurityGroupsCachefrom', '', 'own cache', RECEIVER],
  [BASE, 'SecurityGroupsTasksto', 'Endpoints', 'endpoint secretsmanager', SENDER],
  [BASE, 'SecurityGroupsEndpointsfrom', '', 'endpoint secretsmanager', RECEIVER],
  [BASE, 'SecurityGroupsTasksto', 'LoadBalancer', 'own region, as a peer', SENDER],
  [BASE, 'SecurityGroupsLoadBalancerfrom', '', 'own region, as a peer', RECEIVER],
  [BASE, 'SecurityGroupsLoadBalancerto', '', 'load balancer to tasks', SENDER],
  [BASE, 'SecurityGroupsTasksfrom', '', 'load balancer to tasks', RECEIVER],
  [LINK, 'WayToPeers', '', 'peers in eu-west-3', SENDER],
  [LINK, 'WayToDatabase', '', 'database in eu-west-3', SENDER],
] as const)(
  'without the rule %s %s…%s the dependency is lost at that side',
  (stack, start, end, name, missing) => {
    const changed = mutated(two, stack, (resources) => {
      const ids = Object.keys(resources).filter(
        (id) => id.startsWith(start) && id.includes(`SecurityGroups${end}`, 20),
      );
      const [id = named(resources, start)] = end === '' ? [] : ids;
      delete resources[id];
    });
    expect(prove(changed, NEEDS).lost).toContain(`eu-central-1: ${name}: ${missing}`);
  },
);

test.each([
  ['WayFromPeers', 'peers in eu-west-3'],
  ['WayFromTasks', 'database in eu-west-3'],
] as const)('without the other region’s rule %s the dependency is lost at the receiver', (start, name) => {
  expect(without(two, LINK_BACK, start).lost).toEqual([`eu-central-1: ${name}: ${RECEIVER}`]);
});

test.each(['EcrApi', 'EcrDocker', 'Kms', 'Logs', 'SecretsManager', 'Firehose'])(
  'without the endpoint %s it is lost',
  (id) => {
    const services: Record<string, string> = {
      EcrApi: 'ecr.api',
      EcrDocker: 'ecr.dkr',
      Kms: 'kms',
      Logs: 'logs',
      SecretsManager: 'secretsmanager',
      Firehose: 'kinesis-firehose',
    };
    const { lost } = without(two, BASE, `Endpoints${id}`);
    expect(lost).toContain(
      `eu-central-1: endpoint ${services[id]}: nobody to reach or be reached in eu-central-1`,
    );
    expect(lost.every((line) => line.startsWith(`eu-central-1: endpoint ${services[id]}:`))).toBe(true);
  },
);

test('without S3’s endpoint, or without the rule for its addresses, S3 is lost', () => {
  expect(without(two, BASE, 'NetworkVpcS3').lost).toEqual(['eu-central-1: S3: no route to its endpoint']);
  const ruleless = mutated(two, BASE, (resources) => {
    propertiesOf(resources, named(resources, 'SecurityGroupsTasks', 'SecurityGroup'))['SecurityGroupEgress'] =
      [];
  });
  expect(prove(ruleless, NEEDS).lost).toEqual(['eu-central-1: S3: no rule']);
});

test('without the internet gateway’s attachment the accelerator can’t lead clients here', () => {
  expect(without(two, BASE, 'NetworkInternetGatewayAttachment').lost).toEqual([
    'eu-central-1: clients: no internet gateway at the network',
  ]);
});

test('without the peering connection both regions lose each other', () => {
  const { lost } = without(two, LINK, 'Connection');
  for (const [from, to] of [
    ['eu-central-1', 'eu-west-3'],
    ['eu-west-3', 'eu-central-1'],
  ]) {
    for (const name of ['peers', 'database']) {
      expect(lost).toContain(`${from}: ${name} in ${to}: no route there`);
      expect(lost).toContain(`${from}: ${name} in ${to}: no route back`);
    }
  }
});

test.each([
  ['Tasks1', 'peers in eu-west-3: no route there', 'eu-central-1'],
  ['Tasks3', 'database in eu-west-3: no route there', 'eu-central-1'],
  ['Tasks2', 'peers in eu-central-1: no route back', 'eu-west-3'],
  ['Data1', 'database in eu-central-1: no route back', 'eu-west-3'],
  ['Data3', 'database in eu-central-1: no route back', 'eu-west-3'],
] as const)('without the route of %s: %s, from %s', (table, dependency, region) => {
  expect(without(two, LINK, `Way${table}Route`).lost).toContain(`${region}: ${dependency}`);
});

test('whichever rule, route, endpoint, gateway or association is removed, something is lost', () => {
  const relevant = new Set(
    [
      'Route',
      'SecurityGroupEgress',
      'SecurityGroupIngress',
      'SubnetRouteTableAssociation',
      'NatGateway',
      'VPCEndpoint',
      'VPCGatewayAttachment',
      'VPCPeeringConnection',
    ].map((name) => `AWS::EC2::${name}`),
  );
  const templates = templatesOf(CLICKHOUSE);
  const needs = { services: SERVICES, outside: OUTSIDE };
  let removed = 0;
  for (const { stackName, template } of templates) {
    for (const [id, { Type }] of Object.entries(template.Resources)) {
      if (!relevant.has(Type)) continue;
      removed += 1;
      const changed = mutated(templates, stackName, (resources) => {
        delete resources[id];
      });
      expect(prove(changed, needs).lost, `${stackName} ${id}`).not.toEqual([]);
    }
  }
  // Of each region: 10 rules between groups, 4 rules and 6 routes to the other region, 6 endpoints, an attachment; and for each of three
  // availability zones 3 subnets, a NAT gateway, the route from it, and the routes of 2 ranges to it. And one connection.
  expect(removed).toBe(2 * (10 + 4 + 6 + 6 + 1 + 3 * (3 + 1 + 1 + 2)) + 1);
});

test('a default route in a task’s or the data’s subnet is a stray one', () => {
  for (const subnet of ['Tasks', 'Data']) {
    const changed = mutated(two, OTHER_BASE, (resources) => {
      resources['Leak'] = {
        Type: 'AWS::EC2::Route',
        Properties: {
          RouteTableId: { Ref: named(resources, `NetworkVpc${subnet}Subnet2`, 'RouteTable') },
          DestinationCidrBlock: '0.0.0.0/0',
          GatewayId: { Ref: named(resources, 'NetworkInternet', 'InternetGateway') },
        },
      };
    });
    expect(prove(changed, NEEDS)).toEqual({ lost: [], stray: [`${OTHER_BASE}#Leak: 0.0.0.0/0`] });
  }
});

test('one more rule is a stray one, and so is a group that EC2 leaves open', () => {
  const more = mutated(two, BASE, (resources) => {
    const group = { 'Fn::GetAtt': [named(resources, 'SecurityGroupsTasks', 'SecurityGroup'), 'GroupId'] };
    resources['More'] = {
      Type: 'AWS::EC2::SecurityGroupEgress',
      Properties: { GroupId: group, IpProtocol: '-1', CidrIp: '0.0.0.0/0' },
    };
  });
  expect(prove(more, NEEDS)).toEqual({ lost: [], stray: [`${BASE}#More: out -1 NaN-NaN 0.0.0.0/0`] });
  const open = mutated(two, BASE, (resources) => {
    delete propertiesOf(resources, named(resources, 'SecurityGroupsLoadBalancer', 'SecurityGroup'))[
      'SecurityGroupEgress'
    ];
  });
  expect(prove(open, NEEDS).stray).toEqual([expect.stringContaining('(default): out -1 0-65535 0.0.0.0/0')]);
});

test('a rule that allows more than is needed doesn’t count', () => {
  const wider = mutated(two, LINK, (resources) => {
    propertiesOf(resources, named(resources, 'WayToPeers'))['CidrIp'] = '10.0.0.0/8';
  });
  const { lost, stray } = prove(wider, NEEDS);
  expect(lost).toEqual([`eu-central-1: peers in eu-west-3: ${SENDER}`]);
  expect(stray).toEqual([expect.stringContaining('WayToPeers')]);
});

test('no template at all proves nothing', () => {
  expect(prove([], NEEDS).lost).toEqual(['nothing to prove: no network in the templates']);
});
