import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import type { World } from '../world.ts';
import { LOAD_BALANCER } from './elbv2-lookups.ts';
import { LOAD_BALANCER_ZONES } from './elbv2-names.ts';
import { ACCELERATOR, ACCELERATOR_ZONE } from './global-accelerator-lookups.ts';
import { requiredText } from './property-values.ts';
import { dnsName } from './route53-names.ts';

/** What a record's own zone says. */
interface OwnZone {
  readonly id: string;
  readonly name: string;
  readonly names: readonly { readonly name: string; readonly type: string }[];
}

/**
 * An alias leads to a name that the zone named with it has: another record of the own zone, a load balancer, an accelerator. Targets of
 * other services aren't known here and pass.
 * Source: AliasTarget (https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html); the sentences are Route 53's.
 */
export function checkAliasTarget(world: World, own: OwnZone, properties: Properties): void {
  const zone = requiredText(properties, 'AliasTarget.HostedZoneId').replace(/^\/hostedzone\//u, '');
  const target = dnsName(requiredText(properties, 'AliasTarget.DNSName'));
  const type = requiredText(properties, 'Type');
  if (!['A', 'AAAA'].includes(type) && zone !== own.id) {
    throw refused(target, type, zone, 'but that type is not supported for this target');
  }
  const names = namesIn(world, own, zone, type);
  const expected = zoneOf(target);
  if (names === undefined && expected === undefined) return;
  if (names === undefined || !target.endsWith(names.suffix) || (expected ?? zone) !== zone) {
    throw refused(target, type, zone, 'but the alias target name does not lie within the target zone');
  }
  if (!names.names.includes(target.replace(/^dualstack\./u, ''))) {
    throw refused(target, type, zone, 'but that target was not found');
  }
}

/** The zone that names of a service are in: "AliasTarget", HostedZoneId; undefined for services that aren't known here. */
function zoneOf(target: string): string | undefined {
  if (target.endsWith('.awsglobalaccelerator.com.')) return ACCELERATOR_ZONE;
  const [, region = ''] = /\.([a-z0-9-]+)\.elb\.amazonaws\.com\.$/u.exec(target) ?? [];
  return LOAD_BALANCER_ZONES[region];
}

function namesIn(
  world: World,
  own: OwnZone,
  zone: string,
  type: string,
): { readonly suffix: string; readonly names: readonly string[] } | undefined {
  if (zone === own.id) {
    return { suffix: own.name, names: own.names.filter((one) => one.type === type).map(({ name }) => name) };
  }
  if (zone === ACCELERATOR_ZONE) {
    const names = world
      .all(ACCELERATOR)
      .flatMap(({ attributes }) => [
        textAt(attributes, 'DnsName') ?? [],
        textAt(attributes, 'DualStackDnsName') ?? [],
      ])
      .flat();
    return { suffix: '.awsglobalaccelerator.com.', names: names.map(dnsName) };
  }
  if (!Object.values(LOAD_BALANCER_ZONES).includes(zone)) return undefined;
  const balancers = world
    .all(LOAD_BALANCER)
    .filter(({ attributes }) => attributes['CanonicalHostedZoneID'] === zone);
  return {
    suffix: '.elb.amazonaws.com.',
    names: balancers.map(({ attributes }) => dnsName(requiredText(attributes, 'DNSName'))),
  };
}

function refused(target: string, type: string, zone: string, why: string): Refusal {
  return new Refusal(
    'InvalidChangeBatch',
    `[Tried to create an alias that targets ${target}, type ${type} in zone ${zone}, ${why}]`,
  );
}
