import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Runs cfn-lint over every template of `cdk.out`, each against the region that its stack is for: not every region has every type.
 * Usage: `node infra/test/judge-templates.ts <cfn-lint>`. Exit code 1 where it finds anything. What it is told to pass over, and
 * why, stands in `.cfnlintrc.yaml`.
 */
const OUTPUT = join(import.meta.dirname, '../../cdk.out');

interface Manifest {
  readonly artifacts: Readonly<
    Record<
      string,
      {
        readonly type: string;
        readonly environment?: string;
        readonly properties?: { readonly templateFile?: string };
      }
    >
  >;
}

function templatesByRegion(): ReadonlyMap<string, readonly string[]> {
  // The CDK's own format.
  const { artifacts } = JSON.parse(readFileSync(join(OUTPUT, 'manifest.json'), 'utf8')) as Manifest;
  const found = new Map<string, string[]>();
  for (const { type, environment, properties } of Object.values(artifacts)) {
    const region = environment?.split('/').at(-1);
    if (type !== 'aws:cloudformation:stack' || region === undefined || properties?.templateFile === undefined)
      continue;
    const path = join(OUTPUT, properties.templateFile);
    found.set(region, [...(found.get(region) ?? []), path]);
  }
  return found;
}

const [, , linter] = process.argv;
if (linter === undefined) throw new Error('use: judge-templates.ts <path of cfn-lint>');
let [judged, failed] = [0, 0];
for (const [region, templates] of templatesByRegion()) {
  const { status } = spawnSync(linter, ['--regions', region, '--template', ...templates], {
    stdio: 'inherit',
  });
  judged += templates.length;
  if (status !== 0) failed += 1;
}
if (judged === 0) throw new Error('there is no template in cdk.out: run `npm run synth` first');
process.stdout.write(
  failed === 0
    ? `cfn-lint: ${judged} templates, nothing found\n`
    : `cfn-lint: findings in ${failed} regions\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
