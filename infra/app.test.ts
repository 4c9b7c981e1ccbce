import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FIXTURE_OPTIONS } from '../test/fixture-options.ts';

const ROOT = join(import.meta.dirname, '..');

interface Ended {
  readonly code: number;
  readonly text: string;
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'keyhearth-synth-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/**
 * Runs the real CDK CLI. The environment has Node and nothing else: no credentials, no Docker, and a proxy at which nobody answers for
 * whatever would look beyond this machine.
 */
function cdk(output: string, ...args: readonly string[]): Promise<Ended> {
  const nobody = 'http://127.0.0.1:9';
  const env = {
    PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    HOME: output,
    NODE_OPTIONS: FIXTURE_OPTIONS,
    CI: 'true',
    HTTP_PROXY: nobody,
    HTTPS_PROXY: nobody,
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DOCKER: '/bin/false',
  };
  const command = [
    join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk'),
    ...args,
    '--output',
    join(output, 'cdk.out'),
  ];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd: ROOT, env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, text: stdout + stderr }),
    );
  });
}

test(
  'every environment synthesizes without credentials, network or Docker, and without a warning',
  { timeout: 120_000 },
  async () => {
    const output = folder();
    const { code, text } = await cdk(output, 'synth', '--quiet', '--strict', '--context', 'environment=all');
    expect(text).not.toMatch(/warning|error/i);
    expect(code).toBe(0);
    const files = readdirSync(join(output, 'cdk.out'));
    expect(files.filter((file) => file.endsWith('.template.json')).length).toBeGreaterThan(20);
    const manifest: unknown = JSON.parse(readFileSync(join(output, 'cdk.out', 'manifest.json'), 'utf8'));
    expect(manifest).not.toHaveProperty('missing');
    for (const policy of ['service-control-policy.json', 'permission-boundary.json'])
      expect(existsSync(join(output, 'cdk.out', 'residency', 'production', 'eu', policy))).toBe(true);
  },
);

test('the first environment is what is deployed where none is named', { timeout: 120_000 }, async () => {
  const { code, text } = await cdk(folder(), 'list');
  const stacks = text.split('\n').filter((line) => line.startsWith('keyhearth-'));
  expect(code).toBe(0);
  expect(stacks.length).toBeGreaterThan(0);
  expect(stacks.filter((name) => !name.startsWith('keyhearth-production-'))).toEqual([]);
});

test.each(['staging', ''])(
  'an unknown environment is refused with the known ones, and without a stack trace: "%s"',
  { timeout: 120_000 },
  async (name) => {
    const { code, text } = await cdk(folder(), 'list', '--context', `environment=${name}`);
    expect(code).not.toBe(0);
    expect(text).toContain(
      `keyhearth: there is no environment "${name}": -c environment=<name> takes production, trial or all`,
    );
    expect(text).not.toContain('    at ');
  },
);
