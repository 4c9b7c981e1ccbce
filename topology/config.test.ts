import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** Wrong edits of `regions.config.ts`, and the sentence that the compiler's message has to end in. */
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
  ['unknown', `'eu-west-3'`, `'eu-west-9'`, `Did you mean '"eu-west-1"'?`],
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

function compile(project: string): Promise<string> {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  return new Promise((resolve) => {
    // tsc exits with 2 where it found errors; they are what is looked at.
    execFile(process.execPath, [tsc, '--project', project, '--pretty', 'false'], (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}

test('regions.config.ts compiles, and none of the mistakes that its types forbid does', async () => {
  const folder = join(ROOT, 'node_modules', '.cache', `keyhearth-config-${process.pid}`);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(folder, { recursive: true });
  const config = (await readFile(join(ROOT, 'regions.config.ts'), 'utf8')).replace(
    `'./topology/`,
    `'../../../topology/`,
  );
  await writeFile(join(folder, 'good.ts'), config);
  for (const [name, from, to] of MISTAKES) {
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
  expect(errors.join('\n')).not.toContain('good.ts');
  for (const [name, , , message] of MISTAKES) expect(about(name)).toContain(message);
});
