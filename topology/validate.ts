import { AWS_REGION_CODES, AWS_REGIONS, isAwsRegion, JURISDICTIONS, regionsIn } from './aws-regions.ts';
import type { AwsRegion, Jurisdiction } from './aws-regions.ts';
import type { Topology } from './types.ts';

/** One thing that is wrong with a topology. */
export interface TopologyProblem {
  /** `<environment>/<zone>`, the environment alone, or `` for the whole. A zone without a usable name goes by its place: `production/#2`. */
  readonly zone: string;
  /** Path inside it, e.g. `replicas[1]`. */
  readonly field: string;
  /** What is wrong, and what would be allowed. */
  readonly message: string;
}

/** A topology that can't be used. The message lists every problem, one a line, each with zone, field and allowed values. */
export class TopologyError extends Error {
  override readonly name = 'TopologyError';
  readonly problems: readonly TopologyProblem[];

  constructor(problems: readonly TopologyProblem[]) {
    const lines = problems.map(
      ({ zone, field, message }) => `  ${[zone, field].filter(Boolean).join(': ')}: ${message}`,
    );
    super(
      `the topology has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${lines.join('\n')}`,
    );
    this.problems = problems;
  }
}

/** Aurora's own limit of secondary regions in a global database. */
export const MAX_REPLICAS = 10;
/** Three heartbeats of a second each: with less, one late heartbeat would count as staleness. */
const MIN_MAX_STALENESS_MS = 3000;
const STALENESS_MODES = ['serve', 'confirm', 'refuse'] as const;

const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const NAME_RULE = 'a lower-case letter, then lower-case letters, digits and -, at most 32 characters';
const HOSTNAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;
const ACCOUNT = /^\d{12}$/;
const TASK_VCPUS = [0.25, 0.5, 1, 2, 4, 8, 16, 32];

const ZONE_FIELDS = new Set([
  'name',
  'hostname',
  'account',
  'residency',
  'origin',
  'replicas',
  'maxStalenessMs',
  'stalenessMode',
  'sizes',
]);

/** Every field of a size: is the value good, and what would be. */
const SIZE_FIELDS: Readonly<Record<string, readonly [(value: number) => boolean, string]>> = {
  minTasks: [
    (value) => Number.isInteger(value) && value >= 1 && value <= 1000,
    'a whole number from 1 to 1000',
  ],
  maxTasks: [
    (value) => Number.isInteger(value) && value >= 1 && value <= 1000,
    'a whole number from 1 to 1000',
  ],
  taskVcpu: [(value) => TASK_VCPUS.includes(value), `one of ${TASK_VCPUS.join(', ')}`],
  taskMemoryMb: [
    (value) => Number.isInteger(value) && value >= 512 && value <= 249_856,
    'a whole number from 512 to 249856',
  ],
  databaseMinAcu: [
    (value) => Number.isInteger(value * 2) && value >= 0.5 && value <= 256,
    '0.5 to 256 in steps of 0.5',
  ],
  databaseMaxAcu: [
    (value) => Number.isInteger(value * 2) && value >= 0.5 && value <= 256,
    '0.5 to 256 in steps of 0.5',
  ],
};

type Fields = Readonly<Record<string, unknown>>;
type Report = (field: string, message: string) => void;

/**
 * Checks a topology that the compiler hasn't seen (a JSON file, an environment variable). Returns the very value, typed; throws
 * `TopologyError` with all problems at once.
 */
export function parseTopology(value: unknown): Topology {
  const problems: TopologyProblem[] = [];
  const report =
    (zone: string): Report =>
    (field, message) =>
      problems.push({ zone, field, message });
  if (!isFields(value))
    throw new TopologyError([{ zone: '', field: '', message: `must be an object, is ${show(value)}` }]);
  checkUnknownFields(value, new Set(['environments']), report(''));
  const environments = value['environments'];
  if (isFields(environments) && Object.keys(environments).length > 0) {
    const hostnames = new Map<string, string>();
    for (const [name, environment] of Object.entries(environments))
      checkEnvironment(name, environment, hostnames, report);
  } else {
    report('')('environments', `must be an object with at least one environment, is ${show(environments)}`);
  }
  if (problems.length > 0) throw new TopologyError(problems);
  // Everything that `Topology` says has been checked above, field by field.
  return value as unknown as Topology;
}

function checkEnvironment(
  name: string,
  value: unknown,
  hostnames: Map<string, string>,
  report: (zone: string) => Report,
): void {
  if (!NAME.test(name)) report(name)('', `an environment's name must be ${NAME_RULE}`);
  if (!isFields(value) || !isList(value['zones']) || value['zones'].length === 0) {
    report(name)(
      'zones',
      `must be a list of at least one zone, is ${show(isFields(value) ? value['zones'] : value)}`,
    );
    return;
  }
  checkUnknownFields(value, new Set(['zones']), report(name));
  const names = new Set<unknown>();
  for (const [index, zone] of value['zones'].entries()) {
    if (!isFields(zone)) {
      report(`${name}/#${index + 1}`)('', `must be an object, is ${show(zone)}`);
      continue;
    }
    const label = `${name}/${typeof zone['name'] === 'string' && zone['name'] !== '' ? zone['name'] : `#${index + 1}`}`;
    if (names.has(zone['name']))
      report(label)(
        'name',
        `is the name of an earlier zone of ${name}; names must differ, taken are ${[...names].join(', ')}`,
      );
    names.add(zone['name']);
    checkZone(zone, label, hostnames, report(label));
  }
}

function checkZone(zone: Fields, label: string, hostnames: Map<string, string>, report: Report): void {
  checkUnknownFields(zone, ZONE_FIELDS, report);
  checkText(zone, 'name', NAME, NAME_RULE, report);
  checkText(zone, 'account', ACCOUNT, '12 digits', report);
  checkText(zone, 'hostname', HOSTNAME, 'a full host name in lower case, such as keys.example.com', report);
  const hostname = zone['hostname'];
  if (typeof hostname === 'string') {
    const other = hostnames.get(hostname);
    if (other !== undefined)
      report('hostname', `${hostname} is the hostname of ${other} already; each zone needs its own`);
    hostnames.set(hostname, label);
  }
  const residency = checkResidency(zone['residency'], report);
  checkRegion(zone['origin'], residency, 'origin', report);
  const regions = checkReplicas(zone, residency, report);
  checkStaleness(zone, report);
  checkSizes(zone['sizes'], regions, report);
}

function checkResidency(value: unknown, report: Report): Jurisdiction | undefined {
  if (value === undefined) return undefined;
  const known = JURISDICTIONS.find((jurisdiction) => jurisdiction === value);
  if (known === undefined)
    report('residency', `${show(value)} is unknown; allowed are ${JURISDICTIONS.join(', ')}, or none`);
  return known;
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
  } else if (residency !== undefined && AWS_REGIONS[value].jurisdiction !== residency) {
    report(
      field,
      `${value} is under ${AWS_REGIONS[value].jurisdiction}, outside the residency ${residency}; allowed are ${allowed.join(', ')}`,
    );
  }
}

/** Returns the zone's known regions. */
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
  if (replicas.length > MAX_REPLICAS)
    report('replicas', `lists ${replicas.length} regions; at most ${MAX_REPLICAS} are possible`);
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

function checkStaleness(zone: Fields, report: Report): void {
  const ms = zone['maxStalenessMs'];
  if (ms !== undefined && !(typeof ms === 'number' && Number.isInteger(ms) && ms >= MIN_MAX_STALENESS_MS)) {
    report(
      'maxStalenessMs',
      `${show(ms)} must be a whole number of at least ${MIN_MAX_STALENESS_MS} (3 heartbeats)`,
    );
  }
  const mode = zone['stalenessMode'];
  if (mode !== undefined && !STALENESS_MODES.some((known) => known === mode)) {
    report('stalenessMode', `${show(mode)} is unknown; allowed are ${STALENESS_MODES.join(', ')}`);
  }
}

function checkSizes(sizes: unknown, regions: ReadonlySet<string>, report: Report): void {
  if (sizes === undefined) return;
  if (!isFields(sizes)) return report('sizes', `must be an object, is ${show(sizes)}`);
  for (const [key, size] of Object.entries(sizes)) {
    const field = `sizes.${key}`;
    if (key !== 'default' && !regions.has(key))
      report(field, `isn't in the zone; allowed are default, ${[...regions].join(', ')}`);
    if (!isFields(size)) {
      report(field, `must be an object, is ${show(size)}`);
      continue;
    }
    for (const [name, value] of Object.entries(size)) checkSizeField(`${field}.${name}`, name, value, report);
    checkOrder(size, 'minTasks', 'maxTasks', field, report);
    checkOrder(size, 'databaseMinAcu', 'databaseMaxAcu', field, report);
  }
}

function checkSizeField(field: string, name: string, value: unknown, report: Report): void {
  const rule = Object.hasOwn(SIZE_FIELDS, name) ? SIZE_FIELDS[name] : undefined;
  if (rule === undefined)
    return report(field, `is unknown; allowed are ${Object.keys(SIZE_FIELDS).join(', ')}`);
  const [isGood, allowed] = rule;
  if (typeof value !== 'number' || !isGood(value)) report(field, `${show(value)} must be ${allowed}`);
}

function checkOrder(size: Fields, low: string, high: string, field: string, report: Report): void {
  const [least, most] = [size[low], size[high]];
  if (typeof least === 'number' && typeof most === 'number' && least > most) {
    report(`${field}.${low}`, `${least} is more than ${high}, ${most}`);
  }
}

function checkText(zone: Fields, field: string, pattern: RegExp, rule: string, report: Report): void {
  const value = zone[field];
  if (typeof value !== 'string' || !pattern.test(value)) report(field, `${show(value)} must be ${rule}`);
}

function checkUnknownFields(value: Fields, known: ReadonlySet<string>, report: Report): void {
  for (const field of Object.keys(value)) {
    if (!known.has(field)) report(field, `is unknown; allowed are ${[...known].join(', ')}`);
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** A value as it may stand in a message: short, on one line. */
function show(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
