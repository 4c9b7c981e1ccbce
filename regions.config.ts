import type { Checked, Topology } from './topology/types.ts';

/**
 * Where Keyhearth runs: the one description that the infrastructure, the service, the scripts, the platform on a laptop and the
 * load tests all read. Data only. Hostnames and accounts are examples: put in your own before a deployment.
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
            default: { minTasks: 2, maxTasks: 8 },
            'us-east-1': { minTasks: 3, maxTasks: 12 },
          },
        },
        {
          name: 'eu',
          hostname: 'keys.eu.example.com',
          account: '222222222222',
          residency: 'EU',
          origin: 'eu-central-1',
          replicas: ['eu-west-3'],
        },
      ],
    },
  },
} as const satisfies Topology;

export default topology satisfies Checked<typeof topology>;
