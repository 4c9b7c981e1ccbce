import type { Behaviour, Context, Made } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { addStream, forgetStreams, streamsOf } from '../log-store.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import { roleWithArn, trusts } from './iam-lookups.ts';
import { findKey, letsService } from './key-lookups.ts';
import { numberAt, requiredText } from './property-values.ts';
import { stateText } from './state-values.ts';

export const LOG_GROUP = 'AWS::Logs::LogGroup';
const LOG_STREAM = 'AWS::Logs::LogStream';
const FILTER = 'AWS::Logs::SubscriptionFilter';

// "PutRetentionPolicy", Amazon CloudWatch Logs API Reference.
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
// "CreateLogGroup" and "CreateLogStream", Amazon CloudWatch Logs API Reference.
const GROUP_NAME = /^(?!aws\/)[.\-_/#A-Za-z0-9]{1,512}$/u;
const STREAM_NAME = /^[^:*]{1,512}$/u;
// "CloudWatch Logs quotas": two subscription filters per log group.
const FILTERS_MAX = 2;

/** Ref is the group's name. "AWS::Logs::LogGroup", CloudFormation Template Reference. */
const group: Behaviour = {
  type: LOG_GROUP,
  create(context, properties): Made {
    const { world, place } = context;
    const name = textAt(properties, 'LogGroupName') ?? physicalName(context, 512);
    if (!GROUP_NAME.test(name)) {
      throw new Refusal(
        'InvalidParameterException',
        `Log group name ${name} is invalid: 1 to 512 of a-z, A-Z, 0-9, '_', '-', '/', '.' and '#', not beginning with aws/`,
      );
    }
    if (world.find(place, LOG_GROUP, name) !== undefined) {
      throw new Refusal('ResourceAlreadyExistsException', 'The specified log group already exists');
    }
    checkGroup(context, properties, name);
    return { id: name, attributes: { Arn: `${groupArn(context, name)}:*` } };
  },
  update(context, resource, properties): undefined {
    checkGroup(context, properties, resource.id);
  },
  remove({ world, place }, { id }): void {
    // "DeleteLogGroup" deletes its streams, events and filters.
    forgetStreams(world, place, id);
    for (const type of [LOG_STREAM, FILTER]) {
      for (const one of world.all(type, place)) {
        if (textAt(one.properties, 'LogGroupName') === id && one.stack === null) world.remove(one);
      }
    }
  },
};

/** Ref is the stream's name. "AWS::Logs::LogStream", CloudFormation Template Reference; "CreateLogStream", CloudWatch Logs API Reference. */
const stream: Behaviour = {
  type: LOG_STREAM,
  create(context, properties): Made {
    const { world, place } = context;
    const name = textAt(properties, 'LogStreamName') ?? physicalName(context, 512);
    const groupName = requiredText(properties, 'LogGroupName');
    if (!STREAM_NAME.test(name)) {
      throw new Refusal('InvalidParameterException', `Log stream name ${name} is invalid: no ':' and no '*'`);
    }
    if (streamsOf(world, place, groupName).has(name)) {
      throw new Refusal('ResourceAlreadyExistsException', 'The specified log stream already exists');
    }
    addStream(world, place, { group: groupName, stream: name });
    // Two groups may have streams of one name; the world knows a resource by its id alone.
    const taken = world.find(place, LOG_STREAM, name) !== undefined;
    return { id: taken ? `${groupName}|${name}` : name, state: new Map([['name', name]]) };
  },
  remove({ world, place }, resource): void {
    const groupName = requiredText(resource.properties, 'LogGroupName');
    if (world.find(place, LOG_GROUP, groupName) !== undefined) {
      streamsOf(world, place, groupName).delete(stateText(resource, 'name'));
    }
  },
};

/** Ref is the filter's name. "PutSubscriptionFilter", Amazon CloudWatch Logs API Reference. */
const filter: Behaviour = {
  type: FILTER,
  create(context, properties): Made {
    const { world, place } = context;
    const groupName = requiredText(properties, 'LogGroupName');
    streamsOf(world, place, groupName);
    const filters = world
      .all(FILTER, place)
      .filter((one) => textAt(one.properties, 'LogGroupName') === groupName);
    if (filters.length >= FILTERS_MAX)
      throw new Refusal('LimitExceededException', 'Resource limit exceeded.');
    checkFilter(context, properties);
    return { id: textAt(properties, 'FilterName') ?? physicalName(context, 512) };
  },
  update(context, _resource, properties): undefined {
    checkFilter(context, properties);
  },
};

export const LOGS: readonly Behaviour[] = [group, stream, filter];

export function groupArn({ place: { account, region } }: Pick<Context, 'place'>, name: string): string {
  return `arn:aws:logs:${region}:${account}:log-group:${name}`;
}

function checkGroup({ world, place }: Context, properties: Properties, name: string): void {
  const days = numberAt(properties, 'RetentionInDays');
  if (days !== undefined && !RETENTION_DAYS.includes(days)) {
    throw new Refusal(
      'InvalidParameterException',
      `Retention of ${days} days is invalid. Valid values are: [${RETENTION_DAYS.join(', ')}]`,
    );
  }
  const reference = textAt(properties, 'KmsKeyId');
  if (reference === undefined) return;
  // "Encrypt log data in CloudWatch Logs using AWS Key Management Service": the service must be let use the key, or associating it fails.
  const key = reference.startsWith('arn:') ? findKey(world, place, reference) : undefined;
  const service = `logs.${place.region}.amazonaws.com`;
  if (key === undefined || key === null || !letsService(key, service, 'kms:Encrypt')) {
    throw new Refusal(
      'InvalidParameterException',
      `The specified KMS Key Id could not be found or is not allowed to be used with Arn '${groupArn({ place }, name)}'`,
    );
  }
}

function checkFilter({ world }: Context, properties: Properties): void {
  const reference = textAt(properties, 'RoleArn');
  if (reference === undefined) return;
  const role = roleWithArn(world, reference);
  if (role === undefined || !trusts(role, 'logs.amazonaws.com')) {
    throw new Refusal(
      'InvalidParameterException',
      'Could not deliver test message to specified destination. Check if the destination is valid.',
    );
  }
}
