import type { ZoneDeployment } from '../../topology/deployment.ts';
import { boundaryName } from '../names.ts';
import { denials, LOGIN_ACTIONS } from './denials.ts';
import type { PolicyDocument, PolicyStatement, ZonePolicyInput } from './policy-types.ts';

/** Characters of a policy without whitespace that AWS takes. Source: the quotas of AWS Organizations and of IAM. */
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

/** Services that deploying and running a zone takes. */
const SERVICES: readonly string[] = [
  'acm',
  'application-autoscaling',
  'cloudformation',
  'cloudwatch',
  'ec2',
  'ecr',
  'ecs',
  'elasticache',
  'elasticloadbalancing',
  'events',
  'firehose',
  'kms',
  'logs',
  'rds',
  's3',
  'secretsmanager',
  'sns',
  'ssm',
  'wafv2',
];

function inputOf({ account, regions }: ZoneDeployment): ZonePolicyInput {
  return { account, regions: regions.map(({ region }) => region) };
}

/**
 * For the organisation's administrators to put on the zone's account, beside a policy that allows everything. Nobody in the account can
 * then reach past the zone's regions, whatever their own policies say. It doesn't bind the organisation's management account, and not
 * the roles that AWS's services have for themselves.
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
    ...denials(input),
  ]);
}

/**
 * For administrators to put on the people and pipelines that work on a zone where its account has other tenants, or no organisation.
 * It allows what deploying and running a zone takes, in its regions, and keeps its bearers from making a role without a boundary.
 */
export function permissionBoundary(zone: ZoneDeployment): PolicyDocument {
  const input = inputOf(zone);
  const { account, regions } = input;
  // One for each region, whose name is its end.
  const boundaries = `arn:aws:iam::${account}:policy/${boundaryName(zone, zone.origin).replace(zone.origin, '*')}`;
  return sized('permission boundary', zone, MAX_CHARACTERS.permissionBoundary, [
    {
      Sid: 'RegionsOfZone',
      Effect: 'Allow',
      Action: SERVICES.map((service) => `${service}:*`),
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestedRegion': regions } },
    },
    { Sid: 'GlobalServices', Effect: 'Allow', Action: Object.keys(GLOBAL_ACTIONS), Resource: '*' },
    { Sid: 'Inventory', Effect: 'Allow', Action: INVENTORY_ACTIONS, Resource: '*' },
    {
      Sid: 'AcceleratorAtHome',
      Effect: 'Allow',
      Action: ACCELERATOR_ACTIONS,
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestedRegion': ACCELERATOR_REGION } },
    },
    {
      Sid: 'Logins',
      Effect: 'Allow',
      Action: LOGIN_ACTIONS,
      Resource: ['rds-db', 'elasticache'].map((service) => `arn:aws:${service}:*:${account}:*`),
    },
    {
      Sid: 'OnlyBoundedRoles',
      Effect: 'Deny',
      Action: [
        'iam:CreateRole',
        'iam:CreateUser',
        'iam:PutRolePermissionsBoundary',
        'iam:PutUserPermissionsBoundary',
      ],
      Resource: '*',
      Condition: { StringNotLike: { 'iam:PermissionsBoundary': boundaries } },
    },
    {
      Sid: 'BoundariesStay',
      Effect: 'Deny',
      Action: ['iam:DeleteRolePermissionsBoundary', 'iam:DeleteUserPermissionsBoundary'],
      Resource: '*',
    },
    ...denials(input),
  ]);
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
    allow('Keys', ['kms:Decrypt', 'kms:GenerateDataKey'], 'kms:key/*'),
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

/** Throws where AWS would refuse the policy for its length. */
function sized(
  kind: string,
  { environment, name }: ZoneDeployment,
  max: number,
  statements: readonly PolicyStatement[],
): PolicyDocument {
  const document: PolicyDocument = { Version: '2012-10-17', Statement: statements };
  const { length } = JSON.stringify(document);
  if (length > max) {
    throw new Error(
      `zone ${environment}/${name}: its ${kind} has ${length} characters of ${max} that AWS takes; make a zone of fewer regions`,
    );
  }
  return document;
}
