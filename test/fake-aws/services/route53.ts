import { XMLParser } from 'fast-xml-parser';
import type { Answer, Call, Service } from '../call.ts';
import type { Context } from '../behaviour.ts';
import { toXml } from '../protocols/xml.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, isProperties, textAt, valueAt } from '../values.ts';
import { type Resource, globalPlace } from '../world.ts';
import {
  HOSTED_ZONE,
  HOSTED_ZONE_BEHAVIOUR,
  RECORD_SET_BEHAVIOUR,
  existingZone,
  invalidChange,
  recordsOf,
  zoneName,
} from '../behaviours/route53.ts';
import { callContext, createByCall, removeByCall } from '../behaviours/by-call.ts';
import { objectsAt, requiredText } from '../behaviours/property-values.ts';
import { dnsName } from '../behaviours/route53-names.ts';
import { changeInfo, delegation, ownRecords, recordShape, zoneShape } from './route53-shapes.ts';

const NAMESPACE = 'https://route53.amazonaws.com/doc/2013-04-01/';
const ROOT = '/2013-04-01/';
const CREATED = 201;

const parser = new XMLParser({ ignoreAttributes: true, parseTagValue: false });

/** Which call a method and path are: API reference of Route 53, "Request Syntax" of each. */
const ROUTES: readonly (readonly [method: string, path: RegExp, action: string])[] = [
  ['GET', /^hostedzone$/u, 'ListHostedZones'],
  ['POST', /^hostedzone$/u, 'CreateHostedZone'],
  ['GET', /^hostedzonesbyname$/u, 'ListHostedZonesByName'],
  ['GET', /^hostedzone\/[^/]+$/u, 'GetHostedZone'],
  ['DELETE', /^hostedzone\/[^/]+$/u, 'DeleteHostedZone'],
  ['GET', /^hostedzone\/[^/]+\/rrset$/u, 'ListResourceRecordSets'],
  ['POST', /^hostedzone\/[^/]+\/rrset$/u, 'ChangeResourceRecordSets'],
  ['GET', /^change\/[^/]+$/u, 'GetChange'],
];

/** Amazon Route 53's API, version 2013-04-01: zones that people make by hand, and the records in them. */
export const ROUTE53_SERVICE: Service = {
  signingName: 'route53',
  protocol: 'rest',
  namespace: NAMESPACE,
  actionOf(method, path) {
    const rest = partsOf(path).join('/');
    return (
      ROUTES.find(([verb, pattern]) => verb === method && pattern.test(rest))?.[2] ?? `${method} ${path}`
    );
  },
  actions: {
    ListHostedZones: (call) => {
      const zones = zonesOf(call).map((zone) => zoneShape(call.world, zone));
      return answer('ListHostedZonesResponse', {
        HostedZones: { HostedZone: zones },
        IsTruncated: false,
        MaxItems: '100',
      });
    },
    // In the order of reversed labels, from the name that is asked for on.
    ListHostedZonesByName: (call) => {
      const from = call.query.get('dnsname');
      const first = from === null ? '' : reversed(dnsName(from));
      const zones = zonesOf(call)
        .toSorted((a, b) => reversed(zoneName(a)).localeCompare(reversed(zoneName(b))))
        .filter((zone) => reversed(zoneName(zone)) >= first);
      return answer('ListHostedZonesByNameResponse', {
        HostedZones: { HostedZone: zones.map((zone) => zoneShape(call.world, zone)) },
        ...(from !== null && { DNSName: from }),
        IsTruncated: false,
        MaxItems: '100',
      });
    },
    CreateHostedZone: (call) => {
      const { world } = call;
      const request = bodyOf(call, 'CreateHostedZoneRequest');
      const reference = textAt(request, 'CallerReference');
      if (zonesOf(call).some(({ state }) => state.get('reference') === reference)) {
        throw new Refusal(
          'HostedZoneAlreadyExists',
          `A hosted zone has already been created with the specified CallerReference: ${reference}`,
          409,
        );
      }
      const vpc = valueAt(request, 'VPC');
      const comment = textAt(request, 'HostedZoneConfig.Comment');
      const properties: Properties = {
        Name: textAt(request, 'Name') ?? '',
        ...(comment !== undefined && { HostedZoneConfig: { Comment: comment } }),
        ...(isProperties(vpc) && {
          VPCs: [{ VPCId: requiredText(vpc, 'VPCId'), VPCRegion: requiredText(vpc, 'VPCRegion') }],
        }),
      };
      const zone = createByCall(contextOf(call), HOSTED_ZONE_BEHAVIOUR, properties);
      zone.state.set('reference', reference ?? '');
      return answer(
        'CreateHostedZoneResponse',
        { HostedZone: zoneShape(world, zone), ChangeInfo: changeInfo(world), ...delegation(zone) },
        CREATED,
      );
    },
    GetHostedZone: (call) => {
      const zone = zoneOf(call);
      const vpcs = objectsAt(zone.properties, 'VPCs');
      return answer('GetHostedZoneResponse', {
        HostedZone: zoneShape(call.world, zone),
        ...delegation(zone),
        ...(vpcs.length > 0 && {
          VPCs: {
            VPC: vpcs.map((vpc) => ({
              VPCRegion: requiredText(vpc, 'VPCRegion'),
              VPCId: requiredText(vpc, 'VPCId'),
            })),
          },
        }),
      });
    },
    DeleteHostedZone: (call) => {
      const zone = zoneOf(call);
      removeByCall(contextOf(call), HOSTED_ZONE_BEHAVIOUR, zone);
      return answer('DeleteHostedZoneResponse', { ChangeInfo: changeInfo(call.world) });
    },
    ListResourceRecordSets: (call) => {
      const zone = zoneOf(call);
      const records = [
        ...ownRecords(zone),
        ...recordsOf(call.world, zone).map(({ properties }) => properties),
      ];
      return answer('ListResourceRecordSetsResponse', {
        ResourceRecordSets: { ResourceRecordSet: records.map(recordShape) },
        IsTruncated: false,
        MaxItems: '300',
      });
    },
    ChangeResourceRecordSets: (call) => {
      const zone = zoneOf(call);
      const changes = listOf(
        valueAt(bodyOf(call, 'ChangeResourceRecordSetsRequest'), 'ChangeBatch.Changes.Change'),
      );
      for (const change of changes) applyChange(call, zone, change);
      return answer('ChangeResourceRecordSetsResponse', { ChangeInfo: changeInfo(call.world) });
    },
    // Every change is everywhere at once.
    GetChange: (call) =>
      answer('GetChangeResponse', { ChangeInfo: { ...changeInfo(call.world), Status: 'INSYNC' } }),
  },
};

function answer(name: string, content: Properties, status = 200): Answer {
  return {
    raw: {
      status,
      headers: { 'content-type': 'text/xml' },
      body: toXml(name, { '@xmlns': NAMESPACE, ...content }),
    },
  };
}

function partsOf(path: string): readonly string[] {
  return path
    .slice(path.startsWith(ROOT) ? ROOT.length : 1)
    .split('/')
    .filter((part) => part !== '');
}

function bodyOf({ body }: Call, root: string): Properties {
  // The parser's own types say nothing; what it reads out of XML is objects, lists and texts.
  const parsed = parser.parse(body.toString()) as Properties;
  const content = parsed[root];
  if (isProperties(content)) return content;
  throw new Refusal('InvalidInput', `The body of the call is no ${root}.`);
}

function contextOf({ world, account, region }: Call): Context {
  return callContext(world, globalPlace({ account, region }), 'Call');
}

function zonesOf({ world, account, region }: Call): readonly Resource[] {
  return world.all(HOSTED_ZONE, globalPlace({ account, region }));
}

function zoneOf({ world, account, region, path }: Call): Resource {
  return existingZone(world, { account, region }, partsOf(path)[1] ?? '');
}

function applyChange(call: Call, zone: Resource, change: Properties): void {
  const asked = valueAt(change, 'ResourceRecordSet');
  if (!isProperties(asked)) throw new Refusal('InvalidInput', 'A change needs a ResourceRecordSet');
  const { ResourceRecords: _, ...rest } = asked;
  const values = listOf(valueAt(asked, 'ResourceRecords.ResourceRecord')).map((one) =>
    requiredText(one, 'Value'),
  );
  const properties: Properties = {
    ...rest,
    HostedZoneId: zone.id,
    ...(values.length > 0 && { ResourceRecords: values }),
  };
  const present = recordsOf(call.world, zone).find((one) => isSame(one.properties, properties));
  const action = textAt(change, 'Action');
  if (action === 'CREATE' || (action === 'UPSERT' && present === undefined)) {
    createByCall(contextOf(call), RECORD_SET_BEHAVIOUR, properties);
  } else if (present === undefined) {
    throw invalidChange(
      `Tried to delete resource record set [name='${dnsName(requiredText(asked, 'Name'))}', type='${requiredText(asked, 'Type')}'] but it was not found`,
    );
  } else if (action === 'UPSERT') {
    RECORD_SET_BEHAVIOUR.update?.(contextOf(call), present, properties);
    // Not merged: what an UPSERT doesn't say any more is gone.
    present.properties = properties;
  } else {
    removeByCall(contextOf(call), RECORD_SET_BEHAVIOUR, present);
  }
}

function isSame(one: Properties, other: Properties): boolean {
  return (
    dnsName(requiredText(one, 'Name')) === dnsName(requiredText(other, 'Name')) &&
    textAt(one, 'Type') === textAt(other, 'Type') &&
    textAt(one, 'SetIdentifier') === textAt(other, 'SetIdentifier')
  );
}

/** One element or several of a name, as XML has them. */
function listOf(value: Json | undefined): readonly Properties[] {
  const list = Array.isArray(value) ? value : [value ?? null];
  return list.filter((entry) => isProperties(entry));
}

function reversed(name: string): string {
  return name.split('.').toReversed().join('.');
}
