import { HOST_NAME } from './check-identity.ts';
import {
  checkUnknownFields,
  checkValue,
  entriesByRegion,
  isFields,
  show,
  text,
  type Fields,
  type RegionNames,
  type Report,
  type Rule,
} from './check-rules.ts';

const FORMS = '{ hostedZoneId, hostedZoneName } or { certificateArns }';
const HOSTED_FIELDS = ['hostedZoneId', 'hostedZoneName'];
const CERTIFICATE_FIELD = 'certificateArns';
const HOSTED_ZONE_ID: Rule = text(
  /^Z[A-Z0-9]{5,31}$/,
  'the id of a Route 53 hosted zone: Z, then 5 to 31 capital letters and digits',
);
/** ACM's own bound of a certificate's domain name. A certificate that is brought along may have the hostname among its other names. */
const LONGEST_CERTIFIED_NAME = 64;
const CERTIFICATE_ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Where certificates and the DNS record come from: needed for a deployment, and then in exactly one of two forms. */
export function checkDomain(zone: Fields, names: RegionNames, forDeployment: boolean, report: Report): void {
  const domain = zone['domain'];
  if (domain === undefined) {
    if (forDeployment) report('domain', `is missing, a deployment needs ${FORMS}`);
    return;
  }
  if (!isFields(domain)) return report('domain', `must be ${FORMS}, is ${show(domain)}`);
  checkUnknownFields(domain, 'domain', [...HOSTED_FIELDS, CERTIFICATE_FIELD], report);
  const hasHosted = HOSTED_FIELDS.some((field) => Object.hasOwn(domain, field));
  const hasCertificates = Object.hasOwn(domain, CERTIFICATE_FIELD);
  if (hasHosted === hasCertificates)
    report('domain', `has ${hasHosted ? 'both forms' : 'neither form'}; give one: ${FORMS}`);
  if (hasHosted) checkHosted(domain, zone['hostname'], report);
  if (hasCertificates) checkCertificates(domain[CERTIFICATE_FIELD], names, zone['account'], report);
}

function checkHosted(domain: Fields, hostname: unknown, report: Report): void {
  const [isHostName] = HOST_NAME;
  if (isHostName(hostname) && String(hostname).length > LONGEST_CERTIFIED_NAME) {
    report(
      'hostname',
      `${String(hostname)} has ${String(hostname).length} characters; with a hosted zone it must be at most ${LONGEST_CERTIFIED_NAME}, ACM's limit for the certificate that is made; shorten it, or give ${CERTIFICATE_FIELD} of your own`,
    );
  }
  checkValue(domain['hostedZoneId'], 'domain.hostedZoneId', HOSTED_ZONE_ID, report);
  const name = domain['hostedZoneName'];
  if (!checkValue(name, 'domain.hostedZoneName', HOST_NAME, report)) return;
  if (!isHostName(hostname) || hostname === name || String(hostname).endsWith(`.${String(name)}`)) return;
  report(
    'domain.hostedZoneName',
    `${String(name)} doesn't hold the hostname ${String(hostname)}, which must be it or end in .${String(name)}`,
  );
}

function checkCertificates(arns: unknown, names: RegionNames, account: unknown, report: Report): void {
  const field = `domain.${CERTIFICATE_FIELD}`;
  if (!isFields(arns)) return report(field, `must be an object by region, is ${show(arns)}`);
  const given = new Map(entriesByRegion(arns, field, names, report));
  const isAccountGood = typeof account === 'string' && /^\d{12}$/.test(account);
  for (const region of new Set([...names.regions, ...given.keys()])) {
    const begin = `arn:aws:acm:${region}:${isAccountGood ? account : '<account>'}:certificate/`;
    const rule: Rule = [(arn) => isCertificate(arn, region, isAccountGood ? account : null), `${begin}<id>`];
    checkValue(given.get(region), `${field}.${region}`, rule, report);
  }
}

/** `account` is null where the zone's own is wrong: then any will do. */
function isCertificate(arn: unknown, region: string, account: string | null): boolean {
  if (typeof arn !== 'string') return false;
  const match = /^arn:aws:acm:([a-z0-9-]+):(\d{12}):certificate\/(.+)$/.exec(arn);
  if (match === null) return false;
  const [, itsRegion, itsAccount, id = ''] = match;
  return itsRegion === region && (account === null || itsAccount === account) && CERTIFICATE_ID.test(id);
}
