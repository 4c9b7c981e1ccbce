import { Refusal } from './refusal.ts';
import type { Place } from './values.ts';
import type { World } from './world.ts';

/** A line of a log, as CloudWatch Logs keeps it. */
export interface LogEvent {
  /** Unique in its world; in the order in which lines came. */
  readonly eventId: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly ingestionTime: number;
  readonly message: string;
}

export interface LogStream {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** In the order in which they came. */
  readonly events: LogEvent[];
}

/** Streams of a group, by name. They aren't resources of the world: a service makes thousands, with names that are unique in their group only. */
type Streams = Map<string, LogStream>;

const GROUP = 'AWS::Logs::LogGroup';
const EVENT_ID_DIGITS = 56;

const stores = new WeakMap<World, Map<string, Streams>>();

/** Streams of a log group. Throws the refusal that CloudWatch Logs answers with where there is no such group. */
export function streamsOf(world: World, place: Place, group: string): Streams {
  if (world.find(place, GROUP, group) === undefined) {
    throw new Refusal('ResourceNotFoundException', 'The specified log group does not exist.');
  }
  let store = stores.get(world);
  if (store === undefined) stores.set(world, (store = new Map<string, Streams>()));
  const key = keyOf(place, group);
  let streams = store.get(key);
  if (streams === undefined) store.set(key, (streams = new Map<string, LogStream>()));
  return streams;
}

/** Makes a stream where there is none of that name yet. */
export function addStream(
  world: World,
  place: Place,
  { group, stream, at = Date.now() }: { group: string; stream: string; at?: number },
): LogStream {
  const streams = streamsOf(world, place, group);
  let found = streams.get(stream);
  if (found === undefined) streams.set(stream, (found = { name: stream, createdAt: at, events: [] }));
  return found;
}

/** Everything that a group has held, when the group is deleted. */
export function forgetStreams(world: World, place: Place, group: string): void {
  stores.get(world)?.delete(keyOf(place, group));
}

/**
 * A line that something wrote, in a stream that is made where it isn't there yet, as the `awslogs` driver of ECS makes one. Throws the
 * refusal `ResourceNotFoundException` where the group isn't there: ECS makes none and doesn't start the task.
 *
 * @param at milliseconds since 1970. @default now
 */
export function appendLog(
  world: World,
  place: Place,
  group: string,
  stream: string,
  line: string,
  at = Date.now(),
): void {
  addStream(world, place, { group, stream, at }).events.push({
    eventId: world.hex(EVENT_ID_DIGITS),
    timestamp: at,
    ingestionTime: at,
    message: line,
  });
}

function keyOf({ account, region }: Place, group: string): string {
  return `${account}/${region}/${group}`;
}
