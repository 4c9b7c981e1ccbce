import { expect, test } from 'vitest';

import { EU_ZONE, EVERY_CHOICE, problemsOf, problemsWith, withZones } from './test-zones.ts';

const { domain, events, image } = EVERY_CHOICE;
const CERTIFICATE = 'certificate/12345678-90ab-cdef-1234-567890abcdef';
const ARNS = {
  'eu-central-1': `arn:aws:acm:eu-central-1:222222222222:${CERTIFICATE}`,
  'eu-west-3': `arn:aws:acm:eu-west-3:222222222222:${CERTIFICATE}`,
};

/** Below the hosted zone of `EVERY_CHOICE`. */
function longHostname(length: number): string {
  const [label, end] = ['k'.repeat(50), '.eu.example.com'];
  const front = `${label}.`.repeat(5).slice(0, length - end.length);
  return `${front.replace(/\.$/, 'k')}${end}`;
}

/** So many servers, none beside another. */
function ranges(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `203.0.113.${index * 2}/32`);
}

test('a zone that makes every choice passes, for a deployment too', () => {
  expect(problemsWith({})).toEqual([]);
});

test.each<[string, object]>([
  ['certificates for every region', { domain: { certificateArns: ARNS } }],
  ['a hosted zone of the hostname’s own name', { domain: { ...domain, hostedZoneName: EU_ZONE.hostname } }],
  ['a range for carriers', { addressRanges: { 'eu-west-3': '100.64.0.0/16' } }],
  ['a repository of one word', { image: { ...image, repository: 'ab' } }],
  [
    'three availability zones',
    { availabilityZones: { 'eu-west-3': ['eu-west-3a', 'eu-west-3b', 'eu-west-3c'] } },
  ],
  [
    'any server where there is no residency',
    { residency: undefined, events: { ...events, addressRanges: ['0.0.0.0/0'] } },
  ],
  ['a wide range with a residency', { events: { ...events, addressRanges: ['3.1.0.0/16'] } }],
  ['a server in a region’s network', { events: { ...events, addressRanges: ['10.82.0.7/32'] } }],
  ['twenty ranges', { events: { ...events, addressRanges: ranges(20) } }],
  ['a hostname as long as ACM takes', { hostname: longHostname(64) }],
  ['a longer hostname with certificates', { hostname: longHostname(100), domain: { certificateArns: ARNS } }],
  ['a hostname with a region in it', { hostname: 'keys.eu-west-1.eu.example.com' }],
  ['Firehose', { events: { kind: 'firehose' } }],
])('%s is accepted', (_, change) => {
  expect(problemsWith(change)).toEqual([]);
});

test.each<[string, object, string, string]>([
  [
    'an unknown region loss',
    { regionLoss: 'ignore' },
    'regionLoss',
    '"ignore" must be one of absorb, scale-out',
  ],

  [
    'no list of known zones',
    { knownZones: 'global' },
    'knownZones',
    'must be a list of names of zones, is "global"',
  ],
  [
    'a zone that isn’t there',
    { knownZones: ['us'] },
    'knownZones[0]',
    '"us" is no zone of the environment; allowed are global',
  ],
  [
    'a zone that knows itself',
    { knownZones: ['eu'] },
    'knownZones[0]',
    'eu is the zone itself; allowed are global',
  ],
  ['a known zone twice', { knownZones: ['global', 'global'] }, 'knownZones[1]', '"global" is listed twice'],
  ['a known zone that is no name', { knownZones: [7] }, 'knownZones[0]', '7 is no zone of the environment'],

  [
    'a domain that is a text',
    { domain: 'eu.example.com' },
    'domain',
    'must be { hostedZoneId, hostedZoneName } or { certificateArns }',
  ],
  ['an empty domain', { domain: {} }, 'domain', 'has neither form; give one: {'],
  [
    'both forms of a domain',
    { domain: { ...domain, certificateArns: ARNS } },
    'domain',
    'has both forms; give one: {',
  ],
  [
    'an unknown field of a domain',
    { domain: { ...domain, ttl: 60 } },
    'domain.ttl',
    'is unknown; allowed are hostedZoneId',
  ],
  [
    'a hosted zone without its name',
    { domain: { hostedZoneId: 'Z0EXAMPLE' } },
    'domain.hostedZoneName',
    'is missing, it must be a full host name',
  ],
  [
    'a hosted zone without its id',
    { domain: { hostedZoneName: 'example.com' } },
    'domain.hostedZoneId',
    'is missing, it must be the id of a Route 53 hosted zone',
  ],
  [
    'a hosted zone’s path as id',
    { domain: { ...domain, hostedZoneId: '/hostedzone/Z0EXAMPLE' } },
    'domain.hostedZoneId',
    'Z, then 5 to 31 capital letters',
  ],
  [
    'a hosted zone with a trailing dot',
    { domain: { ...domain, hostedZoneName: 'example.com.' } },
    'domain.hostedZoneName',
    'must be a full host name',
  ],
  [
    'a hosted zone of another name',
    { domain: { ...domain, hostedZoneName: 's.example.com' } },
    'domain.hostedZoneName',
    "s.example.com doesn't hold the hostname keys.eu.example.com",
  ],
  [
    'a hosted zone that only ends alike',
    { domain: { ...domain, hostedZoneName: 'u.example.com' } },
    'domain.hostedZoneName',
    'end in .u.example.com',
  ],
  [
    'a hostname longer than ACM takes',
    { hostname: longHostname(65) },
    'hostname',
    "has 65 characters; with a hosted zone it must be at most 64, ACM's limit",
  ],
  [
    'no certificates by region',
    { domain: { certificateArns: [] } },
    'domain.certificateArns',
    'must be an object by region',
  ],
  [
    'a certificate of a foreign region',
    {
      domain: {
        certificateArns: { ...ARNS, 'us-east-1': `arn:aws:acm:us-east-1:222222222222:${CERTIFICATE}` },
      },
    },
    'domain.certificateArns.us-east-1',
    "isn't in the zone; allowed are eu-central-1, eu-west-3",
  ],
  [
    'a region without a certificate',
    { domain: { certificateArns: { 'eu-west-3': ARNS['eu-west-3'] } } },
    'domain.certificateArns.eu-central-1',
    'is missing, it must be arn:aws:acm:eu-central-1:222222222222:certificate/<id>',
  ],
  [
    'another region’s certificate',
    { domain: { certificateArns: { ...ARNS, 'eu-west-3': ARNS['eu-central-1'] } } },
    'domain.certificateArns.eu-west-3',
    'must be arn:aws:acm:eu-west-3:222222222222:',
  ],
  [
    'another account’s certificate',
    {
      domain: {
        certificateArns: { ...ARNS, 'eu-west-3': `arn:aws:acm:eu-west-3:111111111111:${CERTIFICATE}` },
      },
    },
    'domain.certificateArns.eu-west-3',
    'must be arn:aws:acm:eu-west-3:222222222222:',
  ],
  [
    'a certificate without a proper id',
    {
      domain: {
        certificateArns: { ...ARNS, 'eu-west-3': 'arn:aws:acm:eu-west-3:222222222222:certificate/1' },
      },
    },
    'domain.certificateArns.eu-west-3',
    'must be arn:aws:acm',
  ],

  [
    'no address ranges by region',
    { addressRanges: ['10.0.0.0/16'] },
    'addressRanges',
    'must be an object by region',
  ],
  [
    'an address range of a foreign region',
    { addressRanges: { 'us-east-1': '10.1.0.0/16' } },
    'addressRanges.us-east-1',
    "isn't in the zone",
  ],
  [
    'an address without a prefix',
    { addressRanges: { 'eu-west-3': '10.1.0.0' } },
    'addressRanges.eu-west-3',
    '"10.1.0.0" must be an IPv4 range such as',
  ],
  [
    'an IPv6 range',
    { addressRanges: { 'eu-west-3': 'fd00::/16' } },
    'addressRanges.eu-west-3',
    'must be an IPv4 range',
  ],
  [
    'an address inside its range',
    { addressRanges: { 'eu-west-3': '10.1.0.1/16' } },
    'addressRanges.eu-west-3',
    '10.1.0.1/16 must begin at the first address of the range: 10.1.0.0/16',
  ],
  [
    'a range that is too wide',
    { addressRanges: { 'eu-west-3': '10.0.0.0/15' } },
    'addressRanges.eu-west-3',
    '10.0.0.0/15 must be /16 to /20',
  ],
  [
    'a range that is too narrow',
    { addressRanges: { 'eu-west-3': '10.0.0.0/21' } },
    'addressRanges.eu-west-3',
    '10.0.0.0/21 must be /16 to /20',
  ],
  [
    'a public range',
    { addressRanges: { 'eu-west-3': '172.32.0.0/16' } },
    'addressRanges.eu-west-3',
    '172.32.0.0/16 must be private: inside 10.0.0.0/8',
  ],
  [
    'a range over another region’s default',
    { addressRanges: { 'eu-west-3': '10.82.16.0/20' } },
    'addressRanges.eu-west-3',
    '10.82.16.0/20 overlaps 10.82.0.0/16 of eu-central-1 (the default)',
  ],
  [
    'an origin’s range over a replica’s default',
    { addressRanges: { 'eu-central-1': '10.89.0.0/16' } },
    'addressRanges.eu-central-1',
    '10.89.0.0/16 overlaps 10.89.0.0/16 of eu-west-3 (the default)',
  ],
  [
    'two ranges over each other',
    { addressRanges: { 'eu-central-1': '10.1.0.0/16', 'eu-west-3': '10.1.240.0/20' } },
    'addressRanges.eu-west-3',
    '10.1.240.0/20 overlaps 10.1.0.0/16 of eu-central-1; the regions',
  ],

  [
    'no availability zones by region',
    { availabilityZones: 'eu-west-3a' },
    'availabilityZones',
    'must be an object by region',
  ],
  [
    'availability zones of a foreign region',
    { availabilityZones: { 'us-east-1': ['us-east-1a', 'us-east-1b'] } },
    'availabilityZones.us-east-1',
    "isn't in the zone",
  ],
  [
    'one availability zone',
    { availabilityZones: { 'eu-west-3': ['eu-west-3a'] } },
    'availabilityZones.eu-west-3',
    'must be a list of two or three names such as eu-west-3a',
  ],
  [
    'four availability zones',
    { availabilityZones: { 'eu-west-3': ['a', 'b', 'c', 'd'] } },
    'availabilityZones.eu-west-3',
    'two or three',
  ],
  [
    'another region’s availability zone',
    { availabilityZones: { 'eu-west-3': ['eu-west-3a', 'eu-west-1b'] } },
    'availabilityZones.eu-west-3[1]',
    '"eu-west-1b" must be eu-west-3 and a letter',
  ],
  [
    'a letter alone',
    { availabilityZones: { 'eu-west-3': ['b', 'eu-west-3a'] } },
    'availabilityZones.eu-west-3[0]',
    '"b" must be eu-west-3 and a letter',
  ],
  [
    'an availability zone twice',
    { availabilityZones: { 'eu-west-3': ['eu-west-3a', 'eu-west-3a'] } },
    'availabilityZones.eu-west-3[1]',
    'eu-west-3a is listed twice',
  ],

  [
    'an image that is a text',
    { image: 'keyhearth' },
    'image',
    'must be an object with repository, digest, is "keyhearth"',
  ],
  [
    'an image with a tag',
    { image: { ...image, tag: 'v1' } },
    'image.tag',
    'is unknown; allowed are repository, digest',
  ],
  [
    'a repository with its registry',
    { image: { ...image, repository: '222222222222.dkr.ecr.eu-west-3.amazonaws.com/Key' } },
    'image.repository',
    'ECR repository without its registry',
  ],
  ['a repository of one letter', { image: { ...image, repository: 'k' } }, 'image.repository', '2 to 256'],
  [
    'a repository of 257 letters',
    { image: { ...image, repository: 'k'.repeat(257) } },
    'image.repository',
    '2 to 256',
  ],
  ['a tag as digest', { image: { ...image, digest: 'latest' } }, 'image.digest', 'sha256: and 64 hex digits'],

  [
    'events that are a text',
    { events: 'firehose' },
    'events',
    'must be an object with kind firehose or clickhouse',
  ],
  [
    'an unknown kind of sink',
    { events: { kind: 'kafka' } },
    'events.kind',
    '"kafka" must be one of firehose, clickhouse',
  ],
  [
    'a sink without a kind',
    { events: {} },
    'events.kind',
    'is missing, it must be one of firehose, clickhouse',
  ],
  [
    'Firehose with a port',
    { events: { kind: 'firehose', port: 1 } },
    'events.port',
    'is unknown; allowed are kind',
  ],
  [
    'ClickHouse with a password',
    { events: { ...events, password: 'x' } },
    'events.password',
    'is unknown; allowed are kind, secretName',
  ],
  [
    'ClickHouse without a secret',
    { events: { ...events, secretName: undefined } },
    'events.secretName',
    'is missing, it must be a name of Secrets Manager',
  ],
  [
    'a secret with a space',
    { events: { ...events, secretName: 'click house' } },
    'events.secretName',
    'letters, digits and /_+=.@-',
  ],
  [
    'a secret that looks like an ARN’s end',
    { events: { ...events, secretName: 'clickhouse-aBcDeF' } },
    'events.secretName',
    'without a hyphen before the last six',
  ],
  [
    'a port beyond all ports',
    { events: { ...events, port: 65_536 } },
    'events.port',
    '65536 must be a whole number from 1 to 65535',
  ],
  [
    'a port as a text',
    { events: { ...events, port: '8443' } },
    'events.port',
    '"8443" must be a whole number',
  ],
  [
    'ClickHouse nowhere',
    { events: { ...events, addressRanges: [] } },
    'events.addressRanges',
    'must be a list of at least one IPv4 range',
  ],
  [
    'ClickHouse by host name',
    { events: { ...events, addressRanges: ['ch.example.com'] } },
    'events.addressRanges[0]',
    '"ch.example.com" must be an IPv4 range',
  ],
  [
    'a server’s address inside its range',
    { events: { ...events, addressRanges: ['203.0.113.7/24'] } },
    'events.addressRanges[0]',
    'first address of the range: 203.0.113.0/24',
  ],
  [
    'a server’s range twice',
    { events: { ...events, addressRanges: ['10.0.0.0/16', '10.0.0.0/16'] } },
    'events.addressRanges[1]',
    '10.0.0.0/16 is listed twice',
  ],
  [
    'a server’s range wider than a /16 with a residency',
    { events: { ...events, addressRanges: ['3.0.0.0/15'] } },
    'events.addressRanges[0]',
    '/16 at the widest',
  ],
  [
    'the network of a region as a server’s range',
    { events: { ...events, addressRanges: ['10.82.0.0/16'] } },
    'events.addressRanges[0]',
    "10.82.0.0/16 holds the whole network of eu-central-1, 10.82.0.0/16; name the server's own addresses, such as 10.82.0.0/32",
  ],
  [
    'a range around a region’s network without a residency',
    { residency: undefined, events: { ...events, addressRanges: ['172.16.0.0/12'] } },
    'events.addressRanges[0]',
    '172.16.0.0/12 holds the whole network of eu-west-3, 172.16.0.0/20',
  ],
  [
    'twenty-one ranges',
    { events: { ...events, addressRanges: ranges(21) } },
    'events.addressRanges',
    'lists 21 ranges; at most 20',
  ],
  [
    'ClickHouse anywhere with a residency',
    { events: { ...events, addressRanges: ['0.0.0.0/0'] } },
    'events.addressRanges[0]',
    '0.0.0.0/0 would let usage events leave the residency EU for anywhere',
  ],
  [
    'half of everything with a residency',
    { events: { ...events, addressRanges: ['128.0.0.0/1'] } },
    'events.addressRanges[0]',
    '/16 at the widest',
  ],
])('%s is refused with field and what is allowed', (_, change, field, message) => {
  const problems = problemsWith(change);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(new RegExp(`^${field.replaceAll(/[.[\]]/g, String.raw`\$&`)}: `));
  expect(problems[0]).toContain(message);
});

test('a wrong account doesn’t make the certificates wrong as well', () => {
  const change = { account: '1', domain: { certificateArns: ARNS } };
  expect(problemsWith(change)).toEqual(['account: "1" must be 12 digits']);
});

test('a zone alone in its environment can know none', () => {
  expect(problemsOf(withZones({ ...EU_ZONE, knownZones: ['global'] }))).toEqual([
    'production/eu: knownZones[0]: "global" is no zone of the environment; allowed are none, there is no other zone',
  ]);
});
