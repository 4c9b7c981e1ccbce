import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { FIXTURE_OPTIONS } from '../../test/fixture-options.ts';

const entry = join(import.meta.dirname, '../keyhearth.mjs');
/** Whoever runs these tests may have credentials; a plan must not meet their account. */
const NO_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_PROFILE: undefined,
  AWS_CONFIG_FILE: '/nonexistent/config',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
  AWS_EC2_METADATA_DISABLED: 'true',
};

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], nodeOptions = FIXTURE_OPTIONS): Run {
  const env = { ...process.env, ...NO_CREDENTIALS, NODE_OPTIONS: nodeOptions, CDK_VALIDATION: 'false' };
  return spawnSync(process.execPath, [entry, 'plan', ...args], { encoding: 'utf8', env });
}

interface Printed {
  readonly refused: boolean;
  readonly zones: readonly {
    readonly zone: string;
    readonly observed: { readonly kind: string; readonly why?: string };
    readonly stacks: readonly {
      readonly name: string;
      readonly kind: string;
      readonly added: readonly unknown[];
    }[];
  }[];
  readonly quotas: readonly { readonly id: string; readonly need: number; readonly allowed: number }[];
  readonly costs: readonly unknown[];
}

test('help says what it refuses, how it ends, and how it is called', () => {
  const { status, stdout } = run(['--help']);
  expect(status).toBe(0);
  for (const text of ['--allow-replacement', '--offline', 'Exit codes: 0', 'npx keyhearth plan --zone eu'])
    expect(stdout).toContain(text);
});

test('a wrong command line exits with 2', () => {
  for (const args of [['--usage', '10,x'], ['--usage', ''], ['--bogus'], ['--usage', '-1'], ['extra']]) {
    const { status, stderr } = run(args);
    expect([args, status]).toEqual([args, 2]);
    expect(stderr).toMatch(/^error: /);
  }
});

test('a zone or an environment that there is not is one sentence, and exits with 1', () => {
  expect(run(['--environment', 'mars'])).toMatchObject({
    status: 1,
    stdout: '',
    stderr: 'In regions.config.ts, there is no environment "mars"; known are production, trial.\n',
  });
  expect(run(['--zone', 'mars']).stderr).toBe(
    'In regions.config.ts, there is no zone "mars"; known are global, eu. That is environment production, the first one.\n',
  );
  expect(run(['--zone', 'trial']).stderr).toBe(
    'In regions.config.ts, there is no zone "trial"; known are global, eu. That is environment production, the first one. Zone trial is in environment trial: --environment trial.\n',
  );
  expect(JSON.parse(run(['--zone', 'mars', '--json']).stdout)).toEqual({
    error:
      'In regions.config.ts, there is no zone "mars"; known are global, eu. That is environment production, the first one.',
  });
});

/** NODE_OPTIONS of a process that reads another file for regions.config.ts. */
function reading(url: string): string {
  const hook = `
    import { registerHooks } from 'node:module';
    registerHooks({
      resolve: (specifier, context, next) =>
        specifier.endsWith('/regions.config.ts')
          ? { url: ${JSON.stringify(url)}, shortCircuit: true }
          : next(specifier, context),
    });`;
  return `--import=data:text/javascript,${encodeURIComponent(hook)}`;
}

test.each([
  ['const a = {\n  b: 1\n  c: 2,\n};\n', "line 3: Expected ','"],
  ['\nexport default unknownName;\n', 'line 2: unknownName is not defined'],
])('a mistake of TypeScript in regions.config.ts is said with its line: %j', (text, expected) => {
  const folder = mkdtempSync(join(tmpdir(), 'keyhearth-description-'));
  try {
    const file = join(folder, 'regions.config.ts');
    writeFileSync(file, text);
    const { status, stdout, stderr } = run([], reading(pathToFileURL(file).href));
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`regions.config.ts can’t be read, ${expected}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('what is wrong with the topology is said at once, all of it, and without a stack trace', () => {
  const bad = `export default { environments: { production: { zones: [{ name: 'Bad', account: '1' }] } } };`;
  const { status, stdout, stderr } = run([], reading(`data:text/javascript,${encodeURIComponent(bad)}`));
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^the topology has \d+ problems:\n/);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test('without AWS a zone is planned as if nothing were deployed; nothing is left behind', () => {
  const leftovers = (): readonly string[] =>
    readdirSync(tmpdir()).filter((name) => name.startsWith('keyhearth-plan-'));
  const before = leftovers();
  const { status, stdout, stderr } = run(['--environment', 'trial']);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('There are no AWS credentials, so this is planned as if nothing were deployed.');
  for (const name of ['base-eu-west-1', 'data-eu-west-1', 'svc-eu-west-1', 'zone', 'edge'])
    expect(stdout).toMatch(new RegExp(`│ ${name} +│ eu-west-1 │ new `));
  expect(stdout).toContain('5 stacks new, 0 changed, 0 unchanged');
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(
    /^Before the deployment: put your own values for zone trial .*account 333333333333/,
  );
  expect(stdout).toContain('Fargate On-Demand vCPUs');
  expect(leftovers().filter((name) => !before.includes(name) && existsSync(join(tmpdir(), name)))).toEqual(
    [],
  );
}, 120_000);

test('--json is one object, and --zone takes the zones that are named', () => {
  const { status, stdout } = run(['--offline', '--json', '--zone', 'eu']);
  expect(status).toBe(0);
  const { refused, zones, quotas, costs } = JSON.parse(stdout) as Printed;
  expect(refused).toBe(false);
  expect(zones.map(({ zone, observed }) => [zone, observed.kind])).toEqual([['eu', 'assumed-empty']]);
  const [eu] = zones;
  expect(eu?.stacks.length).toBe(10);
  expect(
    eu?.stacks.every(
      ({ name, kind, added }) =>
        name.startsWith('keyhearth-production-eu-') && kind === 'new' && added.length > 0,
    ),
  ).toBe(true);
  expect(quotas.find(({ id }) => id === 'fargateVcpus')).toMatchObject({ need: 8, allowed: 6 });
  expect(costs.length).toBe(1);
}, 120_000);
