import type { Behaviour, Context } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Place, type Properties, textAt, textsAt } from '../values.ts';
import type { World } from '../world.ts';
import { checkPolicy, textsOf } from './iam-policy-document.ts';
import { flagAt, requiredText } from './property-values.ts';
import { alreadyExists } from './refusals.ts';

export const TOPIC = 'AWS::SNS::Topic';
export const SUBSCRIPTION = 'AWS::SNS::Subscription';
const NAME_MAX = 256;
const ID_DIGITS = 12;

// "Subscribe", Protocol: what an endpoint of each looks like. Those with `confirms` wait until somebody confirms them.
const PROTOCOLS: Readonly<Record<string, { readonly endpoint: RegExp; readonly confirms?: boolean }>> = {
  email: { endpoint: /^[^\s@]+@[^\s@]+\.[^\s@]+$/u, confirms: true },
  'email-json': { endpoint: /^[^\s@]+@[^\s@]+\.[^\s@]+$/u, confirms: true },
  http: { endpoint: /^http:\/\//u, confirms: true },
  https: { endpoint: /^https:\/\//u, confirms: true },
  sms: { endpoint: /^\+?[\d-]+$/u },
  sqs: { endpoint: /^arn:aws:sqs:/u },
  lambda: { endpoint: /^arn:aws:lambda:/u },
  firehose: { endpoint: /^arn:aws:firehose:/u },
  application: { endpoint: /^arn:aws:sns:/u },
};

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html and SNS's CreateTopic. */
const topic: Behaviour = {
  type: TOPIC,

  create(context, properties) {
    const { world, place } = context;
    const fifo = flagAt(properties, 'FifoTopic') ?? false;
    const name = textAt(properties, 'TopicName') ?? physicalName(context, NAME_MAX);
    // "made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, … between 1 and 256"; FIFO: `.fifo`.
    if (!(fifo ? /^[\w-]{1,251}\.fifo$/u : /^[\w-]{1,256}$/u).test(name)) {
      throw new Refusal('InvalidParameter', 'Invalid parameter: Topic Name');
    }
    const arn = `arn:aws:sns:${place.region}:${place.account}:${name}`;
    if (world.find(place, TOPIC, arn) !== undefined) throw alreadyExists(TOPIC, arn);
    return { id: arn, attributes: { TopicArn: arn, TopicName: name } };
  },
};

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topicpolicy.html. */
const topicPolicy: Behaviour = {
  type: 'AWS::SNS::TopicPolicy',

  create(context, properties) {
    checkTopicPolicy(context, properties);
    const id = physicalName(context, NAME_MAX);
    return { id, attributes: { Id: id } };
  },

  update(context, _, properties) {
    checkTopicPolicy(context, properties);
    return undefined;
  },
};

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html and SNS's Subscribe. */
const subscription: Behaviour = {
  type: SUBSCRIPTION,

  create({ world, place }, properties) {
    const topicArn = requiredText(properties, 'TopicArn');
    checkTopic(world, place, topicArn);
    const protocol = PROTOCOLS[requiredText(properties, 'Protocol')];
    if (protocol === undefined) {
      throw new Refusal('InvalidParameter', 'Invalid parameter: Does not support this protocol string');
    }
    if (!protocol.endpoint.test(requiredText(properties, 'Endpoint'))) {
      throw new Refusal('InvalidParameter', 'Invalid parameter: Endpoint');
    }
    const id = `${topicArn}:${uuid(world.hex(ID_DIGITS))}`;
    return {
      id,
      attributes: { Arn: id },
      // "Confirm the subscription": nothing is delivered before.
      state: new Map([['PendingConfirmation', protocol.confirms ?? false]]),
    };
  },
};

export const SNS: readonly Behaviour[] = [topic, topicPolicy, subscription];

function checkTopic(world: World, place: Place, arn: string): void {
  if (world.find(place, TOPIC, arn) !== undefined) return;
  throw new Refusal('NotFound', 'Topic does not exist', 404);
}

function checkTopicPolicy({ world, place }: Context, properties: Properties): void {
  for (const arn of textsAt(properties, 'Topics')) checkTopic(world, place, arn);
  const statements = checkPolicy(properties['PolicyDocument'], 'resource', 'InvalidParameter');
  const foreign = statements
    .flatMap((statement) => textsOf(statement['Action']))
    .some((action) => !/^sns:/iu.test(action));
  if (foreign) {
    throw new Refusal('InvalidParameter', 'Invalid parameter: Policy statement action out of service scope!');
  }
  checkResources(textsAt(properties, 'Topics'), statements);
}

/**
 * "Amazon SNS API permissions: Actions and resources reference", Policy quotas: "The value must match the ARN of the policy's topic".
 * Believed: the sentence, and that `*` matches too.
 */
function checkResources(topics: readonly string[], statements: readonly Properties[]): void {
  const resources = statements.flatMap((statement) => textsOf(statement['Resource']));
  const foreign = resources.some((one) => one !== '*' && topics.some((arn) => arn !== one));
  const missing = statements.some(({ Resource: resource }) => resource === undefined);
  if (foreign || missing) {
    throw new Refusal(
      'InvalidParameter',
      'Invalid parameter: Policy statement resource must match the topic',
    );
  }
}

/** An id in the form of a UUID. */
export function uuid(hex: string): string {
  const digits = hex.padStart(32, '0');
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20),
  ].join('-');
}
