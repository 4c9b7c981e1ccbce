import { checkAccount, type ZoneOfAccount } from './check-account.ts';
import { checkDomain } from './check-domain.ts';
import { checkEvents, checkImage } from './check-events.ts';
import { checkBeginning, checkEnvironmentName, checkIdentity, checkKnownZones } from './check-identity.ts';
import { checkAddressRanges, checkAvailabilityZones } from './check-network.ts';
import { checkOperations } from './check-operations.ts';
import { checkOffers } from './check-offers.ts';
import { checkNumberOfRegions } from './check-quotas.ts';
import { checkRegions } from './check-regions.ts';
import { checkUnknownFields, isFields, isList, show, type Fields, type Report } from './check-rules.ts';
import { checkSizes } from './check-sizes.ts';
import { TopologyError, type TopologyProblem } from './problems.ts';
import type { Topology, Zone } from './types.ts';

/** Every field of a zone; the compiler refuses a list that lacks one. */
const ZONE_FIELDS = Object.keys({
  name: true,
  hostname: true,
  account: true,
  residency: true,
  origin: true,
  replicas: true,
  maxStalenessMs: true,
  stalenessMode: true,
  sizes: true,
  regionLoss: true,
  knownZones: true,
  domain: true,
  addressRanges: true,
  availabilityZones: true,
  image: true,
  events: true,
  firewall: true,
  alarms: true,
  budget: true,
  retention: true,
  deletionProtection: true,
} satisfies Record<keyof Zone, true>);

/** What is found on the way through all zones. */
interface Walk {
  readonly forDeployment: boolean;
  /** By hostname, the label of the zone that has it. */
  readonly hostnames: Map<string, string>;
  /** By the beginning of its names in AWS, the label of the zone that has it. */
  readonly beginnings: Map<string, string>;
  readonly zonesByAccount: Map<string, readonly ZoneOfAccount[]>;
  /** Takes the problems of one zone, by its label. */
  readonly report: (label: string) => Report;
}

/**
 * Checks a topology that the compiler hasn't seen (a JSON file, an environment variable), and what the compiler can't see. With
 * `forDeployment` also what only AWS needs: a domain for every zone, an account of its own for a zone with a residency, AWS's quotas, and where
 * an accelerator can lead. Returns the very value, typed; throws
 * `TopologyError` with all problems at once.
 */
export function parseTopology(
  value: unknown,
  { forDeployment = false }: { readonly forDeployment?: boolean } = {},
): Topology {
  const problems: TopologyProblem[] = [];
  const report =
    (zone: string): Report =>
    (field, message) =>
      problems.push({ zone, field, message });
  if (!isFields(value))
    throw new TopologyError([{ zone: '', field: '', message: `must be an object, is ${show(value)}` }]);
  checkUnknownFields(value, '', ['environments'], report(''));
  const environments = value['environments'];
  if (isFields(environments) && Object.keys(environments).length > 0) {
    const walk: Walk = {
      forDeployment,
      hostnames: new Map(),
      beginnings: new Map(),
      zonesByAccount: new Map(),
      report,
    };
    for (const [name, environment] of Object.entries(environments)) checkEnvironment(name, environment, walk);
  } else {
    report('')('environments', `must be an object with at least one environment, is ${show(environments)}`);
  }
  if (problems.length > 0) throw new TopologyError(problems);
  // Everything that `Topology` says has been checked above, field by field.
  return value as unknown as Topology;
}

function checkEnvironment(name: string, value: unknown, walk: Walk): void {
  const report = walk.report(name);
  checkEnvironmentName(name, report);
  const zones = isFields(value) ? value['zones'] : value;
  if (isFields(value)) checkUnknownFields(value, '', ['zones'], report);
  if (!isFields(value) || !isList(zones) || zones.length === 0)
    return report('zones', `must be a list of at least one zone, is ${show(zones)}`);
  const names = new Set(zones.map((zone) => (isFields(zone) ? zone['name'] : undefined)));
  const earlier = new Set<string>();
  for (const [index, zone] of zones.entries()) {
    if (!isFields(zone)) {
      walk.report(`${name}/#${index + 1}`)('', `must be an object, is ${show(zone)}`);
      continue;
    }
    const zoneName = zone['name'];
    const label = `${name}/${typeof zoneName === 'string' && zoneName !== '' ? zoneName : `#${index + 1}`}`;
    if (typeof zoneName === 'string') {
      if (earlier.has(zoneName)) {
        walk.report(label)(
          'name',
          `is the name of an earlier zone of ${name}; names must differ, taken are ${[...earlier].join(', ')}`,
        );
      }
      earlier.add(zoneName);
    }
    checkZone(zone, label, names, walk);
  }
}

function checkZone(zone: Fields, label: string, names: ReadonlySet<unknown>, walk: Walk): void {
  const report = walk.report(label);
  checkUnknownFields(zone, '', ZONE_FIELDS, report);
  checkIdentity(zone, label, walk.hostnames, report);
  checkBeginning(label, walk.beginnings, report);
  const regions = checkRegions(zone, report);
  checkNumberOfRegions(zone, walk.forDeployment, report);
  checkOffers(zone, walk.forDeployment, report);
  checkOperations(zone, report);
  checkSizes(zone, regions, report);
  checkKnownZones(zone, names, report);
  checkDomain(zone, regions, walk.forDeployment, report);
  const networks = checkAddressRanges(zone, regions, report);
  checkAvailabilityZones(zone, regions, report);
  checkImage(zone, report);
  checkEvents(zone, regions.residency, networks, report);
  if (walk.forDeployment) checkAccount(zone, label, walk.zonesByAccount, report);
}
