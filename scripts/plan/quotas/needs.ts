import type { ZoneDeployment } from '../../../topology/deployment.ts';
import type { WantedStack } from '../compare-zone.ts';
import { Inventory, type Placed } from './inventory.ts';
import { type Quota, type QuotaId, QUOTAS } from './quota-table.ts';

/** How much of a quota the description needs in one place. */
export interface Need {
  readonly quota: Quota;
  readonly account: string;
  /** Null for a quota of the whole account. */
  readonly region: string | null;
  readonly need: number;
}

type Count = (inventory: Inventory, zones: readonly ZoneDeployment[], region: string) => number;

const count =
  (...types: readonly string[]): Count =>
  (inventory) =>
    inventory.count(...types);

/** Of resources of a type, what a property of theirs names. */
const by =
  (type: string, ...properties: readonly string[]): ((resource: Placed) => readonly unknown[]) =>
  (resource) =>
    resource.type === type
      ? properties.flatMap((name) => (name in resource.properties ? [resource.properties[name]] : []))
      : [];

const most =
  (ownersOf: (resource: Placed) => readonly unknown[]): Count =>
  (inventory) =>
    inventory.most(ownersOf);

const ofEndpoint = (kind: string): ((resource: Placed) => boolean) => {
  // What a template doesn't say is a gateway.
  return ({ type, properties }) =>
    type === 'AWS::EC2::VPCEndpoint' && (properties['VpcEndpointType'] ?? 'Gateway') === kind;
};

const COUNTS: Readonly<Record<QuotaId, Count>> = {
  fargateVcpus: (_, zones, region) => vcpus(zones, region),
  vpcs: count('AWS::EC2::VPC'),
  internetGateways: count('AWS::EC2::InternetGateway'),
  elasticIps: count('AWS::EC2::EIP'),
  // A subnet is in one availability zone, and has one NAT gateway of ours at most.
  natGateways: most(by('AWS::EC2::NatGateway', 'SubnetId')),
  securityGroups: count('AWS::EC2::SecurityGroup'),
  securityGroupRules: (inventory) => Math.max(rules(inventory, 'Ingress'), rules(inventory, 'Egress')),
  interfaceEndpoints: most((one) => (ofEndpoint('Interface')(one) ? [one.properties['VpcId']] : [])),
  gatewayEndpoints: ({ resources }) => resources.filter(ofEndpoint('Gateway')).length,
  peerings: most(by('AWS::EC2::VPCPeeringConnection', 'VpcId', 'PeerVpcId')),
  subnets: most(by('AWS::EC2::Subnet', 'VpcId')),
  databaseClusters: count('AWS::RDS::DBCluster'),
  databaseInstances: count('AWS::RDS::DBInstance'),
  clusterParameterGroups: count('AWS::RDS::DBClusterParameterGroup'),
  serverlessCaches: count('AWS::ElastiCache::ServerlessCache'),
  loadBalancers: count('AWS::ElasticLoadBalancingV2::LoadBalancer'),
  targetGroups: count('AWS::ElasticLoadBalancingV2::TargetGroup'),
  accelerators: count('AWS::GlobalAccelerator::Accelerator'),
  acceleratorListeners: most(by('AWS::GlobalAccelerator::Listener', 'AcceleratorArn')),
  // Of a zone's one accelerator: they are in one stack with it.
  endpointGroups: most(({ type, stack }) =>
    type === 'AWS::GlobalAccelerator::EndpointGroup' ? [stack] : [],
  ),
  roles: count('AWS::IAM::Role'),
  policies: count('AWS::IAM::ManagedPolicy'),
  keys: count('AWS::KMS::Key', 'AWS::KMS::ReplicaKey'),
  buckets: count('AWS::S3::Bucket'),
  alarms: count('AWS::CloudWatch::Alarm'),
  logGroups: count('AWS::Logs::LogGroup'),
  stacks: ({ stacks }) => stacks.length,
  stackResources: most(({ stack }) => [stack]),
};

/**
 * What zones need of every quota, in each account and region. The templates' parameters count by their defaults.
 *
 * @param zones all that share the accounts, whether they are planned or not
 */
export function needsOf(zones: readonly ZoneDeployment[], stacks: readonly WantedStack[]): readonly Need[] {
  return [...new Set(stacks.map(({ account }) => account))].flatMap((account) => {
    const ofAccount = stacks.filter((stack) => stack.account === account);
    const ownZones = zones.filter((zone) => zone.account === account);
    const regions = [...new Set(ofAccount.map(({ region }) => region))];
    const inRegion = new Map(
      regions.map((region) => [region, new Inventory(ofAccount.filter((one) => one.region === region))]),
    );
    // A connection between two regions' VPCs belongs to both, and what names them is in the stacks of both.
    const whole = new Inventory(ofAccount);
    return QUOTAS.flatMap((quota): Need[] => {
      const needOf = (inventory: Inventory, region: string): number =>
        COUNTS[quota.id](inventory, ownZones, region);
      if (quota.scope === 'account' || quota.id === 'peerings')
        return [{ quota, account, region: null, need: needOf(whole, '') }];
      return [...inRegion].map(([region, inventory]) => ({
        quota,
        account,
        region,
        need: needOf(inventory, region),
      }));
    }).filter(({ need }) => need > 0);
  });
}

/** Fargate vCPUs with as many tasks as there may be. */
function vcpus(zones: readonly ZoneDeployment[], region: string): number {
  const sizes = zones.flatMap((zone) => zone.regions.filter((one) => one.region === region));
  return sizes.reduce((sum, { size }) => sum + size.maxTasks * size.taskVcpu, 0);
}

/** The most of one direction: those that stand alone, and those that a group brings. */
function rules(inventory: Inventory, direction: 'Ingress' | 'Egress'): number {
  const groups = inventory.resources.filter(({ type }) => type === 'AWS::EC2::SecurityGroup');
  const inline = groups.map(({ properties }) => {
    const own = properties[`SecurityGroup${direction}`];
    return Array.isArray(own) ? own.length : 0;
  });
  const alone = inventory.most(by(`AWS::EC2::SecurityGroup${direction}`, 'GroupId'));
  // Which group the most of both belong to isn't asked: an upper bound does.
  return alone + Math.max(0, ...inline);
}
