import {
  canonicalText,
  isPrivate,
  overlap,
  parseRange,
  PRIVATE_RANGES,
  type AddressRange,
} from './address-range.ts';
import { isAwsRegion } from './aws-regions.ts';
import type { CheckedRegions } from './check-regions.ts';
import { defaultAddressRange } from './region-defaults.ts';
import { entriesByRegion, isList, show, type Fields, type Report } from './check-rules.ts';

/** AWS takes /16 to /28; below /20 the subnets would have too few addresses for tasks and endpoints. */
const WIDEST_PREFIX = 16;
const NARROWEST_PREFIX = 20;

/** An IPv4 range in CIDR notation whose address is the first one of it; reports what is wrong otherwise. */
export function checkRange(
  value: unknown,
  field: string,
  example: string,
  report: Report,
): AddressRange | undefined {
  const range = typeof value === 'string' ? parseRange(value) : undefined;
  if (range === undefined) {
    report(field, `${show(value)} must be an IPv4 range such as ${example}`);
    return undefined;
  }
  if (canonicalText(range) === range.text) return range;
  report(field, `${range.text} must begin at the first address of the range: ${canonicalText(range)}`);
  return undefined;
}

/** Address range of a region's network, written down or the default. */
export interface RegionRange extends AddressRange {
  readonly region: string;
  readonly isGiven: boolean;
}

/** Address ranges of the regions' networks, the defaults among them: what is peered may not overlap. Returns those that could be made out. */
export function checkAddressRanges(
  zone: Fields,
  checked: CheckedRegions,
  report: Report,
): readonly RegionRange[] {
  const field = 'addressRanges';
  const given = new Map(entriesByRegion(zone[field], field, checked, report));
  const ranges: RegionRange[] = [];
  for (const [region, value] of given) {
    const range = checkPrivateRange(value, `${field}.${region}`, report);
    if (range !== undefined) ranges.push({ ...range, region, isGiven: true });
  }
  for (const region of checked.regions) {
    const range = given.has(region) ? undefined : parseRange(defaultAddressRange(region));
    if (range !== undefined) ranges.push({ ...range, region, isGiven: false });
  }
  for (const [index, one] of ranges.entries()) {
    for (const other of ranges.slice(index + 1)) {
      if (!overlap(one, other)) continue;
      // Defaults are disjoint and come last, so of two at least one was written down.
      const [culprit, second] = other.isGiven ? [other, one] : [one, other];
      report(
        `${field}.${culprit.region}`,
        `${culprit.text} overlaps ${second.text} of ${second.region}${second.isGiven ? '' : ' (the default)'}; the regions of a zone are connected, so each needs a range of its own`,
      );
    }
  }
  return ranges;
}

/** Names of the availability zones that a region's network spans. */
export function checkAvailabilityZones(zone: Fields, checked: CheckedRegions, report: Report): void {
  const field = 'availabilityZones';
  for (const [region, names] of entriesByRegion(zone[field], field, checked, report)) {
    const path = `${field}.${region}`;
    if (!isAwsRegion(region)) continue;
    if (!isList(names) || names.length < 2 || names.length > 3) {
      report(path, `${show(names)} must be a list of two or three names such as ${region}a`);
      continue;
    }
    for (const [index, name] of names.entries()) {
      if (typeof name !== 'string' || name.slice(0, -1) !== region || !/[a-z]$/.test(name))
        report(`${path}[${index}]`, `${show(name)} must be ${region} and a letter, such as ${region}a`);
      else if (names.indexOf(name) < index) report(`${path}[${index}]`, `${name} is listed twice; each once`);
    }
  }
}

function checkPrivateRange(value: unknown, field: string, report: Report): AddressRange | undefined {
  const range = checkRange(value, field, '10.65.0.0/16', report);
  if (range === undefined) return undefined;
  if (range.prefix < WIDEST_PREFIX || range.prefix > NARROWEST_PREFIX) {
    report(field, `${range.text} must be /${WIDEST_PREFIX} to /${NARROWEST_PREFIX} large`);
    return undefined;
  }
  if (isPrivate(range)) return range;
  report(field, `${range.text} must be private: inside ${PRIVATE_RANGES.join(', ')}`);
  return undefined;
}
