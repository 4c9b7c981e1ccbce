import { expect, test } from 'vitest';

import { FARGATE_MEMORY_MB } from './aws-sizes.ts';
import { EU_ZONE, LARGE, problemsOf, problemsWith, withZones } from './test-zones.ts';
import { AWS_REGION_CODES } from './aws-regions.ts';

/** A zone of one region, which no other one has to stand in for. */
const ALONE = { ...LARGE, residency: 'EU', origin: 'eu-central-1', replicas: [] };

test.each<[string, object, string, string]>([
  ['no tasks', { minTasks: 0 }, 'minTasks', '0 must be a whole number from 1 to 1000'],
  ['half a task', { maxTasks: 2.5 }, 'maxTasks', '2.5 must be a whole number'],
  [
    'more tasks at least than at most',
    { minTasks: 5, maxTasks: 4 },
    'minTasks',
    '5 is more than maxTasks, 4',
  ],
  [
    'more tasks at least than the default allows',
    { minTasks: 9 },
    'minTasks',
    '9 is more than maxTasks, 8 (the default)',
  ],
  [
    'fewer tasks at most than the default has',
    { maxTasks: 1 },
    'maxTasks',
    '1 is less than minTasks, 2 (the default)',
  ],
  [
    'vCPUs that Fargate hasn’t got',
    { taskVcpu: 3 },
    'taskVcpu',
    '3 must be one of 0.25, 0.5, 1, 2, 4, 8, 16, 32',
  ],
  [
    'memory without a number',
    { taskMemoryMb: '2048' },
    'taskMemoryMb',
    '"2048" must be a whole number from 512',
  ],
  [
    'too little memory',
    { taskVcpu: 1, taskMemoryMb: 1024 },
    'taskMemoryMb',
    "1024 doesn't go with taskVcpu 1; Fargate allows 2048 to 8192 in steps of 1024",
  ],
  [
    'memory off the steps',
    { taskVcpu: 8, taskMemoryMb: 17_408 },
    'taskMemoryMb',
    'Fargate allows 16384 to 61440 in steps of 4096',
  ],
  [
    'too much memory for the default vCPUs',
    { taskMemoryMb: 16_384 },
    'taskMemoryMb',
    "16384 doesn't go with taskVcpu 1 (the default)",
  ],
  [
    'vCPUs that need more than the default memory',
    { taskVcpu: 2 },
    'taskVcpu',
    "2 doesn't go with taskMemoryMb 2048 (the default); Fargate allows 4096 to 16384",
  ],
  ['too few requests', { requestsPerTask: 0 }, 'requestsPerTask', 'from 1 to 100000'],
  ['too many requests', { requestsPerTask: 100_001 }, 'requestsPerTask', 'from 1 to 100000'],
  ['too low a target', { cpuTargetPercent: 9 }, 'cpuTargetPercent', 'from 10 to 90'],
  ['too high a target', { cpuTargetPercent: 91 }, 'cpuTargetPercent', 'from 10 to 90'],
  ['a quarter of a capacity unit', { databaseMinAcu: 0.75 }, 'databaseMinAcu', '0.5 to 256 in steps of 0.5'],
  ['a capacity that pauses', { databaseMinAcu: 0 }, 'databaseMinAcu', '0 must be 0.5 to 256'],
  [
    'half a capacity unit at most',
    { databaseMinAcu: 0.5, databaseMaxAcu: 0.5 },
    'databaseMaxAcu',
    '0.5 must be 1 to 256',
  ],
  [
    'more capacity at least than at most',
    { databaseMinAcu: 9 },
    'databaseMinAcu',
    '9 is more than databaseMaxAcu, 8 (the default)',
  ],
  [
    'an instance class with db.',
    { databaseInstanceClass: 'db.r8g.large' },
    'databaseInstanceClass',
    '"db.r8g.large" must be serverless, or a size',
  ],
  [
    'a family that Aurora hasn’t got',
    { databaseInstanceClass: 'm7g.large' },
    'databaseInstanceClass',
    'of r5, r6g, r6gd',
  ],
  [
    'a family without a size',
    { databaseInstanceClass: 'r8g' },
    'databaseInstanceClass',
    'for example r8g.large',
  ],
  ...(
    [
      ['r6g.medium', 'for r6g one of the sizes large, xlarge,'],
      ['t3.32xlarge', 'for t3 one of the sizes medium, large'],
      ['r6id.large', 'for r6id one of the sizes 24xlarge, 32xlarge'],
      ['r6i.medium', 'for r6i one of the sizes large'],
      ['r8g.3xlarge', 'for r8g one of the sizes large'],
      ['r8g.0xlarge', '12xlarge, 16xlarge, 24xlarge, 48xlarge'],
      ['r8g.large.large', 'for r8g one of the sizes large'],
    ] as const
  ).map(([databaseInstanceClass, message]): [string, object, string, string] => [
    `the class ${databaseInstanceClass}`,
    { databaseInstanceClass },
    'databaseInstanceClass',
    message,
  ]),
  ['no instance', { databaseInstances: 0 }, 'databaseInstances', 'from 1 to 16'],
  ['too many instances', { databaseInstances: 17 }, 'databaseInstances', 'from 1 to 16'],
  ['an unknown field', { tasks: 2 }, 'tasks', 'is unknown; allowed are minTasks, maxTasks'],
])('%s is refused where it is written, for all regions and for one', (_, size, name, message) => {
  for (const key of ['default', 'eu-central-1']) {
    const problems = problemsWith({ ...ALONE, sizes: { [key]: size } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`sizes.${key}.${name}: `);
    expect(problems[0]).toContain(message);
  }
});

test('every amount of memory that Fargate has passes, and what lies between and beside does not', () => {
  const amounts = [...FARGATE_MEMORY_MB].flatMap(([, { amountsMb }]) => [...amountsMb]);
  for (const [taskVcpu, { amountsMb }] of FARGATE_MEMORY_MB) {
    for (const taskMemoryMb of new Set([...amounts, ...amounts.map((mb) => mb + 512)])) {
      const problems = problemsWith({ ...ALONE, sizes: { default: { taskVcpu, taskMemoryMb } } });
      expect(problems.length === 0).toBe(amountsMb.includes(taskMemoryMb));
    }
  }
  expect(
    [...FARGATE_MEMORY_MB].map(([vcpu, { amountsMb }]) => [
      vcpu,
      amountsMb.length,
      amountsMb[0],
      amountsMb.at(-1),
    ]),
  ).toEqual([
    [0.25, 3, 512, 2048],
    [0.5, 4, 1024, 4096],
    [1, 7, 2048, 8192],
    [2, 13, 4096, 16_384],
    [4, 23, 8192, 30_720],
    [8, 12, 16_384, 61_440],
    [16, 12, 32_768, 122_880],
    [32, 3, 61_440, 249_856],
  ]);
});

test('a region’s own field is judged together with the zone’s default, and reported at the region', () => {
  const sizes = { default: { minTasks: 4, maxTasks: 8 }, 'eu-central-1': { maxTasks: 3 } };
  expect(problemsWith({ ...ALONE, sizes })).toEqual([
    'sizes.eu-central-1.maxTasks: 3 is less than minTasks, 4',
  ]);
});

test('a wrong default that every region overrides is none', () => {
  const sizes = { default: { minTasks: 9 }, 'eu-central-1': { minTasks: 2 } };
  expect(problemsWith({ ...ALONE, sizes })).toEqual([]);
});

test('a wrong default that several regions take is reported once', () => {
  const sizes = { default: { databaseMinAcu: 9 } };
  expect(problemsWith({ sizes })).toEqual([
    'sizes.default.databaseMinAcu: 9 is more than databaseMaxAcu, 8 (the default)',
  ]);
});

test('a wrong default is found where no region is known', () => {
  const problems = problemsWith({ ...ALONE, origin: 'x', sizes: { default: { minTasks: 9 } } });
  expect(problems).toHaveLength(2);
  expect(problems[1]).toContain('sizes.default.minTasks: 9 is more than');
});

test('a burstable class is for a zone of one region only', () => {
  const sizes = { default: { databaseInstanceClass: 't4g.medium' } };
  expect(problemsWith({ ...ALONE, sizes })).toEqual([]);
  expect(problemsWith({ sizes })).toEqual([
    expect.stringMatching(
      /^sizes\.default\.databaseInstanceClass: t4g\.medium can't be part of a global database/,
    ),
  ]);
});

test('each replica costs the database of home an instance', () => {
  const zone = (databaseInstances: number): unknown =>
    withZones({
      ...EU_ZONE,
      ...LARGE,
      origin: AWS_REGION_CODES[0],
      replicas: AWS_REGION_CODES.slice(1, 4),
      sizes: { default: { databaseInstances } },
    });
  expect(problemsOf(zone(13))).toEqual([]);
  expect(problemsOf(zone(14))).toEqual([
    expect.stringContaining(
      'sizes.default.databaseInstances: 14 is more than the 13 that home can have beside 3 replicas',
    ),
  ]);
});

test('a region that can’t absorb the loss of the largest one is refused, with what to raise', () => {
  const sizes = { 'eu-central-1': { minTasks: 3 }, 'eu-west-3': { taskVcpu: 0.5 } };
  expect(problemsWith({ sizes })).toEqual([
    "sizes.eu-west-3.minTasks: 2 tasks of 0.5 vCPU can't absorb the loss of eu-central-1, which keeps 3 of 1: its clients go to the next region at once; raise minTasks of eu-west-3 to 6, or set regionLoss: 'scale-out'",
  ]);
  expect(problemsWith({ sizes, regionLoss: undefined })).toHaveLength(1);
  expect(problemsWith({ sizes, regionLoss: 'scale-out' })).toEqual([]);
  expect(problemsWith({ sizes: { ...sizes, 'eu-west-3': { taskVcpu: 0.5, minTasks: 6 } } })).toEqual([]);
});

test('a region with fewer but larger tasks absorbs as well', () => {
  const sizes = {
    'eu-central-1': { minTasks: 4 },
    'eu-west-3': { taskVcpu: 4, taskMemoryMb: 8192, minTasks: 1 },
  };
  expect(problemsWith({ sizes })).toEqual([]);
});

test('what to raise says so where the most tasks have to rise too', () => {
  const sizes = { 'eu-central-1': { minTasks: 10, maxTasks: 10 } };
  expect(problemsWith({ sizes })[0]).toContain('raise minTasks of eu-west-3 to 10 and maxTasks with it, or');
});

test('a processor target that twice the load exceeds is refused unless the loss of a region may cost time', () => {
  const sizes = { default: { cpuTargetPercent: 51 } };
  expect(problemsWith({ sizes })).toEqual([
    expect.stringMatching(
      /^sizes\.default\.cpuTargetPercent: 51 leaves no room .*; at most 50, or set regionLoss/,
    ),
  ]);
  expect(problemsWith({ sizes, regionLoss: 'scale-out' })).toEqual([]);
  expect(problemsWith({ ...ALONE, sizes })).toEqual([]);
});
