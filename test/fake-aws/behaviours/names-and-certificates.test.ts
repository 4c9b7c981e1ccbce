import { describe, expect, it } from 'vitest';
import type { Properties } from '../values.ts';
import type { Resource } from '../world.ts';
import { certificateStatus } from './acm.ts';
import { HERE, NetworkBench, THERE, refusalOf } from './network-bench.ts';

function withZone() {
  const bench = new NetworkBench();
  const zone = bench.make('Route53::HostedZone', { Name: 'example.com' });
  const record = (properties: Properties) =>
    bench.make('Route53::RecordSet', {
      HostedZoneId: zone.id,
      Type: 'A',
      ...(properties['AliasTarget'] === undefined && { TTL: '60', ResourceRecords: ['192.0.2.1'] }),
      ...properties,
    });
  return { bench, zone, record };
}

describe('a hosted zone', () => {
  it("isn't deleted while it has records of one's own", () => {
    const { bench, zone, record } = withZone();
    const made = record({ Name: 'keys.example.com' });
    expect(refusalOf(() => bench.remove(zone))).toMatch(/^HostedZoneNotEmpty/u);
    bench.remove(made);
    bench.remove(zone);
  });

  it('is private with VPCs of several regions, each of which exists where it is said to be', () => {
    const bench = new NetworkBench();
    const vpcs = [HERE, THERE].map((place) => ({
      VPCId: bench.network('10.0', place).vpc.id,
      VPCRegion: place.region,
    }));
    const make = (VPCs: Properties['VPCs'] & object) =>
      bench.make('Route53::HostedZone', { Name: 'zone.internal.', VPCs });
    const wrong = vpcs.map((vpc) => ({ ...vpc, VPCRegion: 'eu-west-3' }));
    expect(refusalOf(() => make(wrong))).toMatch(/^InvalidVPCId/u);
    const zone = make(vpcs);
    expect(zone.attributes['NameServers']).toBeUndefined();
    expect(refusalOf(() => make(vpcs))).toMatch(/^ConflictingDomainExists/u);
    expect(refusalOf(() => bench.change(zone, { VPCs: [] }))).toMatch(/^LastVPCAssociation/u);
  });
});

describe('a record', () => {
  it('is in a zone that exists, below its name, and not there twice', () => {
    const { record } = withZone();
    expect(refusalOf(() => record({ Name: 'a.example.com', HostedZoneId: 'Z0NONE' }))).toBe(
      'NoSuchHostedZone: No hosted zone found with ID: Z0NONE',
    );
    expect(refusalOf(() => record({ Name: 'a.example.org' }))).toBe(
      'InvalidChangeBatch: [RRSet with DNS name a.example.org. is not permitted in zone example.com.]',
    );
    record({ Name: 'a.example.com' });
    expect(refusalOf(() => record({ Name: 'A.example.com.' }))).toMatch(/but it already exists/u);
    record({ Name: 'a.example.com', Type: 'AAAA', ResourceRecords: ['2001:db8::1'] });
  });

  it("isn't a CNAME at the zone's own name, nor beside other records of a name", () => {
    const { record } = withZone();
    const cname = { Type: 'CNAME', ResourceRecords: ['b.example.com'] };
    expect(refusalOf(() => record({ Name: 'example.com', ...cname }))).toMatch(/not permitted at apex/u);
    record({ Name: 'a.example.com' });
    expect(refusalOf(() => record({ Name: 'a.example.com', ...cname }))).toMatch(
      /conflicts with other records/u,
    );
  });

  it('is either an alias or has values and a time to live', () => {
    const { record } = withZone();
    const AliasTarget = { HostedZoneId: 'Z1', DNSName: 'x.y' };
    expect(refusalOf(() => record({ Name: 'a.example.com', TTL: '1', AliasTarget }))).toMatch(
      /found more than one/u,
    );
    expect(refusalOf(() => record({ Name: 'a.example.com', ResourceRecords: [] }))).toMatch(/found none/u);
  });

  it("leads as an alias to what exists in the target's own zone", () => {
    const { bench, record } = withZone();
    const { accelerator } = bench.accelerator();
    const alias = (DNSName: unknown, HostedZoneId = 'Z2BJ6XQ5FK7U4H') =>
      record({ Name: 'a.example.com', AliasTarget: { DNSName: String(DNSName), HostedZoneId } });
    expect(refusalOf(() => alias('gone.awsglobalaccelerator.com'))).toMatch(/target was not found/u);
    expect(refusalOf(() => alias('a.example.net'))).toMatch(/does not lie within the target zone/u);
    const balancer = bench.balancer(bench.network());
    expect(refusalOf(() => alias(balancer.attributes['DNSName']))).toMatch(/does not lie within/u);
    for (const zone of ['Z215JYRZR1TBD5', 'Z0NONE']) {
      expect(refusalOf(() => alias(balancer.attributes['DNSName'], zone))).toMatch(/does not lie within/u);
      expect(refusalOf(() => alias(accelerator.attributes['DnsName'], zone))).toMatch(/does not lie within/u);
    }
    expect(refusalOf(() => alias('gone-1.eu-central-1.elb.amazonaws.com', 'Z215JYRZR1TBD5'))).toMatch(
      /target was not found/u,
    );
    bench.remove(alias(balancer.attributes['DNSName'], 'Z32O12XQLNTSW2'));
    alias(accelerator.attributes['DnsName']);
  });
});

describe('a certificate', () => {
  function ask(bench: NetworkBench, zone: Resource | undefined, changes: Properties = {}): Resource {
    return bench.make('CertificateManager::Certificate', {
      DomainName: 'keys.example.com',
      ValidationMethod: 'DNS',
      ...(zone && {
        DomainValidationOptions: [{ DomainName: 'keys.example.com', HostedZoneId: zone.id }],
      }),
      ...changes,
    });
  }

  it('is issued at once where the zone of its name is known, and leaves its record there', () => {
    const { bench, zone } = withZone();
    const made = ask(bench, zone);
    expect(certificateStatus(bench.world, made)).toBe('ISSUED');
    bench.remove(made);
    expect(refusalOf(() => bench.remove(zone))).toMatch(/^HostedZoneNotEmpty/u);
    expect(certificateStatus(bench.world, ask(bench, zone))).toBe('ISSUED');
  });

  it('is refused where it would stay pending: no zone, no such zone, a zone of another name, a private one', () => {
    const { bench, zone } = withZone();
    expect(refusalOf(() => ask(bench, undefined))).toMatch(/stays PENDING_VALIDATION/u);
    expect(refusalOf(() => ask(bench, zone, { ValidationMethod: 'EMAIL' }))).toMatch(/PENDING_VALIDATION/u);
    expect(refusalOf(() => ask(bench, { ...zone, id: 'Z0NONE' }))).toMatch(/^NoSuchHostedZone/u);
    const other = bench.make('Route53::HostedZone', { Name: 'example.org' });
    expect(refusalOf(() => ask(bench, other))).toMatch(/is not permitted in zone example.org/u);
    const hidden = bench.make('Route53::HostedZone', {
      Name: 'example.com',
      VPCs: [{ VPCId: bench.network().vpc.id, VPCRegion: HERE.region }],
    });
    expect(refusalOf(() => ask(bench, hidden))).toMatch(/is a private zone/u);
  });

  it('has a first name of at most 64 octets', () => {
    const { bench, zone } = withZone();
    const DomainName = `${'a'.repeat(53)}.example.com`;
    expect(DomainName).toHaveLength(65);
    expect(refusalOf(() => ask(bench, zone, { DomainName }))).toMatch(/no longer than 64 octets/u);
  });

  it("isn't deleted while a listener has it", () => {
    const bench = new NetworkBench();
    const balancer = bench.balancer(bench.network());
    const certificate = bench.certificate();
    const listener = bench.make('ElasticLoadBalancingV2::Listener', {
      LoadBalancerArn: balancer.id,
      Port: 443,
      Protocol: 'HTTPS',
      Certificates: [{ CertificateArn: certificate.id }],
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
    });
    expect(refusalOf(() => bench.remove(certificate))).toBe(
      `ResourceInUseException: Certificate ${certificate.id} is in use.`,
    );
    bench.remove(listener);
    bench.remove(certificate);
  });
});
