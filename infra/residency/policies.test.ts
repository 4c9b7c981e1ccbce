import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSimulation, type Simulation } from '@cloud-copilot/iam-simulate';
import { afterEach, describe, expect, test } from 'vitest';
import { AWS_REGION_CODES } from '../../topology/aws-regions.ts';
import { deploymentOf, type ZoneDeployment } from '../../topology/deployment.ts';
import type { Zone } from '../../topology/types.ts';
import { deployment, TWO_REGIONS } from '../test/zones.ts';
import { boundaryStatements, MAX_CHARACTERS, permissionBoundary, serviceControlPolicy } from './policies.ts';
import { textOf, type PolicyDocument, type PolicyStatement } from './policy-types.ts';
import { ACCOUNT, ZONES, type Call } from '../test/residency/call.ts';
import { BOUNDARY_CALLS, REGION_CALLS, SCP_CALLS } from '../test/residency/calls.ts';
import { writePolicies } from './write-policies.ts';

const EVERYTHING: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [{ Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' }],
};

const KEY_POLICY = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
  ],
};

function lettingIn(principal: string, action: string): unknown {
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: principal }, Action: action }],
  };
}

type Kind = 'scp' | 'boundary' | 'region';

const DOCUMENT: Readonly<Record<Kind, (zone: Call['zone']) => PolicyDocument>> = {
  scp: (zone) => serviceControlPolicy(ZONES[zone]),
  boundary: (zone) => permissionBoundary(ZONES[zone]),
  region: (zone) => ({
    Version: '2012-10-17',
    Statement: boundaryStatements(ZONES[zone], ZONES[zone].origin),
  }),
};

const CALLS: Readonly<Record<Kind, readonly Call[]>> = {
  scp: SCP_CALLS,
  boundary: BOUNDARY_CALLS,
  region: REGION_CALLS,
};

/** What a principal whose own policies allow everything may do under a policy. */
async function decide(kind: Kind, policy: PolicyDocument, call: Call): Promise<'allowed' | 'denied'> {
  const principal = `arn:aws:iam::${ACCOUNT}:${call.by === 'role' ? 'role' : 'user'}/somebody`;
  const simulation: Simulation = {
    request: {
      principal,
      action: call.action,
      resource: { resource: call.resource, accountId: ACCOUNT },
      contextVariables: {
        ...(call.region === null ? {} : { 'aws:RequestedRegion': call.region }),
        ...call.context,
      },
    },
    identityPolicies: [{ name: 'everything', policy: EVERYTHING }],
    resourceControlPolicies: [],
    serviceControlPolicies:
      kind === 'scp'
        ? [
            {
              orgIdentifier: 'account',
              policies: [
                { name: 'FullAWSAccess', policy: EVERYTHING },
                { name: 'residency', policy },
              ],
            },
          ]
        : [],
    // A key's own policy has to let its account in, as that of every key of ours does.
    ...(call.action.startsWith('kms:') ? { resourcePolicy: KEY_POLICY } : {}),
    ...(call.by === 'role' ? {} : { resourcePolicy: lettingIn(principal, call.action) }),
    ...(kind === 'scp' ? {} : { permissionBoundaryPolicies: [{ name: 'residency', policy }] }),
  };
  const result = await runSimulation(simulation, {});
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
  const runs = result.resultType === 'single' ? [result.result] : result.results;
  // A condition key that the action doesn't have would never be met: then the policy rests on nothing.
  expect(runs.flatMap(({ ignoredContextKeys }) => ignoredContextKeys ?? [])).toEqual([]);
  return result.overallResult === 'Allowed' ? 'allowed' : 'denied';
}

describe.each(['scp', 'boundary', 'region'] as const)('%s, by a simulator of IAM', (kind) => {
  test.each(
    CALLS[kind].map((call) => [call.zone, call.is, call.action, call.region, call.what, call] as const),
  )('zone %s: %s %s in %s (%s)', async (zone, is, _action, _region, _what, call) => {
    expect(await decide(kind, DOCUMENT[kind](zone), call)).toBe(is);
  });

  test.each(DOCUMENT[kind]('eu').Statement.map(({ Sid }) => Sid))(
    'without statement %s, a decision is another',
    async (dropped) => {
      const others = async (call: Call): Promise<boolean> => {
        const whole = DOCUMENT[kind](call.zone);
        const Statement = whole.Statement.filter(({ Sid }) => Sid !== dropped);
        return (await decide(kind, { ...whole, Statement }, call)) !== call.is;
      };
      const changed = await Promise.all(CALLS[kind].map(others));
      expect(changed.filter(Boolean).length).toBeGreaterThan(0);
    },
  );
});

test.each(['scp', 'boundary'] as const)('%s: every action is one that AWS has', async (kind) => {
  const actions = DOCUMENT[kind]('eu').Statement.flatMap(({ Action = [], NotAction = [] }) =>
    [Action, NotAction].flat(),
  );
  const unknown = await Promise.all(
    actions
      .filter((action) => !action.includes('*'))
      .map(async (action) => ((await isAction(action)) ? [] : [action])),
  );
  expect(unknown.flat()).toEqual([]);
  expect(await isAction('s3:PutReplicationConfigurations')).toBe(false);
});

/** Whether the simulator's list of AWS's actions has it. */
async function isAction(action: string): Promise<boolean> {
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/somebody`,
        action,
        resource: { resource: '*', accountId: ACCOUNT },
        contextVariables: {},
      },
      identityPolicies: [],
      resourceControlPolicies: [],
      serviceControlPolicies: [],
    },
    {},
  );
  return result.resultType !== 'error' || !/^invalid\.(action|service)/.test(result.errors.message);
}

test('no wildcard stands for the service of a resource: IAM refuses that', () => {
  const all = [...serviceControlPolicy(ZONES.eu).Statement, ...permissionBoundary(ZONES.eu).Statement];
  const resources = (statement: PolicyStatement): readonly string[] => [statement.Resource ?? []].flat();
  expect(all.flatMap(resources).filter((one) => one !== '*' && one.split(':')[2] === '*')).toEqual([]);
});

test('names of statements are letters and digits, each once', () => {
  for (const { Statement } of [serviceControlPolicy(ZONES.eu), permissionBoundary(ZONES.eu)]) {
    const names = Statement.map(({ Sid }) => Sid);
    expect(names.filter((name) => !/^[A-Za-z0-9]+$/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  }
});

/** As many regions as can be deployed, and those with the longest names that there are. */
function largestZone(): ZoneDeployment {
  const codes = AWS_REGION_CODES.toSorted((a, b) => b.length - a.length).slice(0, 9);
  const [origin = 'eu-central-1', ...replicas] = codes;
  const zone: Zone = { ...TWO_REGIONS, name: 'a'.repeat(32), origin, replicas };

  return deploymentOf({ name: 'b'.repeat(32), zones: [zone] }, zone);
}

test('the boundary of a region does not depend on the other regions of its zone', () => {
  const [several, one] = [deployment(), deployment({ replicas: [] })];
  expect(boundaryStatements(several, 'eu-central-1')).toEqual(boundaryStatements(one, 'eu-central-1'));
});

const folders: string[] = [];
afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'keyhearth-policies-'));
  folders.push(made);
  return made;
}

const read = (path: string | undefined): string => readFileSync(path ?? '', 'utf8');

test('the files of the largest zone fit into what AWS takes, with every blank that is in them', () => {
  const zone = largestZone();
  expect(zone.regions).toHaveLength(9);
  const [control, boundary] = writePolicies(folder(), [zone]);
  expect(read(control).length).toBeLessThanOrEqual(MAX_CHARACTERS.serviceControlPolicy);
  expect(read(boundary).length).toBeLessThanOrEqual(MAX_CHARACTERS.permissionBoundary);
});

test('policies are written where administrators find them, by environment and zone', () => {
  const outdir = folder();
  const paths = writePolicies(outdir, [ZONES.eu, ZONES.global]);
  expect(paths.map((path) => path.slice(outdir.length))).toEqual([
    '/residency/test/eu/service-control-policy.json',
    '/residency/test/eu/permission-boundary.json',
    '/residency/test/global/service-control-policy.json',
    '/residency/test/global/permission-boundary.json',
  ]);
  expect(JSON.parse(read(paths[0]))).toEqual(serviceControlPolicy(ZONES.eu));
  expect(JSON.parse(read(paths[3]))).toEqual(permissionBoundary(ZONES.global));
  expect(read(paths[0])).toBe(textOf(serviceControlPolicy(ZONES.eu)));
});

test('policies of a zone that is gone do not stay', () => {
  const outdir = folder();
  const [first] = writePolicies(outdir, [ZONES.eu, ZONES.global]).slice(2);
  writePolicies(outdir, [ZONES.eu]);
  expect(existsSync(first ?? '')).toBe(false);
  expect(readdirSync(join(outdir, 'residency', 'test'))).toEqual(['eu']);
});
