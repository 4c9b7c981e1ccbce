import { requiredText } from '../behaviours/property-values.ts';
import { SUBSCRIPTION, TOPIC, uuid } from '../behaviours/sns.ts';
import { type Answer, type Call, type Service, members } from '../call.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import type { Resource } from '../world.ts';

const NOT_FOUND_STATUS = 404;

/** Amazon SNS, API version 2010-03-31, in its Query protocol (https://docs.aws.amazon.com/sns/latest/api/). Nothing is delivered. */
export const SNS_API: Service = {
  signingName: 'sns',
  protocol: 'query',
  namespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
  actions: {
    GetTopicAttributes: getTopicAttributes,
    ListSubscriptions: (call) => ({ result: { Subscriptions: members(subscriptionsOf(call)) } }),
    ListSubscriptionsByTopic: (call) => {
      const topic = existingTopic(call);
      return { result: { Subscriptions: members(subscriptionsOf(call, topic.id)) } };
    },
    ListTopics: ({ world, account, region }) => ({
      result: { Topics: members(world.all(TOPIC, { account, region }).map(({ id }) => ({ TopicArn: id }))) },
    }),
    Publish: (call) => {
      existingTopic(call);
      return { result: { MessageId: uuid(call.world.hex(12)) } };
    },
  },
};

function existingTopic({ world, account, region, input }: Call): Resource {
  const topic = world.find({ account, region }, TOPIC, requiredText(input, 'TopicArn'));
  if (topic === undefined) throw new Refusal('NotFound', 'Topic does not exist', NOT_FOUND_STATUS);
  return topic;
}

/** "SubscriptionArn: PendingConfirmation" until somebody confirms: nobody does here. */
function subscriptionsOf({ world, account, region }: Call, topic?: string): readonly Properties[] {
  return world
    .all(SUBSCRIPTION, { account, region })
    .filter(({ properties }) => topic === undefined || properties['TopicArn'] === topic)
    .map(({ id, properties, state }) => ({
      SubscriptionArn: state.get('PendingConfirmation') === true ? 'PendingConfirmation' : id,
      Owner: account,
      Protocol: requiredText(properties, 'Protocol'),
      Endpoint: requiredText(properties, 'Endpoint'),
      TopicArn: requiredText(properties, 'TopicArn'),
    }));
}

function getTopicAttributes(call: Call): Answer {
  const topic = existingTopic(call);
  const subscriptions = subscriptionsOf(call, topic.id);
  const pending = subscriptions.filter((one) => one['SubscriptionArn'] === 'PendingConfirmation').length;
  const attributes = {
    TopicArn: topic.id,
    Owner: call.account,
    DisplayName: textAt(topic.properties, 'DisplayName') ?? '',
    SubscriptionsPending: String(pending),
    SubscriptionsConfirmed: String(subscriptions.length - pending),
    KmsMasterKeyId: textAt(topic.properties, 'KmsMasterKeyId') ?? '',
  };
  const entries = Object.entries(attributes).map(([key, value]) => ({ key, value }));
  return { result: { Attributes: members(entries, 'entry') } };
}
