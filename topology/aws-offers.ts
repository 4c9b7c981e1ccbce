import type { AwsRegion } from './aws-regions.ts';

/**
 * Regions whose CloudFormation has no AWS::Budgets::Budget, which is deployed in a zone's origin. Source: CloudFormation's schemas by region,
 * as cfn-lint 1.58.0 has them.
 */
const WITHOUT_BUDGETS: ReadonlySet<string> = new Set<AwsRegion>([
  'af-south-1',
  'ap-east-1',
  'ap-east-2',
  'ap-northeast-3',
  'ap-south-2',
  'ap-southeast-3',
  'ap-southeast-4',
  'ap-southeast-5',
  'ap-southeast-6',
  'ap-southeast-7',
  'ca-west-1',
  'eu-central-2',
  'eu-north-1',
  'eu-south-1',
  'eu-south-2',
  'il-central-1',
  'me-central-1',
  'mx-central-1',
]);

/**
 * Regions in which Global Accelerator has no endpoint groups: they aren't in AWS's list of its regions.
 * Source: https://docs.aws.amazon.com/global-accelerator/latest/dg/preserve-client-ip-address.regions.html
 */
const WITHOUT_ENDPOINT_GROUPS: ReadonlySet<string> = new Set<AwsRegion>([
  'ap-east-2',
  'ap-southeast-6',
  'ap-southeast-7',
]);

/** Sizes that nearly every family has. */
const USUAL_SIZES = ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge'];

/**
 * Families of Aurora PostgreSQL's instance classes and their sizes in any region, without r4, which ended with PostgreSQL 12.
 * Sources: DB instance classes of the engine aurora-postgresql in cfn-lint 1.58.0; of the burstable ones those that
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.DBInstanceClass.Types.html has.
 */
export const INSTANCE_SIZES: ReadonlyMap<string, readonly string[]> = new Map([
  ['r5', [...USUAL_SIZES, '24xlarge']],
  ['r6g', USUAL_SIZES],
  ['r6gd', USUAL_SIZES.slice(1)],
  ['r6i', [...USUAL_SIZES, '24xlarge', '32xlarge']],
  ['r6id', ['24xlarge', '32xlarge']],
  ['r7g', USUAL_SIZES],
  ['r7i', [...USUAL_SIZES, '24xlarge', '48xlarge']],
  ['r8g', [...USUAL_SIZES, '24xlarge', '48xlarge']],
  ['r8gd', [...USUAL_SIZES.slice(1), '24xlarge', '48xlarge']],
  ['x2g', USUAL_SIZES],
  ['t3', ['medium', 'large']],
  ['t4g', ['medium', 'large']],
]);

/** Families that a region doesn't offer at all. Source: as above. Within a family a region has all sizes or nearly all; the rest AWS tells. */
const LACKING_FAMILIES: { readonly [R in AwsRegion]?: readonly string[] } = {
  'af-south-1': ['r6gd', 'r6id', 'r7i', 'r8g', 'x2g'],
  'ap-east-1': ['r6gd', 'r6id', 'r7i', 'x2g'],
  'ap-east-2': ['r5', 'r8g', 'r8gd', 'x2g'],
  'ap-northeast-1': ['x2g'],
  'ap-northeast-2': ['x2g'],
  'ap-northeast-3': ['r6gd', 'r6id', 'r8gd', 'x2g'],
  'ap-south-1': ['r8gd', 'x2g'],
  'ap-south-2': ['r6gd', 'r6id', 'r8gd', 'x2g'],
  'ap-southeast-1': ['r8gd', 'x2g'],
  'ap-southeast-2': ['x2g'],
  'ap-southeast-3': ['r6gd', 'r6id', 'x2g'],
  'ap-southeast-4': ['r6gd', 'r6id', 'r7g', 'r8gd', 'x2g'],
  'ap-southeast-5': ['r5', 'x2g'],
  'ap-southeast-6': ['r5', 'r8g', 'r8gd', 'x2g'],
  'ap-southeast-7': ['r5', 'r8g', 'r8gd', 'x2g'],
  'ca-central-1': ['r6id', 'x2g'],
  'ca-west-1': ['r6gd', 'r6i', 'r6id', 'r7i', 'r8g', 'x2g'],
  'eu-central-1': ['x2g'],
  'eu-central-2': ['r6gd', 'r6id', 'r7i', 'r8gd', 'x2g'],
  'eu-north-1': ['r6id', 'r8gd', 'x2g'],
  'eu-south-1': ['r6gd', 'r6id', 'r8g', 'r8gd', 'x2g'],
  'eu-south-2': ['r6gd', 'r6id'],
  'eu-west-2': ['x2g'],
  'eu-west-3': ['r6id', 'r8gd', 'x2g'],
  'il-central-1': ['r6g', 'r6gd', 'r6i', 'r6id', 'r7i', 'r8g', 'r8gd', 'x2g', 't4g'],
  'me-central-1': ['r6gd', 'r6id', 'r7i', 'r8g', 'r8gd', 'x2g'],
  'me-south-1': ['r6gd', 'r6id', 'r7i', 'r8g', 'r8gd', 'x2g'],
  'mx-central-1': ['r5', 'r8gd', 'x2g'],
  'sa-east-1': ['r6id', 'x2g'],
  'us-west-1': ['r6id', 'x2g'],
};

/** Whether CloudFormation can make a budget in the region. */
export function hasBudgets(region: AwsRegion): boolean {
  return !WITHOUT_BUDGETS.has(region);
}

/** Whether an accelerator can lead to the region. */
export function hasEndpointGroups(region: AwsRegion): boolean {
  return !WITHOUT_ENDPOINT_GROUPS.has(region);
}

/** Whether the region has database instances of a class such as `r8g.large`; `serverless` is everywhere. */
export function offersInstanceClass(region: AwsRegion, instanceClass: string): boolean {
  const [family = ''] = instanceClass.split('.');
  return !(LACKING_FAMILIES[region] ?? []).includes(family);
}
