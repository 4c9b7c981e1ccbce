import type { Checked, Topology } from '../topology/types.ts';

/**
 * What tests take for `regions.config.ts`, which anybody may edit: two zones that know each other, one of them with a residency, and an
 * environment of one small zone. Written as that file is, so that its types can be tested on this text.
 */
const topology = {
  environments: {
    production: {
      zones: [
        {
          name: 'global',
          hostname: 'keys.example.com',
          account: '111111111111',
          origin: 'us-east-1',
          replicas: ['eu-west-1', 'ap-southeast-1'],
          sizes: {
            default: { minTasks: 3, maxTasks: 12, databaseMinAcu: 8, databaseMaxAcu: 32 },
            'us-east-1': { maxTasks: 16 },
          },
          regionLoss: 'absorb',
          maxStalenessMs: 10_000,
          stalenessMode: 'serve',
          knownZones: ['eu'],
          domain: { hostedZoneId: 'Z0EXAMPLE0000GLOBAL', hostedZoneName: 'example.com' },
          addressRanges: { 'us-east-1': '10.95.0.0/16' },
          availabilityZones: { 'us-east-1': ['us-east-1a', 'us-east-1b', 'us-east-1c'] },
          alarms: { email: 'ops@example.com' },
          budget: { usdPerMonth: 8000 },
        },
        {
          name: 'eu',
          hostname: 'keys.eu.example.com',
          account: '222222222222',
          residency: 'EU',
          origin: 'eu-central-1',
          replicas: ['eu-west-3'],
          knownZones: ['global'],
          domain: { hostedZoneId: 'Z0EXAMPLE00000000EU', hostedZoneName: 'eu.example.com' },
        },
      ],
    },
    trial: {
      zones: [
        {
          name: 'trial',
          hostname: 'keys.trial.example.com',
          account: '333333333333',
          origin: 'eu-west-1',
          replicas: [],
          sizes: { default: { minTasks: 1, maxTasks: 2, databaseInstances: 1 } },
          domain: { hostedZoneId: 'Z0EXAMPLE00000TRIAL', hostedZoneName: 'trial.example.com' },
          availabilityZones: { 'eu-west-1': ['eu-west-1a', 'eu-west-1b'] },
          deletionProtection: false,
        },
      ],
    },
  },
} as const satisfies Topology;

export default topology satisfies Checked<typeof topology>;
