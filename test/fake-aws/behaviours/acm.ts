import { createHash } from 'node:crypto';
import type { Behaviour, Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Place, type Properties, textAt, textsAt } from '../values.ts';
import { type Resource, type World, globalPlace } from '../world.ts';
import { LISTENER } from './elbv2-lookups.ts';
import { objectsAt, requiredText } from './property-values.ts';
import { HOSTED_ZONE, RECORD_SET, existingZone, isPrivateZone, recordsOf, zoneName } from './route53.ts';
import { dnsName, isDomainName, isWithin } from './route53-names.ts';

export const CERTIFICATE = 'AWS::CertificateManager::Certificate';

// RequestCertificate: "The first domain name can be no longer than 64 octets".
const FIRST_NAME_MAX = 64;
// "Quotas" in ACM's user guide: domain names per certificate.
const NAMES_MAX = 10;

export const CERTIFICATE_BEHAVIOUR: Behaviour = {
  type: CERTIFICATE,

  // AWS::CertificateManager::Certificate: with a HostedZoneId per domain CloudFormation adds the CNAME records itself, and the stack
  // waits until the certificate is issued. Without one it would wait for three days for somebody who does: refused here at once.
  create(context, properties) {
    const { world, place } = context;
    checkNames(properties);
    const zones = namesOf(properties).map((name) => ({ name, zone: zoneFor(context, properties, name) }));
    for (const { name, zone } of zones) addValidationRecord(world, place, zone, name);
    const arn = newArn(world, place);
    return { id: arn, attributes: { CertificateArn: arn }, state: certificateState() };
  },

  // DeleteCertificate: not while something uses it. The CNAME records stay in their zone.
  remove({ world, place }, { id }) {
    const used = usersOf(world, place, id);
    if (used.length > 0) {
      throw new Refusal('ResourceInUseException', `Certificate ${id} is in use.`);
    }
  },
};

export const ACM: readonly Behaviour[] = [CERTIFICATE_BEHAVIOUR];

/** Every name that a certificate is for, the first one first. */
export function namesOf(properties: Properties): readonly string[] {
  return [
    ...new Set([requiredText(properties, 'DomainName'), ...textsAt(properties, 'SubjectAlternativeNames')]),
  ];
}

/** ISSUED once a public zone of any account has the CNAME record of each name. */
export function certificateStatus(world: World, resource: Resource): 'ISSUED' | 'PENDING_VALIDATION' {
  const records = new Set(
    world
      .all(HOSTED_ZONE)
      .filter((zone) => !isPrivateZone(zone))
      .flatMap((zone) => recordsOf(world, zone))
      .map(({ properties }) => dnsName(requiredText(properties, 'Name'))),
  );
  const proven = namesOf(resource.properties).every((name) =>
    records.has(validationRecord(resource.account, name).name),
  );
  return proven ? 'ISSUED' : 'PENDING_VALIDATION';
}

/** The CNAME record that proves a domain: the same for one account and domain every time ("DNS validation"). */
export function validationRecord(account: string, domain: string): { name: string; value: string } {
  const bare = dnsName(domain.replace(/^\*\./u, ''));
  const digest = createHash('sha256').update(`${account}/${bare}`).digest('hex');
  return {
    name: `_${digest.slice(0, 32)}.${bare}`,
    value: `_${digest.slice(32, 64)}.acm-validations.aws.`,
  };
}

/** Listeners that a certificate is used by. */
export function usersOf(world: World, place: Place, arn: string): readonly string[] {
  return world
    .all(LISTENER, place)
    .filter(({ properties }) =>
      objectsAt(properties, 'Certificates').some((entry) => textAt(entry, 'CertificateArn') === arn),
    )
    .map(({ properties }) => requiredText(properties, 'LoadBalancerArn'));
}

export function newArn(world: World, { account, region }: Place): string {
  return `arn:aws:acm:${region}:${account}:certificate/00000000-0000-4000-8000-${world.hex(12)}`;
}

export function certificateState(): ReadonlyMap<string, Json> {
  return new Map([['createdAt', new Date().toISOString()]]);
}

/** RequestCertificate, https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html. */
export function checkNames(properties: Properties): void {
  const names = namesOf(properties);
  const [first = ''] = names;
  if (first.length > FIRST_NAME_MAX) {
    throw new Refusal(
      'InvalidDomainValidationOptionsException',
      `The first domain name can be no longer than ${FIRST_NAME_MAX} octets, including periods: ${first}`,
    );
  }
  if (names.length > NAMES_MAX) {
    throw new Refusal('LimitExceededException', `A certificate can have ${NAMES_MAX} domain names`);
  }
  const wrong = names.find((name) => !isDomainName(name));
  if (wrong !== undefined) {
    throw new Refusal('InvalidParameterException', `${wrong} is not a valid domain name`);
  }
}

function zoneFor({ world, place }: Context, properties: Properties, name: string): Resource {
  const option = objectsAt(properties, 'DomainValidationOptions').find(
    (one) => textAt(one, 'DomainName') === name,
  );
  const id = option && textAt(option, 'HostedZoneId');
  if (textAt(properties, 'ValidationMethod') !== 'DNS' || id === undefined) {
    throw new Refusal(
      'NotStabilized',
      `The certificate stays PENDING_VALIDATION: nothing proves ${name} (no DNS validation with a HostedZoneId)`,
    );
  }
  const zone = existingZone(world, place, id);
  if (isPrivateZone(zone)) {
    throw new Refusal('NotStabilized', `The certificate stays PENDING_VALIDATION: ${id} is a private zone`);
  }
  if (!isWithin(name.replace(/^\*\./u, ''), zoneName(zone))) {
    throw new Refusal(
      'InvalidChangeBatch',
      `[RRSet with DNS name ${validationRecord(place.account, name).name} is not permitted in zone ${zoneName(zone)}]`,
    );
  }
  return zone;
}

function addValidationRecord(world: World, place: Place, zone: Resource, domain: string): void {
  const { name, value } = validationRecord(place.account, domain);
  const there = recordsOf(world, zone).some(
    ({ properties }) => dnsName(requiredText(properties, 'Name')) === name,
  );
  if (there) return;
  world.add({
    ...globalPlace(place),
    type: RECORD_SET,
    id: `${name}|CNAME||${zone.id}`,
    stack: null,
    properties: {
      HostedZoneId: zone.id,
      Name: name,
      Type: 'CNAME',
      TTL: '300',
      ResourceRecords: [value],
    },
    attributes: {},
  });
}
