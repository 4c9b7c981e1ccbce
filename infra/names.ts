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
  return text.length <= max ? text : marked(text, text, max);
}

/** As RDS and ElastiCache want it: no two hyphens in a row and none at the end, at most `max`; what had to change carries the digest. */
function identifier(text: string, max: number): string {
  const allowed = text.replace(/-{2,}/g, '-').replace(/-$/, '');
  return allowed === text ? bounded(text, max) : marked(allowed, text, max);
}

function marked(start: string, whole: string, max: number): string {
  const digest = createHash('sha256').update(whole).digest('hex').slice(0, 6);
  return `${start.slice(0, max - 7).replace(/-+$/, '')}-${digest}`;
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
    clusterEndpoint: 'ClusterEndpoint',
    /** Of the origin, like the next. */
    globalWriterEndpoint: 'GlobalWriterEndpoint',
    globalMembership: 'GlobalMembershipNow',
    eventBucket: 'EventBucket',
    eventStream: 'EventStream',
  },
  service: {
    clusterName: 'EcsClusterName',
    serviceName: 'EcsServiceName',
    taskDefinitionArn: 'TaskDefinitionArn',
    loadBalancerArn: 'LoadBalancerArn',
    oneOffTaskDefinitionArn: 'OneOffTaskDefinitionArn',
    /** As `aws ecs run-task --network-configuration` takes it. */
    oneOffNetwork: 'OneOffNetwork',
    oneOffLogGroup: 'OneOffLogGroup',
  },
  edge: {
    acceleratorArn: 'AcceleratorArn',
    acceleratorDnsName: 'AcceleratorDnsName',
    dashboardName: 'DashboardName',
  },
} as const;

/** Name of the edge stack's parameter that holds a region's weight, e.g. `WeightEuWest3`. */
export function weightParameter(region: AwsRegion): string {
  const words = region.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `Weight${words.join('')}`;
}

/** Identifier of the zone's global database cluster: literal, for it must outlive every change of who is home. RDS allows 63. */
export function globalClusterIdentifier(zone: ZoneName): string {
  return identifier(zonePrefix(zone), 63);
}

/**
 * Identifier of a region's database cluster: literal, so that CloudFormation can't make another cluster in its place, and so that its
 * log group is known before it writes to it. RDS allows 63.
 */
export function clusterIdentifier(zone: ZoneName, region: AwsRegion): string {
  return identifier(`${zonePrefix(zone)}-${region}`, 63);
}

/**
 * Identifier of a region's database instance, from 1 on: literal, so that its endpoint is the same for ever and CloudFormation can't make
 * another instance in its place. RDS allows 63.
 */
export function instanceIdentifier(zone: ZoneName, region: AwsRegion, number: number): string {
  return identifier(`${zonePrefix(zone)}-${region}-${number}`, 63);
}

/** Where RDS writes the log of a region's database. */
export function databaseLogGroupName(zone: ZoneName, region: AwsRegion): string {
  return `/aws/rds/cluster/${clusterIdentifier(zone, region)}/postgresql`;
}

/** Names of a region's cache. ElastiCache allows 40 characters; they are a region's own, so they needn't say which. */
export const cacheNames = {
  cache: (zone: ZoneName) => identifier(zonePrefix(zone), 40),
  /** Id and name of the user that tasks are, for ElastiCache wants both the same where IAM authenticates. */
  user: (zone: ZoneName) => identifier(`${zonePrefix(zone)}-tasks`, 40),
  userGroup: (zone: ZoneName) => identifier(`${zonePrefix(zone)}-users`, 40),
} as const;

/** Name of the zone's accelerator. Global Accelerator allows 64 characters. */
export function acceleratorName(zone: ZoneName): string {
  return bounded(zonePrefix(zone), 64);
}

export const secretNames = {
  /** JSON with `username` and `password` of the database's master user. */
  master: (zone: ZoneName) => `${PREFIX}/${zone.environment}/${zone.name}/database-master`,
  /** What regions sign their calls to each other with. */
  peers: (zone: ZoneName) => `${PREFIX}/${zone.environment}/${zone.name}/peers`,
} as const;

/**
 * IAM managed policy that bounds every role of a region's stacks. IAM allows 128 characters; at most 64 are taken, for the zone's own
 * boundary lists those of all regions in the 6,144 that it has.
 */
export function boundaryName(zone: ZoneName, region: AwsRegion): string {
  return `${bounded(zonePrefix(zone), 40)}-boundary-${region}`;
}

/**
 * IAM managed policy under which administrators install a zone's permission boundary for people and pipelines: the document allows roles
 * that are bounded by a policy of this name. At most 49 characters.
 */
export function zoneBoundaryName(zone: ZoneName): string {
  return `${bounded(zonePrefix(zone), 40)}-boundary`;
}

/** Name of an alarm of a region. CloudWatch allows 255 characters. */
export function alarmName(zone: ZoneName, region: AwsRegion, id: string): string {
  return `${zonePrefix(zone)}-${region}-${id}`;
}

/** Name of the zone's dashboard: letters, digits, `-` and `_`, at most 255. */
export function dashboardName(zone: ZoneName): string {
  return zonePrefix(zone);
}

/** Private DNS zone of a zone; seen in its networks only. A label of DNS has 63 characters at most. */
export function privateDomain({ environment, name }: ZoneName): string {
  return `${bounded(`${environment}-${name}`, 63)}.${PREFIX}.internal`;
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
