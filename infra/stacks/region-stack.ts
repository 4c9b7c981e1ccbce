import { aws_iam as iam, Stack, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { RegionDeployment, ZoneDeployment } from '../../topology/deployment.ts';
import { boundaryName } from '../names.ts';

export interface RegionStackProps {
  readonly zone: ZoneDeployment;
  /** The region that the stack is deployed to. */
  readonly region: AwsRegion;
  readonly stackName: string;
  readonly description: string;
  /** Whether CloudFormation refuses to delete it. @default false */
  readonly holdsData?: boolean;
}

/**
 * A stack of a zone in one of its regions. Every role in it is bounded by the policy that the region's base makes. It is named by an
 * ARN put together from text: a reference would be an output of the base for each of its readers.
 */
export class RegionStack extends Stack {
  readonly zone: ZoneDeployment;
  /** The region's own choices. */
  readonly here: RegionDeployment;

  constructor(scope: Construct, props: RegionStackProps) {
    const { zone, region, stackName, description } = props;
    super(scope, stackName, {
      stackName,
      description,
      env: { account: zone.account, region },
      terminationProtection: props.holdsData === true && zone.deletionProtection,
    });
    const here = zone.regions.find((one) => one.region === region);
    if (here === undefined) throw new Error(`zone ${zone.name} has no region ${region}`);
    this.zone = zone;
    this.here = here;
    Tags.of(this).add('keyhearth:environment', zone.environment);
    Tags.of(this).add('keyhearth:zone', zone.name);
    const boundaryArn = `arn:aws:iam::${zone.account}:policy/${boundaryName(zone, region)}`;
    iam.PermissionsBoundary.of(this).apply(
      iam.ManagedPolicy.fromManagedPolicyArn(this, 'RegionBoundary', boundaryArn),
    );
  }

  /** Those of the topology: the CDK would ask AWS for them, and synthesis asks nobody. */
  override get availabilityZones(): string[] {
    return [...this.here.availabilityZones];
  }
}
