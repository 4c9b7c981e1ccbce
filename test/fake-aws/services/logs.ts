import type { Answer, Call, Service } from '../call.ts';
import { LOG_GROUP, groupArn } from '../behaviours/logs.ts';
import { numberAt, requiredText } from '../behaviours/property-values.ts';
import { type LogEvent, type LogStream, streamsOf } from '../log-store.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt, textsAt } from '../values.ts';
import type { Resource } from '../world.ts';
import { matcherOf } from './log-patterns.ts';

export { appendLog } from '../log-store.ts';

// "FilterLogEvents", "GetLogEvents", "DescribeLogGroups", Amazon CloudWatch Logs API Reference.
const EVENTS_MAX = 10_000;
const GROUPS_MAX = 50;

/** CloudWatch Logs, as far as logs are read: `aws logs tail`, `get-log-events`, `describe-log-groups`, `describe-log-streams`. */
export const LOGS_SERVICE: Service = {
  signingName: 'logs',
  protocol: 'json',
  actions: {
    DescribeLogGroups: describeGroups,
    DescribeLogStreams: describeStreams,
    FilterLogEvents: filterEvents,
    GetLogEvents: getEvents,
  },
};

function describeGroups({ world, account, region, input }: Call): Answer {
  const prefix = textAt(input, 'logGroupNamePrefix') ?? '';
  const pattern = textAt(input, 'logGroupNamePattern')?.toLowerCase() ?? '';
  const all = world
    .all(LOG_GROUP, { account, region })
    .filter(({ id }) => id.startsWith(prefix) && id.toLowerCase().includes(pattern))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const { page, next } = pageOf(all, input, GROUPS_MAX);
  return { result: { logGroups: page.map((group) => describedGroup(group)), ...next } };
}

function describedGroup(group: Resource): Properties {
  const { id, account, region, properties } = group;
  const arn = groupArn({ place: { account, region } }, id);
  const key = textAt(properties, 'KmsKeyId');
  const days = numberAt(properties, 'RetentionInDays');
  return {
    logGroupName: id,
    arn: `${arn}:*`,
    logGroupArn: arn,
    creationTime: 0,
    metricFilterCount: 0,
    storedBytes: 0,
    logGroupClass: textAt(properties, 'LogGroupClass') ?? 'STANDARD',
    ...(days === undefined ? {} : { retentionInDays: days }),
    ...(key === undefined ? {} : { kmsKeyId: key }),
  };
}

function describeStreams(call: Call): Answer {
  const { group, streams } = opened(call);
  const prefix = textAt(call.input, 'logStreamNamePrefix') ?? '';
  const latest = textAt(call.input, 'orderBy') === 'LastEventTime';
  const lastOf = (stream: LogStream): number => stream.events.at(-1)?.timestamp ?? 0;
  const sorted = streams
    .filter(({ name }) => name.startsWith(prefix))
    .toSorted((a, b) => (latest ? lastOf(a) - lastOf(b) : a.name < b.name ? -1 : 1));
  if (call.input['descending'] === true) sorted.reverse();
  const { page, next } = pageOf(sorted, call.input, GROUPS_MAX);
  const place = { account: call.account, region: call.region };
  return {
    result: {
      logStreams: page.map(({ name, createdAt, events }) => ({
        logStreamName: name,
        creationTime: createdAt,
        arn: `${groupArn({ place }, group)}:log-stream:${name}`,
        storedBytes: 0,
        ...(events[0] === undefined
          ? {}
          : { firstEventTimestamp: events[0].timestamp, lastEventTimestamp: events.at(-1)?.timestamp ?? 0 }),
      })),
      ...next,
    },
  };
}

/** Events of several streams, in the order of their time. */
function filterEvents(call: Call): Answer {
  const { input } = call;
  const { streams } = opened(call);
  const names = textsAt(input, 'logStreamNames');
  const prefix = textAt(input, 'logStreamNamePrefix') ?? '';
  const matches = matcherOf(textAt(input, 'filterPattern') ?? '');
  const found = streams
    .filter(({ name }) => (names.length === 0 || names.includes(name)) && name.startsWith(prefix))
    .flatMap(({ name, events }) =>
      between(events, input)
        .filter(({ message }) => matches(message))
        .map((event) => ({ logStreamName: name, ...event })),
    )
    .toSorted((a, b) => a.timestamp - b.timestamp || (a.eventId < b.eventId ? -1 : 1));
  const { page, next } = pageOf(found, input, EVENTS_MAX);
  return { result: { events: page, searchedLogStreams: [], ...next } };
}

/** Events of one stream. Where there is nothing more, the token that comes back is the one that was given. */
function getEvents(call: Call): Answer {
  const { input } = call;
  const name = requiredText(input, 'logStreamName');
  const stream = opened(call).streams.find((one) => one.name === name);
  if (stream === undefined) {
    throw new Refusal('ResourceNotFoundException', 'The specified log stream does not exist.');
  }
  const events = between(stream.events, input);
  const limit = Math.min(numberAt(input, 'limit') ?? EVENTS_MAX, EVENTS_MAX);
  const fromHead = input['startFromHead'] === true;
  const [, direction, at] = /^([fb])\/(\d+)$/u.exec(textAt(input, 'nextToken') ?? '') ?? [];
  const position = Number(at ?? 0);
  const start =
    direction === 'f'
      ? position
      : direction === 'b'
        ? Math.max(0, position - limit)
        : fromHead
          ? 0
          : Math.max(0, events.length - limit);
  const end = direction === 'b' ? position : start + limit;
  return {
    result: {
      events: events
        .slice(start, end)
        .map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime })),
      nextForwardToken: `f/${Math.min(end, events.length)}`,
      nextBackwardToken: `b/${start}`,
    },
  };
}

/** The group that a call names, by its name or its ARN, and its streams. */
function opened({ world, account, region, input }: Call): {
  readonly group: string;
  readonly streams: readonly LogStream[];
} {
  const identifier = textAt(input, 'logGroupIdentifier') ?? '';
  const named = textAt(input, 'logGroupName') ?? identifier.split(':log-group:').at(-1) ?? '';
  const group = named.replace(/:\*$/u, '');
  if (group === '') {
    throw new Refusal('InvalidParameterException', 'Either logGroupName or logGroupIdentifier is required.');
  }
  return { group, streams: [...streamsOf(world, { account, region }, group).values()] };
}

/** From `startTime` on, up to `endTime`: milliseconds since 1970. */
function between(events: readonly LogEvent[], input: Properties): readonly (LogEvent & Properties)[] {
  const from = numberAt(input, 'startTime') ?? 0;
  const to = numberAt(input, 'endTime') ?? Number.POSITIVE_INFINITY;
  return events
    .filter(({ timestamp }) => timestamp >= from && timestamp <= to)
    .map((event) => ({ ...event }));
}

/** A page, and the token of the next one where there is one: how many entries came before it. */
function pageOf<Entry>(
  all: readonly Entry[],
  input: Properties,
  most: number,
): { readonly page: readonly Entry[]; readonly next: Properties } {
  const start = Number(textAt(input, 'nextToken') ?? 0);
  if (!Number.isInteger(start) || start < 0) {
    throw new Refusal('InvalidParameterException', 'The specified nextToken is invalid.');
  }
  const end = start + Math.min(numberAt(input, 'limit') ?? most, most);
  return { page: all.slice(start, end), next: end < all.length ? { nextToken: String(end) } : {} };
}
