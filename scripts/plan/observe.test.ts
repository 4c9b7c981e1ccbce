import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Call, members, type Service } from '../../test/fake-aws/call.ts';
import { endpointEnvironment } from '../../test/fake-aws/environment.ts';
import { Refusal } from '../../test/fake-aws/refusal.ts';
import { type FakeAws, startFakeAws } from '../../test/fake-aws/server.ts';
import { FIXTURE_OPTIONS } from '../../test/fixture-options.ts';
import fixture from '../../test/topology-fixture.ts';
import { deploymentOf } from '../../topology/deployment.ts';
import type { WantedStack } from './compare-zone.ts';
import { identify } from '../lib/credentials.ts';
import { observeZone } from './observe.ts';
import { appliedQuotas } from './quotas/applied.ts';
import { needsOf } from './quotas/needs.ts';
import { synthesizeStacks } from './synthesis.ts';

/** Stacks that answer as CloudFormation's do. Nothing deploys them: each test puts there what it needs, failed or half done as well. */
interface Shelved {
  readonly name: string;
  readonly region: string;
  readonly status?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly body: string;
}

let shelf: readonly Shelved[] = [];
let denied: readonly string[] = [];
let quotas: Readonly<Record<string, number>> = {};

const inRegion = ({ region }: Call): readonly Shelved[] => shelf.filter((stack) => stack.region === region);

function textOf({ input }: Call, name: string): string {
  const value = input[name];
  return typeof value === 'string' ? value : '';
}

function guard(call: Call): void {
  const action = `cloudformation:${call.action}`;
  if (denied.includes(action))
    throw new Refusal(
      'AccessDenied',
      `User: arn:aws:iam::333333333333:user/me is not authorized to perform: ${action} on resource: x`,
      403,
    );
}

function named(call: Call): Shelved {
  const wanted = textOf(call, 'StackName');
  const found = inRegion(call).find(({ name }) => name === wanted || wanted.endsWith(`/${name}`));
  if (found === undefined) throw new Refusal('ValidationError', `Stack with id ${wanted} does not exist`);
  return found;
}

const CLOUDFORMATION: Service = {
  signingName: 'cloudformation',
  protocol: 'query',
  namespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
  actions: {
    ListStacks: (call) => {
      guard(call);
      // Two pages, the second for the last one alone.
      const all = inRegion(call);
      const isSecond = call.input['NextToken'] === 'second';
      const page = isSecond ? all.slice(-1) : all.slice(0, -1);
      const summaries = page.map(({ name, status = 'CREATE_COMPLETE' }) => ({
        StackName: name,
        StackStatus: status,
        CreationTime: '2026-11-01T00:00:00Z',
      }));
      return { result: { StackSummaries: members(summaries), ...(isSecond ? {} : { NextToken: 'second' }) } };
    },
    DescribeStacks: (call) => {
      guard(call);
      const { name, status = 'CREATE_COMPLETE', parameters = {} } = named(call);
      const stack = {
        StackName: name,
        StackId: `arn:aws:cloudformation:${call.region}:${call.account}:stack/${name}`,
        StackStatus: status,
        CreationTime: '2026-11-01T00:00:00Z',
        EnableTerminationProtection: 'true',
        Parameters: members(
          Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({
            ParameterKey,
            ParameterValue,
          })),
        ),
      };
      return { result: { Stacks: members([stack]) } };
    },
    GetTemplate: (call) => {
      guard(call);
      return { result: { TemplateBody: named(call).body } };
    },
  },
};

const STS: Service = {
  signingName: 'sts',
  protocol: 'query',
  namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
  actions: { GetCallerIdentity: ({ account }) => ({ result: { Account: account } }) },
};

const QUOTAS: Service = {
  signingName: 'servicequotas',
  protocol: 'json',
  actions: {
    GetServiceQuota: (call) => {
      const value = quotas[textOf(call, 'QuotaCode')];
      if (value === undefined) throw new Refusal('NoSuchResourceException', 'There is no such quota.');
      return { result: { Quota: { Value: value } } };
    },
  },
};

const ACCOUNT = '333333333333';
const REGION = 'eu-west-1';
let aws: FakeAws;
let wanted: readonly WantedStack[];

beforeAll(async () => {
  aws = await startFakeAws({ services: [CLOUDFORMATION, STS, QUOTAS] });
  vi.stubEnv('NODE_OPTIONS', FIXTURE_OPTIONS);
  wanted = await synthesizeStacks('trial');
}, 120_000);

afterAll(async () => {
  await aws.close();
});

beforeEach(() => {
  shelf = wanted.map(({ name, region, template }) => ({ name, region, body: JSON.stringify(template) }));
  denied = [];
  quotas = {};
  vi.stubEnv('AWS_PROFILE', undefined);
  vi.stubEnv('AWS_SESSION_TOKEN', undefined);
  vi.stubEnv('NODE_OPTIONS', FIXTURE_OPTIONS);
  for (const [name, value] of Object.entries(endpointEnvironment(aws.endpoint, ACCOUNT, REGION)))
    vi.stubEnv(name, value);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

const [trial] = fixture.environments.trial.zones;
const zone = deploymentOf({ name: 'trial', zones: [trial] }, trial);

const outputOf = (stack: string, region: string): object => ({
  'Fn::GetStackOutput': { StackName: stack, OutputName: 'Any', Region: region },
});

describe('the stacks of a zone', () => {
  it('are all those of its names, on whatever page they are listed, with what they keep', async () => {
    shelf = [
      ...shelf.map((stack) => ({ ...stack, parameters: { WeightEuWest1: '0' } })),
      { name: 'somebody-else', region: REGION, body: 'not JSON' },
      { name: 'keyhearth-trial-trial2-edge', region: REGION, body: 'not JSON' },
    ];
    const found = await observeZone(zone);
    expect(found.map(({ name }) => name).toSorted()).toEqual(wanted.map(({ name }) => name).toSorted());
    expect(found[0]).toMatchObject({
      account: ACCOUNT,
      region: REGION,
      status: 'CREATE_COMPLETE',
      terminationProtection: true,
      parameters: new Map([['WeightEuWest1', '0']]),
    });
    const [first] = wanted;
    expect(found.find(({ name }) => name === first?.name)?.template).toEqual(first?.template);
  });

  it('are looked for in regions that only other stacks name, one from another', async () => {
    const empty = JSON.stringify({ Resources: {} });
    const reads = JSON.stringify({
      Resources: {
        A: {
          Type: 'AWS::SSM::Parameter',
          Properties: { Value: outputOf('keyhearth-trial-trial-svc-eu-west-2', 'eu-west-2') },
        },
      },
    });
    shelf = [
      { name: 'keyhearth-trial-trial-edge', region: REGION, body: reads },
      { name: 'keyhearth-trial-trial-link-eu-west-2-eu-west-3', region: 'eu-west-2', body: empty },
      { name: 'keyhearth-trial-trial-base-eu-west-3', region: 'eu-west-3', body: empty },
      { name: 'keyhearth-trial-trial-base-us-east-1', region: 'us-east-1', body: empty },
    ];
    const found = await observeZone(zone);
    expect(found.map(({ region }) => region)).toEqual([REGION, 'eu-west-2', 'eu-west-3']);
  });

  it.each(['ListStacks', 'DescribeStacks', 'GetTemplate'])(
    'that AWS keeps to itself fail with the action: %s',
    async (action) => {
      denied = [`cloudformation:${action}`];
      await expect(observeZone(zone)).rejects.toThrow(`AWS refuses cloudformation:${action} in ${REGION}`);
    },
  );

  it('fail where a template isn’t the CDK’s', async () => {
    shelf = [{ name: 'keyhearth-trial-trial-edge', region: REGION, body: 'Resources: {}' }];
    await expect(observeZone(zone)).rejects.toThrow(
      `CloudFormation in ${REGION} doesn’t answer as it should`,
    );
  });
});

describe('credentials', () => {
  it('are for an account', async () => {
    expect(await identify(REGION)).toEqual({ kind: 'account', account: ACCOUNT });
  });

  it('may be missing', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    expect(await identify(REGION)).toMatchObject({ kind: 'none' });
  });

  it('that AWS doesn’t take are a failure', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOTHER');
    await expect(identify(REGION)).rejects.toThrow('The security token included in the request is invalid');
  });

  it('that a profile doesn’t have are a failure: somebody wanted them', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    vi.stubEnv('AWS_PROFILE', 'mine');
    await expect(identify(REGION, '; --offline plans as if nothing were deployed')).rejects.toThrow(
      '--offline plans as if nothing were deployed',
    );
  });
});

describe('quotas', () => {
  const needs = () => needsOf([zone], wanted);

  it('are what AWS allows the account, where that is worth asking', async () => {
    quotas = { 'L-3032A538': 400 };
    const before = aws.calls.length;
    const { uses, problem } = await appliedQuotas(needs(), ACCOUNT);
    expect(uses.find(({ quota }) => quota.id === 'fargateVcpus')).toMatchObject({
      allowed: 400,
      isApplied: true,
    });
    expect(uses.find(({ quota }) => quota.id === 'vpcs')).toMatchObject({ allowed: 5, isApplied: false });
    expect(problem).toBeNull();
    expect(aws.calls.slice(before).map(({ action }) => action)).toEqual(['GetServiceQuota']);
  });

  it('are defaults where AWS doesn’t say, and for another account', async () => {
    const { uses, problem } = await appliedQuotas(needs(), ACCOUNT);
    expect(uses.find(({ quota }) => quota.id === 'fargateVcpus')).toMatchObject({
      allowed: 6,
      isApplied: false,
    });
    expect(problem).toContain('There is no such quota.');
    const before = aws.calls.length;
    await appliedQuotas(needs(), '111111111111');
    expect(aws.calls.length).toBe(before);
  });
});

describe('the command', () => {
  const entry = join(import.meta.dirname, '../keyhearth.mjs');
  const run = (...args: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const env = { ...process.env, CDK_VALIDATION: 'false' };
      const options = { env, maxBuffer: 2 ** 26 };
      execFile(process.execPath, [entry, 'plan', ...args], options, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : error.code, stdout, stderr });
      });
    });

  it('refuses what would make a load balancer anew, unless that is allowed', async () => {
    const service = 'keyhearth-trial-trial-svc-eu-west-1';
    shelf = shelf.map((stack) =>
      stack.name === service
        ? { ...stack, body: stack.body.replace('"Scheme":"internal"', '"Scheme":"internet-facing"') }
        : stack,
    );
    const refused = await run('--environment', 'trial');
    expect([refused.code, refused.stderr]).toEqual([3, '']);
    expect(refused.stdout).toMatch(/│ svc-eu-west-1 +│ eu-west-1 │ changed/);
    expect(refused.stdout).toMatch(/│ data-eu-west-1 +│ eu-west-1 │ unchanged/);
    expect(refused.stdout).toMatch(
      new RegExp(`Refused, ${service}: \\w+ would be made anew, for its Scheme`),
    );
    expect(refused.stdout).toMatch(/edge goes on using \d+ values of svc-eu-west-1 that will be others/);
    const allowed = await run('--environment', 'trial', '--allow-replacement', '--json');
    expect(allowed.code).toBe(0);
    expect(JSON.parse(allowed.stdout)).toMatchObject({ refused: false, zones: [{ obstacles: [] }] });
  }, 120_000);

  it('has a stack that is at work in its way', async () => {
    shelf = shelf.map((stack) =>
      stack.name.endsWith('-zone') ? { ...stack, status: 'UPDATE_IN_PROGRESS' } : stack,
    );
    const { code, stdout } = await run('--environment', 'trial', '--allow-replacement');
    expect(code).toBe(3);
    expect(stdout).toContain(
      'In the way, keyhearth-trial-trial-zone: keyhearth-trial-trial-zone is UPDATE_IN_PROGRESS.',
    );
  }, 120_000);

  it('refuses another origin than the one that the zone is deployed from, and says nothing else', async () => {
    shelf = shelf.map((stack) => ({ ...stack, region: 'eu-west-3' }));
    const { code, stdout } = await run('--environment', 'trial', '--allow-replacement');
    expect(code).toBe(3);
    expect(stdout).toContain('The origin of zone trial can’t be changed from eu-west-3 to eu-west-1.');
    expect(stdout).not.toContain('5 stacks new');
  }, 120_000);

  it('refuses a zone that may be one under another name', async () => {
    shelf = shelf.map((stack) => ({ ...stack, name: stack.name.replace('trial-trial', 'trial-former') }));
    const refused = await run('--environment', 'trial');
    expect(refused.code).toBe(3);
    expect(refused.stdout).toContain(
      'Zone trial-former (environment and name) is deployed in eu-west-1 and isn’t described: a renamed zone is a new zone.',
    );
  }, 120_000);

  it('goes on where a deployed template is nobody’s, and says which', async () => {
    shelf = shelf.map((stack) => (stack.name.endsWith('-edge') ? { ...stack, body: 'null' } : stack));
    const { code, stdout } = await run('--environment', 'trial');
    expect(code).toBe(3);
    expect(stdout).toContain(
      'In the way, keyhearth-trial-trial-edge: What a deployment would change of it can’t be told: its template has no resources.',
    );
  }, 120_000);

  it('tells a zone of another account from the others, and goes on', async () => {
    const { code, stdout } = await run('--json');
    expect(code).toBe(0);
    const { zones } = JSON.parse(stdout) as { zones: { observed: { kind: string; why?: string } }[] };
    expect(zones.map(({ observed }) => observed.kind)).toEqual(['not-compared', 'not-compared']);
    expect(zones[0]?.observed.why).toContain(`the credentials are for account ${ACCOUNT}`);
  }, 120_000);
});
