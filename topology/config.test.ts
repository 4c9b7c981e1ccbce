import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** Wrong edits of a text such as `regions.config.ts`, and the sentence that the compiler's message has to end in. */
const MISTAKES: readonly (readonly [name: string, from: string, to: string, message: string])[] = [
  [
    'outside',
    `replicas: ['eu-west-3']`,
    `replicas: ['us-west-2']`,
    'us-west-2 is outside the residency EU of zone eu',
  ],
  [
    'outside-origin',
    `origin: 'eu-central-1'`,
    `origin: 'eu-west-2'`,
    'eu-west-2 is outside the residency EU of zone eu',
  ],
  [
    'origin-twice',
    `'ap-southeast-1']`,
    `'us-east-1']`,
    "us-east-1 is the origin of zone global and can't be one of its replicas",
  ],
  ['region-twice', `'ap-southeast-1']`, `'eu-west-1']`, 'eu-west-1 is listed twice in zone global'],
  ['zone-twice', `name: 'eu'`, `name: 'global'`, 'zone global is listed twice'],
  [
    'address-range',
    `addressRanges: { 'us-east-1'`,
    `addressRanges: { 'us-west-2'`,
    "addressRanges of zone global name us-west-2, which isn't in the zone",
  ],
  [
    'availability-zones',
    `availabilityZones: { 'eu-west-1'`,
    `availabilityZones: { 'eu-west-2'`,
    "availabilityZones of zone trial name eu-west-2, which isn't in the zone",
  ],
  [
    'certificate',
    `{ hostedZoneId: 'Z0EXAMPLE00000000EU', hostedZoneName: 'eu.example.com' }`,
    `{ certificateArns: { 'eu-west-1': 'arn' } }`,
    "certificateArns of zone eu name eu-west-1, which isn't in the zone",
  ],
  [
    'known-zone',
    `knownZones: ['global']`,
    `knownZones: ['trial']`,
    'zone eu knows trial, which is no zone of its environment',
  ],
  ['knows-itself', `knownZones: ['global']`, `knownZones: ['eu']`, 'zone eu lists itself in knownZones'],
  ['account', `'222222222222'`, `'2222-2222-22'`, 'account of zone eu must be 12 digits'],
];

/** Not everything that the compiler would have to know is there. */
const NOT_LITERAL = [
  'not-literal',
  '} as const satisfies',
  '} satisfies',
  'zones must be a literal list: write `as const` behind the topology',
] as const;

function compile(project: string): Promise<string> {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  return new Promise((resolve) => {
    // tsc exits with 2 where it found errors; they are what is looked at.
    execFile(process.execPath, [tsc, '--project', project, '--pretty', 'false'], (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}

/** Wrong edits that the shape forbids: the compiler's own message is all there is to say. */
const MISSPELT: readonly (readonly [name: string, from: string, to: string, message: string])[] = [
  ['region', `'eu-west-3'`, `'eu-west-9'`, `Did you mean '"eu-west-1"'?`],
  ['origin', `origin: 'us-east-1'`, `origin: 'us-esat-1'`, `Did you mean '"us-east-1"'?`],
  ['literal', `stalenessMode: 'serve'`, `stalenessMode: 'sreve'`, `Did you mean '"serve"'?`],
  [
    'number',
    `maxStalenessMs: 10_000`,
    `maxStalenessMs: '10 s'`,
    `Type 'string' is not assignable to type 'number'`,
  ],
  ['field', `alarms: {`, `alarm: {`, `'alarm' does not exist`],
];

test('regions.config.ts compiles, and none of the mistakes that its types forbid does', async () => {
  const folder = join(ROOT, 'node_modules', '.cache', `keyhearth-config-${process.pid}`);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(folder, { recursive: true });
  const textOf = async (path: string): Promise<string> =>
    (await readFile(join(ROOT, path), 'utf8')).replace(/'\.\.?\/topology\//, `'../../../topology/`);
  const config = await textOf('test/topology-fixture.ts');
  await writeFile(join(folder, 'good.ts'), config);
  await writeFile(join(folder, 'own.ts'), await textOf('regions.config.ts'));
  for (const [name, from, to] of [...MISTAKES, ...MISSPELT, NOT_LITERAL]) {
    expect(config).toContain(from);
    await writeFile(join(folder, `${name}.ts`), config.replace(from, to));
  }
  const settings = {
    extends: '../../../tsconfig.json',
    compilerOptions: { types: [] },
    include: ['*.ts'],
    exclude: [],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  const errors = (await compile(join(folder, 'tsconfig.json'))).split(/\n(?=\S)/);
  const about = (name: string): string => errors.filter((error) => error.includes(`/${name}.ts(`)).join('\n');
  expect(about('good')).toBe('');
  expect(about('own')).toBe('');
  for (const [name, , , message] of [...MISTAKES, NOT_LITERAL]) expect(about(name)).toContain(message);
  for (const [name, , , message] of MISSPELT) {
    expect(about(name)).toContain(message);
    expect(about(name).match(/error TS/g)).toHaveLength(1);
  }
});
