import { type Properties, isProperties, textAt, textsAt, valueAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { flagAt, requiredText } from '../behaviours/property-values.ts';
import { dnsName } from '../behaviours/route53-names.ts';
import { isPrivateZone, nameServers, recordsOf, zoneName } from '../behaviours/route53.ts';

// Names of the members: "Data types" of Route 53's API reference.

export function zoneShape(world: World, zone: Resource): Properties {
  return {
    Id: `/hostedzone/${zone.id}`,
    Name: zoneName(zone),
    CallerReference: zone.state.get('reference') ?? zone.id,
    Config: {
      Comment: textAt(zone.properties, 'HostedZoneConfig.Comment') ?? null,
      PrivateZone: isPrivateZone(zone),
    },
    ResourceRecordSetCount: recordsOf(world, zone).length + ownRecords(zone).length,
  };
}

export function delegation(zone: Resource): Properties {
  if (isPrivateZone(zone)) return {};
  return { DelegationSet: { NameServers: { NameServer: nameServers(zone.id) } } };
}

export function changeInfo(world: World): Properties {
  return {
    Id: `/change/C${world.hex(13).toUpperCase()}`,
    Status: 'PENDING',
    SubmittedAt: new Date().toISOString(),
  };
}

/** NS and SOA, which a zone comes with. */
export function ownRecords(zone: Resource): readonly Properties[] {
  const [first = '', ...others] = nameServers(zone.id).map(dnsName);
  const common = { Name: zoneName(zone) };
  return [
    { ...common, Type: 'NS', TTL: '172800', ResourceRecords: [first, ...others] },
    {
      ...common,
      Type: 'SOA',
      TTL: '900',
      ResourceRecords: [`${first} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400`],
    },
  ];
}

export function recordShape(properties: Properties): Properties {
  const alias = valueAt(properties, 'AliasTarget');
  const values = textsAt(properties, 'ResourceRecords');
  return {
    Name: dnsName(requiredText(properties, 'Name')),
    Type: requiredText(properties, 'Type'),
    SetIdentifier: textAt(properties, 'SetIdentifier') ?? null,
    Weight: valueAt(properties, 'Weight') ?? null,
    Region: textAt(properties, 'Region') ?? null,
    TTL: valueAt(properties, 'TTL') ?? null,
    ...(values.length > 0 && {
      ResourceRecords: { ResourceRecord: values.map((Value) => ({ Value })) },
    }),
    ...(isProperties(alias) && {
      AliasTarget: {
        HostedZoneId: requiredText(alias, 'HostedZoneId'),
        DNSName: dnsName(requiredText(alias, 'DNSName')),
        EvaluateTargetHealth: flagAt(alias, 'EvaluateTargetHealth') ?? false,
      },
    }),
  };
}
