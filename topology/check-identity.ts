import { placeIn, refusalOf } from './places.ts';
import { checkValue, isList, show, text, type Fields, type Report, type Rule } from './check-rules.ts';

const NAME = text(
  /^(?=.{1,32}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
  'a lower-case letter, then lower-case letters and digits, with single hyphens between them, at most 32 characters',
);
/** Names an environment may not have, and what they stand for. */
const RESERVED_ENVIRONMENTS: ReadonlyMap<string, string> = new Map([
  ['all', 'stands for every environment where one is asked for'],
]);
/** A host name in lower case with at least one dot. */
export const HOST_NAME: Rule = text(
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/,
  'a full host name in lower case, such as keys.example.com',
);
export const ACCOUNT: Rule = text(/^\d{12}$/, '12 digits');

export function checkEnvironmentName(name: string, report: Report): void {
  const [isGood, allowed] = NAME;
  const meaning = RESERVED_ENVIRONMENTS.get(name);
  if (!isGood(name)) report('', `an environment's name must be ${allowed}`);
  const place = placeIn(name);
  if (place !== undefined) report('', `the environment's name ${name} ${refusalOf(place)}`);
  if (meaning !== undefined) report('', `is reserved: it ${meaning}; name the environment otherwise`);
}

/** Name, account and hostname of a zone. `hostnames` has those of all zones before it, with their zones, and gets this one's. */
export function checkIdentity(
  zone: Fields,
  label: string,
  hostnames: Map<string, string>,
  report: Report,
): void {
  checkValue(zone['name'], 'name', NAME, report);
  checkValue(zone['account'], 'account', ACCOUNT, report);
  checkValue(zone['hostname'], 'hostname', HOST_NAME, report);
  const hostname = zone['hostname'];
  if (typeof hostname !== 'string') return;
  const other = hostnames.get(hostname);
  if (other !== undefined)
    report('hostname', `${hostname} is the hostname of ${other} already; each zone needs its own`);
  hostnames.set(hostname, label);
}

/**
 * Names in AWS begin with environment and zone, joined by a hyphen, and so must stay different: `a-b` and `c` give the same as `a` and
 * `b-c`. For the same reason they may not read like a region together: `us` and `east-1`. `taken` has the beginnings of all zones before this one, with their zones, and gets this one's.
 */
export function checkBeginning(label: string, taken: Map<string, string>, report: Report): void {
  const beginning = label.replace('/', '-');
  const other = taken.get(beginning);
  const place = placeIn(beginning);
  const environment = label.slice(0, label.indexOf('/'));
  // What the environment's own name holds is told of it.
  if (place !== undefined && placeIn(environment) === undefined)
    report('name', `with its environment the name is ${beginning}, which ${refusalOf(place)}`);
  if (other !== undefined && other !== label)
    report(
      'name',
      `names in AWS would begin with ${beginning} as those of ${other} do; name the zone otherwise`,
    );
  taken.set(beginning, label);
}

/** Zones that callers may be told of: `names` are those of all zones of the environment. */
export function checkKnownZones(zone: Fields, names: ReadonlySet<unknown>, report: Report): void {
  const known = zone['knownZones'];
  if (known === undefined) return;
  if (!isList(known)) return report('knownZones', `must be a list of names of zones, is ${show(known)}`);
  const others = [...names].filter((name) => typeof name === 'string' && name !== zone['name']);
  const allowed = others.length === 0 ? 'none, there is no other zone' : others.join(', ');
  for (const [index, name] of known.entries()) {
    const field = `knownZones[${index}]`;
    if (typeof name === 'string' && name === zone['name'])
      report(field, `${name} is the zone itself; allowed are ${allowed}`);
    else if (!others.includes(name))
      report(field, `${show(name)} is no zone of the environment; allowed are ${allowed}`);
    else if (known.indexOf(name) < index) report(field, `${show(name)} is listed twice; each zone once`);
  }
}
