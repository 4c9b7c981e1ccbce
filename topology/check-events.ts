import type { Jurisdiction } from './aws-regions.ts';
import { checkRange } from './check-network.ts';
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
const WIDEST_PREFIX_WITH_RESIDENCY = 8;

const IMAGE_RULES: Readonly<Record<string, Rule>> = {
  // ECR's own rule.
  repository: text(
    /^(?=.{2,256}$)(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
    'the name of an ECR repository without its registry: 2 to 256 lower-case letters, digits, single . _ - between them, and / between parts',
  ),
  digest: text(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 hex digits in lower case; a tag could change'),
};

export function checkImage(zone: Fields, report: Report): void {
  if (zone['image'] !== undefined) checkObject(zone['image'], 'image', IMAGE_RULES, report);
}

/** Where usage events go. With a residency, ClickHouse has to be at known addresses. */
export function checkEvents(zone: Fields, residency: Jurisdiction | undefined, report: Report): void {
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
  checkServerRanges(events['addressRanges'], residency, report);
}

function checkServerRanges(ranges: unknown, residency: Jurisdiction | undefined, report: Report): void {
  const field = 'events.addressRanges';
  if (!isList(ranges) || ranges.length === 0) {
    report(field, `must be a list of at least one IPv4 range such as 203.0.113.7/32, is ${show(ranges)}`);
    return;
  }
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
    }
  }
}
