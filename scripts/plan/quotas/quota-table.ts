/** A limit that AWS sets an account. */
export interface Quota {
  /** Ours. */
  readonly id: string;
  readonly name: string;
  /** Codes of the Service Quotas API; `code` is null where none is known, and the default is all there is to compare with. */
  readonly service: string;
  readonly code: string | null;
  readonly value: number;
  /** Whether AWS raises it on request. */
  readonly adjustable: boolean;
  /** `account`: for all regions together. `each`: for each thing of its kind, so that what else is in the account doesn't count. */
  readonly scope: 'account' | 'region' | 'each';
  /** New accounts are known to meet it, or to start below it. */
  readonly meetsNewAccounts: boolean;
  readonly source: string;
  readonly note: string | null;
}

type Entry = Omit<Quota, 'id' | 'adjustable' | 'meetsNewAccounts' | 'note'> & Partial<Quota>;

const VPC = 'https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html';
const RDS = 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/CHAP_Limits.html';
const ELB = 'https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html';
const ACCELERATOR = 'https://docs.aws.amazon.com/global-accelerator/latest/dg/limits-global-accelerator.html';
const IAM = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html';
const STACKS = 'https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html';

/**
 * What a zone needs most of, and what an account has of it unless AWS has changed that: as of November 2026. Who knows better values for
 * an account gets them from AWS when the plan is made with credentials.
 */
const ENTRIES = {
  fargateVcpus: {
    name: 'Fargate On-Demand vCPUs',
    service: 'fargate',
    code: 'L-3032A538',
    value: 6,
    scope: 'region',
    meetsNewAccounts: true,
    source: 'https://docs.aws.amazon.com/general/latest/gr/ecs-service.html',
    note: 'at maxTasks; a deployment runs new tasks beside the old ones, up to twice as many',
  },
  vpcs: {
    name: 'VPCs',
    service: 'vpc',
    code: 'L-F678F1CE',
    value: 5,
    scope: 'region',
    source: VPC,
    note: 'the default VPC counts',
  },
  internetGateways: {
    name: 'Internet gateways',
    service: 'vpc',
    code: 'L-A4707A72',
    value: 5,
    scope: 'region',
    source: VPC,
    note: 'the default VPC’s counts',
  },
  elasticIps: {
    name: 'Elastic IP addresses',
    service: 'ec2',
    code: 'L-0263D0A3',
    value: 5,
    scope: 'region',
    source: VPC,
  },
  natGateways: {
    name: 'NAT gateways in an availability zone',
    service: 'vpc',
    code: 'L-FE5A380F',
    value: 5,
    scope: 'region',
    source: VPC,
  },
  securityGroups: {
    name: 'Security groups',
    service: 'vpc',
    code: 'L-E79EC296',
    value: 2_500,
    scope: 'region',
    source: VPC,
  },
  securityGroupRules: {
    name: 'Rules of a security group, each way',
    service: 'vpc',
    code: 'L-0EA8095F',
    value: 60,
    scope: 'each',
    source: VPC,
  },
  interfaceEndpoints: {
    name: 'Interface endpoints of a VPC',
    service: 'vpc',
    code: 'L-29B6F2EB',
    value: 50,
    scope: 'each',
    source: VPC,
  },
  gatewayEndpoints: {
    name: 'Gateway endpoints',
    service: 'vpc',
    code: 'L-1B52E74A',
    value: 20,
    scope: 'region',
    source: VPC,
  },
  peerings: {
    name: 'Peering connections of a VPC',
    service: 'vpc',
    code: 'L-7E9ECCDB',
    value: 50,
    scope: 'each',
    source: VPC,
  },
  subnets: {
    name: 'Subnets of a VPC',
    service: 'vpc',
    code: 'L-407747CB',
    value: 200,
    scope: 'each',
    source: VPC,
  },
  databaseClusters: {
    name: 'Database clusters',
    service: 'rds',
    code: 'L-952B80B8',
    value: 40,
    scope: 'region',
    source: RDS,
  },
  databaseInstances: {
    name: 'Database instances',
    service: 'rds',
    code: 'L-7B6409FD',
    value: 40,
    scope: 'region',
    source: RDS,
    note: '20 in ap-south-1',
  },
  clusterParameterGroups: {
    name: 'Cluster parameter groups',
    service: 'rds',
    code: 'L-E4C808A8',
    value: 50,
    scope: 'region',
    source: RDS,
  },
  serverlessCaches: {
    name: 'Serverless caches',
    service: 'elasticache',
    code: 'L-BBCDAECC',
    value: 40,
    scope: 'region',
    source: 'https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/quota-limits.html',
  },
  loadBalancers: {
    name: 'Application Load Balancers',
    service: 'elasticloadbalancing',
    code: 'L-53DA6B97',
    value: 50,
    scope: 'region',
    source: ELB,
  },
  targetGroups: {
    name: 'Target groups',
    service: 'elasticloadbalancing',
    code: 'L-B22855CB',
    value: 3_000,
    scope: 'region',
    source: ELB,
  },
  accelerators: {
    name: 'Accelerators',
    service: 'globalaccelerator',
    code: null,
    value: 20,
    scope: 'account',
    source: ACCELERATOR,
  },
  acceleratorListeners: {
    name: 'Listeners of an accelerator',
    service: 'globalaccelerator',
    code: null,
    value: 10,
    scope: 'each',
    source: ACCELERATOR,
    note: 'one for all regions, one for each',
  },
  endpointGroups: {
    name: 'Endpoint groups of an accelerator',
    service: 'globalaccelerator',
    code: null,
    value: 42,
    adjustable: false,
    scope: 'each',
    source: ACCELERATOR,
  },
  roles: {
    name: 'IAM roles',
    service: 'iam',
    code: 'L-FE177D64',
    value: 1_000,
    scope: 'account',
    source: IAM,
  },
  policies: {
    name: 'IAM customer managed policies',
    service: 'iam',
    code: 'L-E95E4862',
    value: 1_500,
    scope: 'account',
    source: IAM,
  },
  keys: {
    name: 'KMS keys',
    service: 'kms',
    code: 'L-C2F1777E',
    value: 100_000,
    scope: 'region',
    source: 'https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html',
  },
  buckets: {
    name: 'S3 buckets',
    service: 's3',
    code: 'L-DC2B2D3D',
    value: 10_000,
    scope: 'account',
    source: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html',
  },
  alarms: {
    name: 'CloudWatch alarms',
    service: 'monitoring',
    code: null,
    value: 5_000,
    scope: 'region',
    source: 'https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html',
  },
  logGroups: {
    name: 'Log groups',
    service: 'logs',
    code: null,
    value: 1_000_000,
    scope: 'region',
    source: 'https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html',
  },
  stacks: {
    name: 'CloudFormation stacks',
    service: 'cloudformation',
    code: 'L-0485CB21',
    value: 2_000,
    scope: 'region',
    source: STACKS,
  },
  stackResources: {
    name: 'Resources of a stack',
    service: 'cloudformation',
    code: null,
    value: 500,
    adjustable: false,
    scope: 'each',
    source: STACKS,
  },
} as const satisfies Readonly<Record<string, Entry>>;

export type QuotaId = keyof typeof ENTRIES;

const DEFAULTS = { adjustable: true, meetsNewAccounts: false, note: null };

export const QUOTAS: readonly (Quota & { readonly id: QuotaId })[] = Object.entries(ENTRIES).map(
  // The table's own keys.
  ([id, entry]) => ({ ...DEFAULTS, ...entry, id: id as QuotaId }),
);
