import type { PolicyStatement, ZonePolicyInput } from './policy-types.ts';

/**
 * Copies, shares and links that could leave the zone though they are called inside it, with what each would do. The list is closed: calls
 * that a zone's own stacks make (`firehose:CreateDeliveryStream`, `s3:PutBucketPolicy`, `kms:PutKeyPolicy`) can't be on it.
 */
const NEVER: Readonly<Record<string, string>> = {
  'backup:CopyFromBackupVault': 'copies backups to other regions and accounts',
  'cloudwatch:PutMetricStream': 'sends metrics to streams, which may lead to any web address',
  'dynamodb:CreateGlobalTable': 'replicates tables to other regions',
  'dynamodb:CreateTableReplica': 'replicates tables to other regions',
  'ec2:CreateClientVpnEndpoint': 'connects the network with any computer',
  'ec2:CreateVpcEndpointServiceConfiguration': 'offers services of the network to other accounts',
  'ec2:CreateVpnConnection': 'connects the network with any other',
  'ec2:ModifyImageAttribute': 'shares images with other accounts',
  'ec2:ModifySnapshotAttribute': 'shares snapshots of disks with other accounts',
  'ec2:CreateTransitGateway*': 'connects networks with those of other regions and accounts',
  'ecr:PutReplicationConfiguration': 'copies images to other regions and accounts',
  'elasticache:CreateGlobalReplicationGroup': 'replicates caches to other regions',
  'events:CreateApiDestination': 'sends events to any web address',
  'events:CreateConnection': 'keeps the credentials for a web address',
  'events:CreateEndpoint': 'spreads events over regions',
  'logs:CreateExportTask': 'writes logs to buckets, also of other accounts',
  'logs:PutDestination*': 'lets other accounts and regions send and receive logs',
  'oam:CreateLink': 'shows logs and metrics to another account',
  'organizations:LeaveOrganization': 'leaves this very policy behind',
  'ram:AssociateResourceShare': 'shares resources with other accounts',
  'ram:CreateResourceShare': 'shares resources with other accounts',
  'rds:CreateIntegration': 'copies databases to warehouses, also of other accounts',
  'rds:ModifyDBClusterSnapshotAttribute': 'shares snapshots of databases with other accounts',
  'rds:ModifyDBSnapshotAttribute': 'shares snapshots of databases with other accounts',
  'rds:StartExportTask': 'writes databases to buckets, also of other accounts',
  'route53:CreateQueryLoggingConfig': 'logs who asked for a name, in us-east-1',
  's3:CreateMultiRegionAccessPoint': 'spreads objects over regions',
  's3:PutReplicationConfiguration': 'replicates buckets to any region and account',
  'secretsmanager:PutResourcePolicy': 'shows secrets to other accounts',
};

/** Logins rather than calls: that they carry a region isn't documented. */
export const LOGIN_ACTIONS: readonly string[] = ['elasticache:Connect', 'rds-db:connect'];

/**
 * What is denied although it is called in a region of the zone. Calls to other regions need no statement of their own: a copy between
 * regions is asked for in the region that it goes to.
 */
export function denials({ account, regions }: ZonePolicyInput): readonly PolicyStatement[] {
  const inside = regions.map((region) => `arn:aws:*:${region}:${account}:*`);
  // Where nothing can be made outside of the zone's regions, the account is enough to ask for: policies have few characters.
  const ofAccount = `arn:aws:*:*:${account}:*`;
  return [
    { Sid: 'NoCopies', Effect: 'Deny', Action: Object.keys(NEVER), Resource: '*' },
    {
      Sid: 'KeyReplicasInside',
      Effect: 'Deny',
      Action: 'kms:ReplicateKey',
      Resource: '*',
      Condition: { StringNotEquals: { 'kms:ReplicaRegion': regions } },
    },
    {
      Sid: 'SecretReplicasInside',
      Effect: 'Deny',
      Action: ['secretsmanager:CreateSecret', 'secretsmanager:ReplicateSecretToRegions'],
      Resource: '*',
      // Without replicas there is no value, and nothing is denied.
      Condition: { 'ForAnyValue:StringNotEquals': { 'secretsmanager:AddReplicaRegions': regions } },
    },
    {
      Sid: 'LogsStayInAccount',
      Effect: 'Deny',
      Action: 'logs:PutSubscriptionFilter',
      // This kind of target alone can be in another account or region.
      Resource: 'arn:aws:logs:*:*:destination:*',
    },
    {
      Sid: 'EventTargetsInside',
      Effect: 'Deny',
      Action: 'events:PutTargets',
      Resource: '*',
      Condition: { 'ForAnyValue:ArnNotLike': { 'events:TargetArn': inside } },
    },
    {
      Sid: 'SubscribersInside',
      Effect: 'Deny',
      Action: 'sns:Subscribe',
      Resource: '*',
      Condition: {
        StringNotEquals: { 'sns:Protocol': 'email' },
        StringNotLike: { 'sns:Endpoint': ofAccount },
      },
    },
    {
      Sid: 'PeersInside',
      Effect: 'Deny',
      Action: 'ec2:CreateVpcPeeringConnection',
      Resource: 'arn:aws:ec2:*:*:vpc-peering-connection/*',
      Condition: { ArnNotLike: { 'ec2:AccepterVpc': inside } },
    },
    {
      Sid: 'PeeredByInside',
      Effect: 'Deny',
      Action: 'ec2:AcceptVpcPeeringConnection',
      Resource: 'arn:aws:ec2:*:*:vpc-peering-connection/*',
      Condition: { ArnNotLike: { 'ec2:RequesterVpc': ofAccount } },
    },
  ];
}

/** Those denials that are about these services: what isn't allowed needs none, and policies have few characters. */
export function denialsAmong(
  services: readonly string[],
  statements: readonly PolicyStatement[],
): readonly PolicyStatement[] {
  return statements.flatMap((statement) => {
    const actions = [statement.Action ?? []]
      .flat()
      .filter((action) => services.some((service) => action.startsWith(`${service}:`)));
    return actions.length === 0 ? [] : [{ ...statement, Action: actions }];
  });
}
