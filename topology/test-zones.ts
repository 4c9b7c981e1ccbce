import { TopologyError } from './problems.ts';
import { parseTopology } from './validate.ts';

/** A zone with what every zone needs, and no choice beyond. For tests. */
export const EU_ZONE = {
  name: 'eu',
  hostname: 'keys.eu.example.com',
  account: '222222222222',
  residency: 'EU',
  origin: 'eu-central-1',
  replicas: ['eu-west-3'],
};

/** A zone that makes every choice there is, correctly; its environment has a zone `global` as well. */
export const EVERY_CHOICE = {
  ...EU_ZONE,
  maxStalenessMs: 5000,
  stalenessMode: 'confirm',
  sizes: {
    default: {
      minTasks: 2,
      maxTasks: 4,
      taskVcpu: 2,
      taskMemoryMb: 4096,
      requestsPerTask: 500,
      cpuTargetPercent: 50,
      databaseMinAcu: 1,
      databaseMaxAcu: 16,
      databaseInstanceClass: 'r8g.large',
      databaseInstances: 3,
    },
    'eu-west-3': { minTasks: 3 },
    'eu-central-1': { minTasks: 3 },
  },
  regionLoss: 'absorb',
  knownZones: ['global'],
  domain: { hostedZoneId: 'Z0EXAMPLE0000000EU', hostedZoneName: 'eu.example.com' },
  addressRanges: { 'eu-west-3': '172.16.0.0/20' },
  availabilityZones: { 'eu-west-3': ['eu-west-3a', 'eu-west-3c'] },
  image: { repository: 'platform/keyhearth', digest: `sha256:${'0a'.repeat(32)}` },
  events: {
    kind: 'clickhouse',
    secretName: 'keyhearth/clickhouse',
    addressRanges: ['203.0.113.7/32'],
    port: 8443,
  },
  firewall: { requestsPer5Minutes: 100_000 },
  alarms: { email: 'ops@example.com' },
  budget: { usdPerMonth: 1200.5 },
  retention: { logDays: 90, backupDays: 35, eventDays: 3650 },
  deletionProtection: false,
};

/** Put over a zone with many regions: nothing that names one of them. */
export const LARGE = {
  residency: undefined,
  sizes: undefined,
  addressRanges: undefined,
  availabilityZones: undefined,
  knownZones: undefined,
  // Not every origin can have one.
  budget: undefined,
};

/** What `EVERY_CHOICE` knows. */
const GLOBAL_ZONE = {
  name: 'global',
  hostname: 'keys.example.com',
  account: '111111111111',
  origin: 'us-east-1',
  replicas: [],
  domain: { hostedZoneId: 'Z0EXAMPLE', hostedZoneName: 'example.com' },
};

export function withZones(...zones: readonly object[]): unknown {
  return { environments: { production: { zones } } };
}

/** Every problem as `zone: field: message`. */
export function problemsOf(
  value: unknown,
  options: { readonly forDeployment?: boolean } = {},
): readonly string[] {
  try {
    parseTopology(value, options);
    return [];
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    return error.problems.map(({ zone, field, message }) => `${zone}: ${field}: ${message}`);
  }
}

/** Problems of `EVERY_CHOICE` with some fields changed, as `field: message`. */
export function problemsWith(change: object): readonly string[] {
  return problemsOf(withZones({ ...EVERY_CHOICE, ...change }, GLOBAL_ZONE)).map((problem) =>
    problem.replace('production/eu: ', ''),
  );
}
