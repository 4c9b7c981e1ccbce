import type { Jurisdiction } from './aws-regions.ts';
import { overlap, type AddressRange } from './address-range.ts';
import { checkRange, type RegionRange } from './check-network.ts';
import { placeIn, refusalOf } from './places.ts';
import {
  checkObject,
  checkUnknownFields,
  checkValue,
  isFields,
  isList,
  oneOf,
  show,
  text,
  wholeNumber,
  type Fields,
  type Report,
  type Rule,
} from './check-rules.ts';

const KINDS: Rule = oneOf(['firehose', 'clickhouse']);
/** Secrets Manager's own rule; it puts a hyphen and six characters behind a name, and advises against names that look so already. */
const SECRET_NAME: Rule = text(
  /^(?!.*-.{6}$)[A-Za-z0-9/_+=.@-]{1,512}$/,
  'a name of Secrets Manager: 1 to 512 letters, digits and /_+=.@-, without a hyphen before the last six characters',
);
/** A range this wide says nothing about where a server is. */
const WIDEST_PREFIX_WITH_RESIDENCY = 16;
/** Each is a rule of the tasks' security group, which may have 60 in a new account, and may be a route, of which a table has 50. */
const MOST_RANGES = 20;

/** ECR's own rule. */
const REPOSITORY: Rule = text(
  /^(?=.{2,256}$)(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
  'the name of an ECR repository without its registry: 2 to 256 lower-case letters, digits, single . _ - between them, and / between parts',
);
const DIGEST: Rule = text(
  /^sha256:[0-9a-f]{64}$/,
  'sha256: and 64 hex digits in lower case; a tag could change',
);

export function checkImage(zone: Fields, report: Report): void {
  const image = zone['image'];
  if (image === undefined) return;
  const repository = repositoryRule(isFields(image) ? image['repository'] : undefined);
  const checked = checkObject(image, 'image', { repository, digest: DIGEST }, report);
  const name = checked?.['repository'];
  const [isGood] = repository;
  const place = typeof name === 'string' && isGood(name) ? placeIn(name) : undefined;
  if (place !== undefined) report('image.repository', `${show(name)} ${refusalOf(place)}`);
}

/** ECR would take a dot before the first slash, too; but it is how a registry's host is told from a repository's name everywhere. */
function repositoryRule(value: unknown): Rule {
  const match = typeof value === 'string' ? /^[^/]*[.:][^/]*\/([^:@]*)/.exec(value) : null;
  if (match === null) return REPOSITORY;
  const [, name = ''] = match;
  return [
    () => false,
    `the name of an ECR repository without its registry, which is each region's own: write ${show(name)}`,
  ];
}

/** Where usage events go. With a residency, ClickHouse has to be at known addresses. `networks` are those of the zone's regions. */
export function checkEvents(
  zone: Fields,
  residency: Jurisdiction | undefined,
  networks: readonly RegionRange[],
  report: Report,
): void {
  const events = zone['events'];
  if (events === undefined) return;
  if (!isFields(events))
    return report('events', `must be an object with kind firehose or clickhouse, is ${show(events)}`);
  checkValue(events['kind'], 'events.kind', KINDS, report);
  if (events['kind'] === 'firehose') checkUnknownFields(events, 'events', ['kind'], report);
  if (events['kind'] !== 'clickhouse') return;
  checkUnknownFields(events, 'events', ['kind', 'secretName', 'addressRanges', 'port'], report);
  checkValue(events['secretName'], 'events.secretName', SECRET_NAME, report);
  checkValue(events['port'], 'events.port', wholeNumber(1, 65_535), report);
  checkServerRanges(events['addressRanges'], residency, networks, report);
}

function checkServerRanges(
  ranges: unknown,
  residency: Jurisdiction | undefined,
  networks: readonly RegionRange[],
  report: Report,
): void {
  const field = 'events.addressRanges';
  if (!isList(ranges) || ranges.length === 0) {
    report(field, `must be a list of at least one IPv4 range such as 203.0.113.7/32, is ${show(ranges)}`);
    return;
  }
  if (ranges.length > MOST_RANGES)
    report(field, `lists ${ranges.length} ranges; at most ${MOST_RANGES} are possible: join neighbours`);
  for (const [index, value] of ranges.entries()) {
    const path = `${field}[${index}]`;
    const range = checkRange(value, path, '203.0.113.7/32', report);
    if (range === undefined) continue;
    if (ranges.indexOf(value) < index) report(path, `${range.text} is listed twice; each once`);
    if (residency !== undefined && range.prefix < WIDEST_PREFIX_WITH_RESIDENCY) {
      report(
        path,
        `${range.text} would let usage events leave the residency ${residency} for anywhere; name the server's own ranges, /${WIDEST_PREFIX_WITH_RESIDENCY} at the widest`,
      );
      continue;
    }
    checkAgainstNetworks(range, path, networks, report);
  }
}

/**
 * A server may be inside the zone's networks, but a whole network is no server: security groups have rules for it already, and a second
 * one of the same range and port can't be made. 0.0.0.0/0 is anywhere.
 */
function checkAgainstNetworks(
  range: AddressRange,
  path: string,
  networks: readonly RegionRange[],
  report: Report,
): void {
  if (range.prefix === 0) return;
  const covered = networks.find((network) => range.prefix <= network.prefix && overlap(range, network));
  if (covered === undefined) return;
  report(
    path,
    `${range.text} holds the whole network of ${covered.region}, ${covered.text}; name the server's own addresses, such as ${covered.network.toString()}/32`,
  );
}
