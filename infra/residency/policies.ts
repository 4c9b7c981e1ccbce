import type { ZoneDeployment } from '../../topology/deployment.ts';
import { bearerStatements, LIMITED } from './bearers.ts';
import { denials, denialsAmong, LOGIN_ACTIONS } from './denials.ts';
import { textOf, type PolicyDocument, type PolicyStatement, type ZonePolicyInput } from './policy-types.ts';

/** Characters of a policy that AWS takes; Organizations counts blanks too. Source: the quotas of AWS Organizations and of IAM. */
export const MAX_CHARACTERS = { serviceControlPolicy: 5120, permissionBoundary: 6144 } as const;

/** The region in which Global Accelerator's interface and its metrics are, whatever regions it leads to. */
const ACCELERATOR_REGION = 'us-west-2';

/** Services without regions: their calls carry us-east-1 or none. Each with why a zone's account needs it. */
const GLOBAL_ACTIONS: Readonly<Record<string, string>> = {
  'account:Get*': 'which regions the account has enabled',
  'account:List*': 'which regions the account has enabled',
  'budgets:*': "the zone's budget",
  'ce:Get*': 'what the zone costs',
  'health:*': 'what AWS reports of its own failures',
  'iam:*': 'roles of the stacks',
  'organizations:Describe*': 'which policies hold for the account',
  'organizations:List*': 'which policies hold for the account',
  'route53:*': "the zone's hostname, certificates' proofs, private names",
  'sts:*': 'credentials; the console and older tools ask for them in us-east-1',
  'support:*': 'cases with AWS',
};

/** What is asked of every region to prove that there is nothing: names and numbers, no contents. */
const INVENTORY_ACTIONS: readonly string[] = [
  'cloudformation:ListStacks',
  'ec2:DescribeRegions',
  'ec2:DescribeSnapshots',
  'ec2:DescribeVpcs',
  'kms:ListKeys',
  'logs:DescribeLogGroups',
  'rds:DescribeDBClusterSnapshots',
  'rds:DescribeDBClusters',
  's3:GetBucketLocation',
  's3:ListAllMyBuckets',
  'secretsmanager:ListSecrets',
  'tag:GetResources',
];

/** Allowed in the accelerator's region as well: itself, and reading its metrics. */
const ACCELERATOR_ACTIONS: readonly string[] = [
  'cloudwatch:GetMetricData',
  'cloudwatch:ListMetrics',
  'globalaccelerator:*',
];

/** Services that deploying and running a zone takes, besides CloudFormation and IAM. */
const SERVICES: readonly string[] = [
  'acm',
  'application-autoscaling',
  'cloudwatch',
  'ec2',
  'ecr',
  'ecs',
  'elasticache',
  'elasticloadbalancing',
  'firehose',
  'kms',
  'logs',
  'rds',
  's3',
  'secretsmanager',
  'sns',
  'wafv2',
];

/** What bearers of the boundary are allowed of CloudFormation's stacks, whosever they are, and of the CDK's parameter with its version. */
const READS: readonly string[] = [
  'cloudformation:Describe*',
  'cloudformation:Get*',
  'cloudformation:List*',
  'cloudformation:ValidateTemplate',
  'ssm:GetParameter*',
];

/**
 * For the organisation's administrators to put on the zone's account, beside a policy that allows everything. Nobody in the account can
 * then call AWS in another region than the zone's, whatever their own policies say, nor do what `denials` lists. It doesn't bind the
 * organisation's management account, and not the roles that AWS's services have for themselves. Throws where AWS would refuse it for its
 * length.
 */
export function serviceControlPolicy(zone: ZoneDeployment): PolicyDocument {
  const input = inputOf(zone);
  const { regions } = input;
  return sized('service control policy', zone, MAX_CHARACTERS.serviceControlPolicy, [
    {
      Sid: 'RegionsOfZone',
      Effect: 'Deny',
      NotAction: [
        ...Object.keys(GLOBAL_ACTIONS),
        ...INVENTORY_ACTIONS,
        ...ACCELERATOR_ACTIONS,
        ...LOGIN_ACTIONS,
      ],
      Resource: '*',
      Condition: { StringNotEquals: { 'aws:RequestedRegion': regions } },
    },
    {
      Sid: 'AcceleratorAtHome',
      Effect: 'Deny',
      Action: ACCELERATOR_ACTIONS,
      Resource: '*',
      Condition: {
        StringNotEquals: { 'aws:RequestedRegion': [...new Set([...regions, ACCELERATOR_REGION])] },
      },
    },
    {
      Sid: 'LoginsInside',
      Effect: 'Deny',
      Action: LOGIN_ACTIONS,
      Resource: '*',
      Condition: {
        Null: { 'aws:RequestedRegion': 'false' },
        StringNotEquals: { 'aws:RequestedRegion': regions },
      },
    },
    ...denials(input),
  ]);
}

/**
 * For administrators to install as a managed policy of the name `zoneBoundaryName`, and to put on the roles of people and pipelines that
 * work on a zone where its account has other tenants, or no organisation. It allows what deploying and running a zone takes, in its
 * regions, and denies those copies, shares and links that would be allowed so. Throws where AWS would refuse it for its length.
 */
export function permissionBoundary(zone: ZoneDeployment): PolicyDocument {
  const input = inputOf(zone);
  const global = Object.keys(GLOBAL_ACTIONS).filter((action) => !LIMITED.includes(action));
  return sized('permission boundary', zone, MAX_CHARACTERS.permissionBoundary, [
    {
      Sid: 'RegionsOfZone',
      Effect: 'Allow',
      Action: [...SERVICES.map((service) => `${service}:*`), ...READS],
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestedRegion': input.regions } },
    },
    { Sid: 'Everywhere', Effect: 'Allow', Action: [...global, ...INVENTORY_ACTIONS], Resource: '*' },
    {
      Sid: 'AcceleratorAtHome',
      Effect: 'Allow',
      Action: ACCELERATOR_ACTIONS,
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestedRegion': ACCELERATOR_REGION } },
    },
    ...bearerStatements(zone),
    ...denialsAmong([...SERVICES, 'route53'], denials(input)),
  ]);
}

function inputOf({ account, regions }: ZoneDeployment): ZonePolicyInput {
  return { account, regions: regions.map(({ region }) => region) };
}

/**
 * What the roles of one region's stacks can ever need: their own region's database, cache, events, secrets, image and log. Depends on
 * that region alone, so that another one of the zone changes nothing here.
 */
export function boundaryStatements(
  zone: Pick<ZoneDeployment, 'account'>,
  region: string,
): readonly PolicyStatement[] {
  const { account } = zone;
  const allow = (Sid: string, Action: readonly string[], resource: string): PolicyStatement => {
    const [service] = resource.split(':');
    return {
      Sid,
      Effect: 'Allow',
      Action,
      Resource: `arn:aws:${service}:${region}:${account}:${resource.slice(`${service}:`.length)}`,
    };
  };
  return [
    allow('Database', ['rds-db:connect'], 'rds-db:dbuser:*'),
    allow('Cache', ['elasticache:Connect'], 'elasticache:*'),
    allow('Events', ['firehose:PutRecordBatch'], 'firehose:deliverystream/*'),
    allow('Keys', ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey'], 'kms:key/*'),
    allow(
      'Logs',
      ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
      'logs:log-group:*',
    ),
    allow(
      'Secrets',
      ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
      'secretsmanager:secret:*',
    ),
    allow(
      'Image',
      ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
      'ecr:repository/*',
    ),
    {
      Sid: 'Registry',
      Effect: 'Allow',
      Action: 'ecr:GetAuthorizationToken',
      // IAM knows no resource for it.
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestedRegion': region } },
    },
    {
      Sid: 'Buckets',
      Effect: 'Allow',
      Action: [
        's3:AbortMultipartUpload',
        's3:GetBucketLocation',
        's3:GetObject',
        's3:ListBucket',
        's3:ListBucketMultipartUploads',
        's3:PutObject',
      ],
      // A bucket's ARN says neither account nor region.
      Resource: 'arn:aws:s3:::*',
      Condition: { StringEquals: { 'aws:RequestedRegion': region, 'aws:ResourceAccount': account } },
    },
  ];
}

/** Throws where AWS would refuse the policy for its length, as it is written. */
function sized(
  kind: string,
  { environment, name }: ZoneDeployment,
  max: number,
  statements: readonly PolicyStatement[],
): PolicyDocument {
  const document: PolicyDocument = { Version: '2012-10-17', Statement: statements };
  const { length } = textOf(document);
  if (length > max) {
    throw new Error(
      `zone ${environment}/${name}: its ${kind} has ${length} characters of ${max} that AWS takes; make a zone of fewer regions`,
    );
  }
  return document;
}
