import type { Behaviour, Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Place, type Properties, textAt, textsAt, valueAt } from '../values.ts';
import { type Resource, type World, globalPlace } from '../world.ts';
import { VPC } from './ec2-lookups.ts';
import { objectsAt, requiredText } from './property-values.ts';
import { checkAliasTarget } from './route53-aliases.ts';
import { dnsName, isDomainName, isWithin } from './route53-names.ts';

export const HOSTED_ZONE = 'AWS::Route53::HostedZone';
export const RECORD_SET = 'AWS::Route53::RecordSet';

export const HOSTED_ZONE_BEHAVIOUR: Behaviour = {
  type: HOSTED_ZONE,
  scope: 'global',

  // CreateHostedZone, https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html.
  create({ world, place }, properties) {
    const name = requiredText(properties, 'Name');
    if (!isDomainName(name)) {
      throw new Refusal('InvalidDomainName', `${name} is not a valid domain name`);
    }
    checkVpcs(world, place, name, properties);
    const id = `Z0${world.hex(18).toUpperCase()}`;
    const isPublic = objectsAt(properties, 'VPCs').length === 0;
    return {
      id,
      attributes: { Id: id, ...(isPublic && { NameServers: nameServers(id) }) },
    };
  },

  // AssociateVPCWithHostedZone and DisassociateVPCFromHostedZone: a public zone takes none, a private one keeps one.
  update({ world, place }, resource, properties) {
    const had = objectsAt(resource.properties, 'VPCs').length > 0;
    const has = objectsAt(properties, 'VPCs').length > 0;
    if (had && !has) {
      throw new Refusal(
        'LastVPCAssociation',
        'The VPC that you are trying to disassociate from the private hosted zone is the last VPC that is associated with it.',
      );
    }
    if (!had && has) {
      throw new Refusal(
        'PublicZoneVPCAssociation',
        'You are trying to associate a VPC with a public hosted zone.',
      );
    }
    checkVpcs(world, place, requiredText(properties, 'Name'), properties, resource.id);
    return undefined;
  },

  // DeleteHostedZone: nothing but its own NS and SOA records may be left.
  remove({ world }, resource) {
    if (recordsOf(world, resource).length > 0) {
      throw new Refusal(
        'HostedZoneNotEmpty',
        'The specified hosted zone contains non-required resource record sets and so cannot be deleted.',
      );
    }
  },
};

export const RECORD_SET_BEHAVIOUR: Behaviour = {
  type: RECORD_SET,
  scope: 'global',

  // ChangeResourceRecordSets, https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html, and
  // "Supported DNS record types" in the developer guide.
  create(context, properties) {
    const zone = zoneOf(context, properties);
    checkRecord(context, zone, properties);
    const key = recordKey(properties);
    if (recordsOf(context.world, zone).some((other) => recordKey(other.properties) === key)) {
      throw invalidChange(
        `Tried to create resource record set [name='${dnsName(requiredText(properties, 'Name'))}', type='${requiredText(properties, 'Type')}'] but it already exists`,
      );
    }
    return { id: `${key}|${zone.id}` };
  },

  update(context, _resource, properties) {
    checkRecord(context, zoneOf(context, properties), properties);
    return undefined;
  },
};

export const ROUTE53: readonly Behaviour[] = [HOSTED_ZONE_BEHAVIOUR, RECORD_SET_BEHAVIOUR];

/** A zone's records, without its own NS and SOA. */
export function recordsOf(world: World, zone: Resource): readonly Resource[] {
  return world.all(RECORD_SET, zone).filter(({ properties }) => {
    const id = textAt(properties, 'HostedZoneId');
    if (id !== undefined) return bareZoneId(id) === zone.id;
    return dnsName(textAt(properties, 'HostedZoneName') ?? '') === zoneName(zone);
  });
}

export function zoneName({ properties }: Resource): string {
  return dnsName(requiredText(properties, 'Name'));
}

export function isPrivateZone({ properties }: Resource): boolean {
  return objectsAt(properties, 'VPCs').length > 0;
}

/** The zone of an id, `Z…` or `/hostedzone/Z…`. Throws NoSuchHostedZone. */
export function existingZone(world: World, place: Place, id: string): Resource {
  const found = world.find(globalPlace(place), HOSTED_ZONE, bareZoneId(id));
  if (found !== undefined) return found;
  throw new Refusal('NoSuchHostedZone', `No hosted zone found with ID: ${bareZoneId(id)}`, 404);
}

/** Four names in four domains, as every public zone gets them. */
export function nameServers(id: string): readonly string[] {
  const number = Number.parseInt(id.slice(-4), 16);
  return ['com', 'net', 'org', 'co.uk'].map((tld, index) => `ns-${number + index * 512}.awsdns-00.${tld}`);
}

function bareZoneId(id: string): string {
  return id.replace(/^\/hostedzone\//u, '');
}

export function invalidChange(sentence: string): Refusal {
  return new Refusal('InvalidChangeBatch', `[${sentence}]`);
}

function zoneOf({ world, place }: Context, properties: Properties): Resource {
  const id = textAt(properties, 'HostedZoneId');
  if (id !== undefined) return existingZone(world, place, id);
  const name = dnsName(textAt(properties, 'HostedZoneName') ?? '');
  const named = world.all(HOSTED_ZONE, globalPlace(place)).filter((zone) => zoneName(zone) === name);
  const [only] = named;
  if (only !== undefined && named.length === 1) return only;
  throw new Refusal(
    'InvalidInput',
    named.length === 0
      ? `No hosted zones named ${name} found`
      : `There are ${named.length} hosted zones named ${name}: HostedZoneId has to say which`,
  );
}

/** VPCs of a private zone, each in a region of its own; a VPC has one private zone of a name. */
function checkVpcs(world: World, place: Place, name: string, properties: Properties, self?: string): void {
  for (const vpc of objectsAt(properties, 'VPCs')) {
    const id = requiredText(vpc, 'VPCId');
    const there = { account: place.account, region: requiredText(vpc, 'VPCRegion') };
    if (world.find(there, VPC, id) === undefined) {
      throw new Refusal(
        'InvalidVPCId',
        `The VPC: ${id} you provided is not in the region ${there.region}, or does not exist, or you are not authorized to access it.`,
      );
    }
    const conflict = world
      .all(HOSTED_ZONE, globalPlace(place))
      .find(
        (zone) =>
          zone.id !== self &&
          zoneName(zone) === dnsName(name) &&
          objectsAt(zone.properties, 'VPCs').some((other) => textAt(other, 'VPCId') === id),
      );
    if (conflict !== undefined) {
      throw new Refusal(
        'ConflictingDomainExists',
        `The VPC ${id} in region ${there.region} has already been associated with the hosted zone ${conflict.id} with the same domain name.`,
      );
    }
  }
}

function checkRecord(context: Context, zone: Resource, properties: Properties): void {
  const name = dnsName(requiredText(properties, 'Name'));
  const type = requiredText(properties, 'Type');
  const own = zoneName(zone);
  if (!isDomainName(name) || !isWithin(name, own)) {
    throw invalidChange(`RRSet with DNS name ${name} is not permitted in zone ${own}`);
  }
  if (type === 'CNAME' && name === own) {
    throw invalidChange(`RRSet of type CNAME with DNS name ${name} is not permitted at apex in zone ${own}`);
  }
  const conflict = recordsOf(context.world, zone).some(
    ({ properties: other }) =>
      dnsName(requiredText(other, 'Name')) === name &&
      (textAt(other, 'Type') === 'CNAME') !== (type === 'CNAME'),
  );
  if (conflict) {
    throw invalidChange(
      `RRSet of type CNAME with DNS name ${name} is not permitted as it conflicts with other records with the same DNS name in zone ${own}`,
    );
  }
  checkContent(context, zone, properties);
}

function checkContent(context: Context, zone: Resource, properties: Properties): void {
  const alias = valueAt(properties, 'AliasTarget') !== undefined;
  const values = textsAt(properties, 'ResourceRecords');
  const ttl = valueAt(properties, 'TTL');
  if (alias && (values.length > 0 || ttl !== undefined)) {
    throw new Refusal(
      'InvalidInput',
      'Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found more than one',
    );
  }
  if (!alias && (values.length === 0 || ttl === undefined)) {
    throw new Refusal(
      'InvalidInput',
      'Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none',
    );
  }
  const routed = ['Weight', 'Region', 'Failover', 'GeoLocation', 'MultiValueAnswer'].some(
    (name) => properties[name] !== undefined,
  );
  if (routed !== (textAt(properties, 'SetIdentifier') !== undefined)) {
    throw new Refusal(
      'InvalidInput',
      'Invalid request: Expected both or none of a routing policy and SetIdentifier',
    );
  }
  if (alias) {
    const names = recordsOf(context.world, zone).map(({ properties: other }) => ({
      name: dnsName(requiredText(other, 'Name')),
      type: requiredText(other, 'Type'),
    }));
    checkAliasTarget(context.world, { id: zone.id, name: zoneName(zone), names }, properties);
  }
}

function recordKey(properties: Properties): string {
  return [
    dnsName(requiredText(properties, 'Name')),
    requiredText(properties, 'Type'),
    textAt(properties, 'SetIdentifier') ?? '',
  ].join('|');
}
