import { createHash } from 'node:crypto';
import type { AwsRegion } from '../topology/aws-regions.ts';
import { REGION_NUMBERS } from '../topology/region-defaults.ts';

/**
 * Names that infrastructure and scripts share: of stacks, of their outputs, of what is found by name. Imports no CDK, so that a script
 * can read it at no cost. Nothing here may change for a zone that is deployed: most names can't be changed without a replacement.
 */

const PREFIX = 'keyhearth';

/** A zone, as names need it. */
export interface ZoneName {
  readonly environment: string;
  /** Name of the zone. */
  readonly name: string;
}

/** Letters, digits and `-`; cut at `max`, with six hex digits of the whole's SHA-256 so that two long names stay two. */
export function bounded(text: string, max: number): string {
  if (text.length <= max) return text;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 6);
  return `${text.slice(0, max - 7).replace(/-+$/, '')}-${digest}`;
}

function zonePrefix({ environment, name }: ZoneName): string {
  return `${PREFIX}-${environment}-${name}`;
}

/** Names of a zone's stacks. At most 96 characters of the 128 that CloudFormation allows. */
export const stackNames = {
  /** Network, keys, alarm topic, permission boundary of a region. */
  base: (zone: ZoneName, region: AwsRegion) => `${zonePrefix(zone)}-base-${region}`,
  /** In `from`: what leads to the other region `to`. It belongs to whichever of the two was added later. */
  link: (zone: ZoneName, from: AwsRegion, to: AwsRegion) => `${zonePrefix(zone)}-link-${from}-${to}`,
  /** What the zone has once and every region reads: secrets with their replicas, private names. In the origin. */
  zone: (zone: ZoneName) => `${zonePrefix(zone)}-zone`,
  /** Database, cache and events of a region. */
  data: (zone: ZoneName, region: AwsRegion) => `${zonePrefix(zone)}-data-${region}`,
  /** Tasks and load balancer of a region. */
  service: (zone: ZoneName, region: AwsRegion) => `${zonePrefix(zone)}-svc-${region}`,
  /** Accelerator, DNS record, dashboard. In the origin. */
  edge: (zone: ZoneName) => `${zonePrefix(zone)}-edge`,
} as const;

/** Keys of the stacks' outputs that scripts read. */
export const outputKeys = {
  base: { vpcId: 'VpcId', alarmTopicArn: 'AlarmTopicArn' },
  data: {
    clusterIdentifier: 'ClusterIdentifier',
    globalClusterIdentifier: 'GlobalClusterIdentifier',
    eventBucket: 'EventBucket',
    eventStream: 'EventStream',
  },
  service: {
    clusterName: 'EcsClusterName',
    serviceName: 'EcsServiceName',
    taskDefinitionArn: 'TaskDefinitionArn',
    loadBalancerArn: 'LoadBalancerArn',
    oneOffTaskDefinitionArn: 'OneOffTaskDefinitionArn',
  },
  edge: {
    acceleratorArn: 'AcceleratorArn',
    acceleratorDnsName: 'AcceleratorDnsName',
    dashboardName: 'DashboardName',
  },
} as const;

/** Identifier of the zone's global database cluster: literal, for it must outlive every change of who is home. RDS allows 63. */
export function globalClusterIdentifier(zone: ZoneName): string {
  return bounded(zonePrefix(zone), 63);
}

export const secretNames = {
  /** JSON with `username` and `password` of the database's master user. */
  master: (zone: ZoneName) => `${PREFIX}/${zone.environment}/${zone.name}/database-master`,
  /** What regions sign their calls to each other with. */
  peers: (zone: ZoneName) => `${PREFIX}/${zone.environment}/${zone.name}/peers`,
} as const;

/** IAM managed policy that bounds every role of a region's stacks. IAM allows 128 characters. */
export function boundaryName(zone: ZoneName, region: AwsRegion): string {
  return bounded(`${zonePrefix(zone)}-boundary-${region}`, 128);
}

/** Private DNS zone of a zone; seen in its networks only. */
export function privateDomain({ environment, name }: ZoneName): string {
  return `${environment}-${name}.${PREFIX}.internal`;
}

/** Where the other regions find a region's load balancer. */
export function peerHostname(zone: ZoneName, region: AwsRegion): string {
  return `${region}.${privateDomain(zone)}`;
}

/** URL of a region's tasks for the other regions, with `{region}` in the region's place. */
export function peerUrlTemplate(zone: ZoneName): string {
  return `https://{region}.${privateDomain(zone)}:${PORTS.peers}`;
}

export const PORTS = {
  /** Of the accelerator and the load balancer, for everybody. */
  public: 443,
  /** Of the load balancer, for the accelerator's direct listeners. */
  direct: 8443,
  /** Of the load balancer, for the other regions' tasks. */
  peers: 8444,
  /** Of a task. */
  service: 8080,
  postgres: 5432,
  valkey: 6379,
  /** Of the same cache: reads in the caller's availability zone. */
  valkeyReads: 6380,
  https: 443,
} as const;

/** Port of the accelerator that leads to this region alone. The same in every zone, whatever other regions there are. */
export function directPort(region: AwsRegion): number {
  return 10_000 + REGION_NUMBERS[region];
}

export const DATABASE = {
  name: 'keyhearth',
  masterUser: 'keyhearth_master',
  /** The role that tasks connect as, by IAM. Made by the migrator. */
  appUser: 'keyhearth_app',
} as const;

/** Where residency policies are written, below the CDK's output folder. */
export const RESIDENCY_FOLDER = 'residency';
