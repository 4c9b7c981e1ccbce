import { AWS_REGION_CODES, AWS_REGIONS, isAwsRegion, JURISDICTIONS, regionsIn } from './aws-regions.ts';
import type { AwsRegion, Jurisdiction } from './aws-regions.ts';
import { isList, show, type Fields, type Report } from './check-rules.ts';

export interface CheckedRegions {
  readonly residency: Jurisdiction | undefined;
  /** The zone's known regions, the origin first where it is known; wrong ones too, so that nothing else is reported because of them. */
  readonly regions: ReadonlySet<AwsRegion>;
  /** Those of them that the zone may have, for messages that list what is allowed. */
  readonly allowed: ReadonlySet<AwsRegion>;
}

/** Residency, origin and replicas of a zone. Returns what could be made out, for the checks that build on it. */
export function checkRegions(zone: Fields, report: Report): CheckedRegions {
  const residency = checkResidency(zone['residency'], report);
  checkRegion(zone['origin'], residency, 'origin', report);
  const regions = checkReplicas(zone, residency, report);
  const allowed = [...regions].filter((region) => isUnder(region, residency));
  return { residency, regions, allowed: new Set(allowed) };
}

function checkResidency(value: unknown, report: Report): Jurisdiction | undefined {
  if (value === undefined) return undefined;
  const known = JURISDICTIONS.find((jurisdiction) => jurisdiction === value);
  if (known === undefined)
    report('residency', `${show(value)} is unknown; allowed are ${JURISDICTIONS.join(', ')}, or none`);
  return known;
}

function isUnder(region: AwsRegion, residency: Jurisdiction | undefined): boolean {
  return residency === undefined || AWS_REGIONS[region].jurisdiction === residency;
}

function checkRegion(
  value: unknown,
  residency: Jurisdiction | undefined,
  field: string,
  report: Report,
): void {
  const allowed = residency === undefined ? AWS_REGION_CODES : regionsIn(residency);
  if (!isAwsRegion(value)) {
    report(field, `${show(value)} is no commercial AWS region; allowed are ${allowed.join(', ')}`);
  } else if (!isUnder(value, residency)) {
    report(
      field,
      `${value} is under ${AWS_REGIONS[value].jurisdiction}, outside the residency ${String(residency)}; allowed are ${allowed.join(', ')}`,
    );
  }
}

function checkReplicas(
  zone: Fields,
  residency: Jurisdiction | undefined,
  report: Report,
): ReadonlySet<AwsRegion> {
  const origin = zone['origin'];
  const regions = new Set<AwsRegion>(isAwsRegion(origin) ? [origin] : []);
  const replicas = zone['replicas'];
  if (!isList(replicas)) {
    report('replicas', `must be a list of regions (empty for none), is ${show(replicas)}`);
    return regions;
  }
  for (const [index, region] of replicas.entries()) {
    const field = `replicas[${index}]`;
    checkRegion(region, residency, field, report);
    if (!isAwsRegion(region)) continue;
    if (region === origin) report(field, `${region} is the origin; replicas are the other regions`);
    else if (regions.has(region)) report(field, `${region} is listed twice; each region once`);
    regions.add(region);
  }
  return regions;
}
