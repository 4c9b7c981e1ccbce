import type { Behaviour } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import type { World } from '../world.ts';
import { FLOW_LOG, INTERFACE, SUBNET, VPC, ec2Id, existing } from './ec2-lookups.ts';
import { requiredText } from './property-values.ts';

const RESOURCES: Readonly<Record<string, string>> = {
  VPC,
  Subnet: SUBNET,
  NetworkInterface: INTERFACE,
};

const flowLog: Behaviour = {
  type: FLOW_LOG,

  // CreateFlowLogs, https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html. A log group needn't exist: it is made.
  create({ world, place }, properties) {
    const watched = requiredText(properties, 'ResourceId');
    existing(world, place, RESOURCES[requiredText(properties, 'ResourceType')] ?? VPC, watched);
    if ((textAt(properties, 'LogDestinationType') ?? 'cloud-watch-logs') === 'cloud-watch-logs') {
      checkRole(world, textAt(properties, 'DeliverLogsPermissionArn'));
    } else {
      checkBucket(world, properties);
    }
    const twin = world
      .all(FLOW_LOG, place)
      .some(
        (other) =>
          textAt(other.properties, 'ResourceId') === watched &&
          destinationOf(other.properties) === destinationOf(properties),
      );
    if (twin) {
      throw new Refusal(
        'FlowLogAlreadyExists',
        'There is an existing Flow Log with the same configuration and log destination.',
      );
    }
    const id = ec2Id(world, 'fl');
    return { id, attributes: { Id: id } };
  },
};

export const EC2_FLOW_LOGS: readonly Behaviour[] = [flowLog];

function checkRole(world: World, arn: string | undefined): void {
  if (arn === undefined) {
    throw new Refusal(
      'InvalidParameter',
      'DeliverLogsPermissionArn cannot be null when LogDestinationType is cloud-watch-logs.',
    );
  }
  const role = world.all('AWS::IAM::Role').some(({ attributes }) => attributes['Arn'] === arn);
  if (!role) {
    throw new Refusal('InvalidParameter', `Unable to assume given IAM role: ${arn} does not exist`);
  }
}

function checkBucket(world: World, properties: Properties): void {
  const arn = requiredText(properties, 'LogDestination');
  if (!arn.startsWith('arn:aws:s3:::')) return;
  const name = arn.slice('arn:aws:s3:::'.length).split('/')[0];
  if (!world.all('AWS::S3::Bucket').some(({ id }) => id === name)) {
    throw new Refusal('InvalidParameter', `LogDestination: ${name} does not exist`);
  }
}

function destinationOf(properties: Properties): string | undefined {
  return textAt(properties, 'LogDestination') ?? textAt(properties, 'LogGroupName');
}
