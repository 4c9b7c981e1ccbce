/**
 * Type tests: this file is only compiled (`npm run check:types`), never run. Each `@ts-expect-error` fails the check when the line
 * below it compiles.
 */
import type { Checked, Topology } from './types.ts';

const zone = {
  name: 'eu',
  hostname: 'eu.example.com',
  account: '222222222222',
  residency: 'EU',
  origin: 'eu-central-1',
  replicas: ['eu-west-3'],
} as const;

const good = {
  environments: { production: { zones: [zone] }, staging: { zones: [zone, { ...zone, name: 'other' }] } },
} as const satisfies Topology;
good satisfies Checked<typeof good>;

const foreignReplica = {
  environments: { p: { zones: [{ ...zone, replicas: ['eu-west-3', 'us-east-1'] }] } },
} as const satisfies Topology;
// @ts-expect-error us-east-1 is outside the residency EU
foreignReplica satisfies Checked<typeof foreignReplica>;

const foreignOrigin = {
  environments: { p: { zones: [{ ...zone, origin: 'eu-west-2' }] } },
} as const satisfies Topology;
// @ts-expect-error London is not under the EU's jurisdiction
foreignOrigin satisfies Checked<typeof foreignOrigin>;

const originAsReplica = {
  environments: { p: { zones: [{ ...zone, replicas: ['eu-west-3', 'eu-central-1'] }] } },
} as const satisfies Topology;
// @ts-expect-error the origin is listed among the replicas
originAsReplica satisfies Checked<typeof originAsReplica>;

const regionTwice = {
  environments: { p: { zones: [{ ...zone, replicas: ['eu-west-3', 'eu-west-1', 'eu-west-3'] }] } },
} as const satisfies Topology;
// @ts-expect-error eu-west-3 is listed twice
regionTwice satisfies Checked<typeof regionTwice>;

const zoneTwice = {
  environments: { p: { zones: [zone, { ...zone, hostname: 'other.example.com' }] } },
} as const satisfies Topology;
// @ts-expect-error two zones of one environment are named eu
zoneTwice satisfies Checked<typeof zoneTwice>;

const shortAccount = {
  environments: { p: { zones: [{ ...zone, account: '22222222222' }] } },
} as const satisfies Topology;
// @ts-expect-error an account id has 12 digits
shortAccount satisfies Checked<typeof shortAccount>;

const strangeSize = {
  environments: { p: { zones: [{ ...zone, sizes: { 'us-east-1': { minTasks: 3 } } }] } },
} as const satisfies Topology;
// @ts-expect-error us-east-1 has a size but isn't in the zone
strangeSize satisfies Checked<typeof strangeSize>;

const strangeRange = {
  environments: { p: { zones: [{ ...zone, addressRanges: { 'us-east-1': '10.1.0.0/16' } }] } },
} as const satisfies Topology;
// @ts-expect-error us-east-1 has an address range but isn't in the zone
strangeRange satisfies Checked<typeof strangeRange>;

const strangeAvailabilityZones = {
  environments: {
    p: { zones: [{ ...zone, availabilityZones: { 'us-east-1': ['us-east-1a', 'us-east-1b'] } }] },
  },
} as const satisfies Topology;
// @ts-expect-error us-east-1 has availability zones but isn't in the zone
strangeAvailabilityZones satisfies Checked<typeof strangeAvailabilityZones>;

const strangeCertificate = {
  environments: { p: { zones: [{ ...zone, domain: { certificateArns: { 'us-east-1': 'arn' } } }] } },
} as const satisfies Topology;
// @ts-expect-error us-east-1 has a certificate but isn't in the zone
strangeCertificate satisfies Checked<typeof strangeCertificate>;

const strangeKnownZone = {
  environments: { p: { zones: [{ ...zone, knownZones: ['global'] }] } },
} as const satisfies Topology;
// @ts-expect-error there is no zone global in the environment
strangeKnownZone satisfies Checked<typeof strangeKnownZone>;

const knowsItself = {
  environments: { p: { zones: [{ ...zone, knownZones: ['eu'] }] } },
} as const satisfies Topology;
// @ts-expect-error a zone needn't know itself
knowsItself satisfies Checked<typeof knowsItself>;

const everyChoice = {
  environments: {
    p: {
      zones: [
        {
          ...zone,
          knownZones: ['other'],
          sizes: { default: { minTasks: 3 }, 'eu-west-3': { maxTasks: 9 } },
          addressRanges: { 'eu-west-3': '10.1.0.0/16' },
          availabilityZones: { 'eu-west-3': ['eu-west-3a', 'eu-west-3b'] },
          domain: { certificateArns: { 'eu-central-1': 'arn', 'eu-west-3': 'arn' } },
        },
        { ...zone, name: 'other', domain: { hostedZoneId: 'Z0EXAMPLE', hostedZoneName: 'example.com' } },
      ],
    },
  },
} as const satisfies Topology;
everyChoice satisfies Checked<typeof everyChoice>;

const widened: Topology = good;
// @ts-expect-error without literal types nothing could be checked
widened satisfies Checked<typeof widened>;

// @ts-expect-error no such AWS region
({ ...zone, replicas: ['eu-west-9'] }) as const satisfies Topology['environments'][string]['zones'][number];

// @ts-expect-error no such residency
({ ...zone, residency: 'Europe' }) as const satisfies Topology['environments'][string]['zones'][number];

const noOrigin = { name: 'eu', hostname: 'eu.example.com', account: '222222222222', replicas: [] } as const;
// @ts-expect-error a zone without an origin
noOrigin satisfies Topology['environments'][string]['zones'][number];

const withoutResidency = {
  environments: {
    p: {
      zones: [
        {
          name: 'global',
          hostname: 'g.example.com',
          account: '111111111111',
          origin: 'us-east-1',
          replicas: ['eu-west-1'],
        },
      ],
    },
  },
} as const satisfies Topology;
withoutResidency satisfies Checked<typeof withoutResidency>;
