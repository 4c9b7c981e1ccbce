import type { Checked, Topology } from './topology/types.ts';

/**
 * Where Keyhearth runs: the one description that the infrastructure, the service, the scripts, the platform on a laptop and the
 * load tests all read. Data only. Hostnames, accounts, hosted zones and addresses are examples: put in your own before a deployment.
 * Every choice and its default: topology/types.ts. The first environment is what `npm start` and `cdk deploy` take unless another is named.
 */
const topology = {
  environments: {
    production: {
      zones: [
        {
          // Part of every key of the zone, so it can't be renamed. Other values that can't be changed once deployed say "for ever".
          name: 'global',
          // What clients call; each zone has its own, for ever.
          hostname: 'keys.example.com',
          // For ever. One account for each zone keeps their data and their limits apart; a zone with a residency shares its account with no other.
          account: '111111111111',
          // Where the database is first made: for ever, while home can move.
          origin: 'us-east-1',
          // Add or remove a region here; at most 8 beside the origin can be deployed.
          replicas: ['eu-west-1', 'ap-southeast-1'],
          sizes: {
            default: {
              // Task numbers are per region. Set both to the same to switch scaling off.
              minTasks: 3,
              maxTasks: 12,
              // Fargate has a range of memory for each number of vCPUs; hot keys live in this memory.
              taskVcpu: 1,
              taskMemoryMb: 2048,
              // Tasks are added above either of these: requests per second and task, processor use in percent.
              requestsPerTask: 1000,
              cpuTargetPercent: 40,
              // 'serverless' scales between two numbers of capacity units; AWS advises at least 8 for home. A class such as 'r8g.large' doesn't scale.
              databaseInstanceClass: 'serverless',
              // At least 8 units × 2 instances × 730 hours × $0.12, $0.14 and $0.20 in the three regions: about $5,400 a month (docs/PRICES.md).
              databaseMinAcu: 8,
              databaseMaxAcu: 32,
              // Per region: one that writes while the region is home, the others read.
              databaseInstances: 2,
            },
            // A region overrides single fields.
            'us-east-1': { maxTasks: 16 },
          },
          // 'absorb' asks every region for minTasks enough to take over the largest one's clients; 'scale-out' accepts minutes of overload.
          regionLoss: 'absorb',
          // What a task may answer from memory while it is behind home, and what it does beyond that: 'serve', 'confirm' or 'refuse'.
          maxStalenessMs: 10_000,
          stalenessMode: 'serve',
          // Callers with a key of these zones are told their hostnames. Leave it out for zones that shouldn't know each other.
          knownZones: ['eu'],
          // A public hosted zone of this account. For DNS elsewhere: { certificateArns: { 'us-east-1': 'arn:aws:acm:…', … } }.
          domain: { hostedZoneId: 'Z0EXAMPLE0000GLOBAL', hostedZoneName: 'example.com' },
          // For ever, each from its region's first deployment. Default: a /16 for each region (topology/region-defaults.ts). Give your own where networks are connected to yours.
          addressRanges: { 'us-east-1': '10.95.0.0/16' },
          // Two or three; the first two are for ever, in this order. Default: the first three that accounts usually have.
          availabilityZones: { 'us-east-1': ['us-east-1a', 'us-east-1b', 'us-east-1c'] },
          // Default: the image is built from this repository. From ECR: image: { repository: 'keyhearth', digest: 'sha256:…' }, in every region.
          // Usage events: to S3, or { kind: 'clickhouse', secretName: 'keyhearth/clickhouse', addressRanges: ['203.0.113.7/32'], port: 8443 }.
          events: { kind: 'firehose' },
          // Default: no firewall. It counts per client address, and servers call from few: firewall: { requestsPer5Minutes: 3_000_000 }.
          // Who gets the mails; each region sends one to confirm first.
          alarms: { email: 'ops@example.com' },
          // Tells the same address; stops nothing. Not with every origin (topology/aws-offers.ts).
          budget: { usdPerMonth: 8000 },
          // In days; log days are one of CloudWatch's steps.
          retention: { logDays: 30, backupDays: 14, eventDays: 400 },
          // Keeps data and the accelerator's addresses when a stack is deleted by mistake.
          deletionProtection: true,
        },
        {
          name: 'eu',
          hostname: 'keys.eu.example.com',
          account: '222222222222',
          // Only regions under this jurisdiction; nothing of the zone is stored outside them.
          residency: 'EU',
          origin: 'eu-central-1',
          replicas: ['eu-west-3'],
          sizes: { default: { databaseMinAcu: 8, databaseMaxAcu: 16 } },
          knownZones: ['global'],
          domain: { hostedZoneId: 'Z0EXAMPLE00000000EU', hostedZoneName: 'eu.example.com' },
          alarms: { email: 'ops@example.com' },
          budget: { usdPerMonth: 5000 },
          retention: { logDays: 30, backupDays: 14, eventDays: 400 },
        },
      ],
    },
    // To try it out in AWS at little cost: one region and nothing spare. When its stacks are deleted a last snapshot of the database stays,
    // the bucket of events unless it is empty, and for 7 days the keys.
    trial: {
      zones: [
        {
          name: 'trial',
          hostname: 'keys.trial.example.com',
          account: '333333333333',
          origin: 'eu-west-1',
          replicas: [],
          sizes: {
            default: {
              minTasks: 1,
              maxTasks: 2,
              taskVcpu: 0.5,
              taskMemoryMb: 1024,
              databaseMinAcu: 0.5,
              databaseMaxAcu: 2,
              databaseInstances: 1,
            },
          },
          domain: { hostedZoneId: 'Z0EXAMPLE00000TRIAL', hostedZoneName: 'trial.example.com' },
          availabilityZones: { 'eu-west-1': ['eu-west-1a', 'eu-west-1b'] },
          alarms: { email: 'ops@example.com' },
          budget: { usdPerMonth: 300 },
          retention: { logDays: 7, backupDays: 1, eventDays: 30 },
          deletionProtection: false,
        },
      ],
    },
  },
} as const satisfies Topology;

export default topology satisfies Checked<typeof topology>;
