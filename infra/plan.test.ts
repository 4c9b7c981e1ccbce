import type { Stack } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import type { DeployedStack, WantedStack } from '../scripts/plan/compare-zone.ts';
import { needsOf } from '../scripts/plan/quotas/needs.ts';
import type { QuotaId } from '../scripts/plan/quotas/quota-table.ts';
import { defaultsOf } from '../scripts/plan/resolve.ts';
import { NO_SURROUNDINGS, type Surroundings } from '../scripts/plan/surroundings.ts';
import type { Template } from '../scripts/plan/template.ts';
import { planZone, type ZonePlan } from '../scripts/plan/zone-plan.ts';
import type { Zone } from '../topology/types.ts';
import { allStacks, deployment, stacksOf, templateOf } from './test/zones.ts';

const made = new Map<string, readonly WantedStack[]>();

/** Stacks that the infrastructure itself makes, in the order in which they are deployed. */
function wantedOf(zone: Partial<Zone>): readonly WantedStack[] {
  const key = JSON.stringify(zone);
  const known = made.get(key) ?? inOrder(allStacks(stacksOf(zone)));
  made.set(key, known);
  return known;
}

function inOrder(stacks: readonly Stack[]): readonly WantedStack[] {
  const ordered = new Set<Stack>();
  const visit = (stack: Stack): void => {
    // Resolving a template is what finds the stacks that it reads from.
    templateOf(stack);
    for (const before of stack.dependencies) if (!ordered.has(before)) visit(before);
    ordered.add(stack);
  };
  for (const stack of stacks) visit(stack);
  return [...ordered].map((stack) => ({
    name: stack.stackName,
    account: stack.account,
    region: stack.region,
    dependencies: stack.dependencies.map(({ stackName }) => stackName),
    template: templateOf(stack).toJSON() as Template,
  }));
}

const deployedOf = (zone: Partial<Zone>): readonly DeployedStack[] =>
  wantedOf(zone).map(({ name, account, region, template }) => ({
    name,
    account,
    region,
    template,
    status: 'CREATE_COMPLETE',
    reason: null,
    terminationProtection: true,
    unreadable: null,
    parameters: defaultsOf(template),
  }));

const TWO: Partial<Zone> = {};
const THREE: Partial<Zone> = { replicas: ['eu-west-3', 'eu-north-1'] };

const planOf = (
  to: Partial<Zone>,
  stacks: readonly DeployedStack[],
  allow: boolean,
  surroundings: Surroundings = NO_SURROUNDINGS,
): ZonePlan => planZone(deployment(to), wantedOf(to), { kind: 'compared', stacks, surroundings }, allow);

const plan = (from: Partial<Zone> | null, to: Partial<Zone>, allow = false): ZonePlan =>
  planOf(to, from === null ? [] : deployedOf(from), allow);

const namesOf = ({ stacks }: ZonePlan, kind: string): readonly string[] =>
  stacks.filter((stack) => stack.kind === kind).map(({ name }) => name.replace('keyhearth-test-eu-', ''));

describe('a zone', () => {
  it('that isn’t deployed is new in all its stacks', () => {
    const { stacks, obstacles } = plan(null, TWO);
    expect(new Set(stacks.map(({ kind }) => kind))).toEqual(new Set(['new']));
    expect(obstacles).toEqual([]);
  });

  it('that is as it is described is unchanged', () => {
    const { stacks, obstacles } = plan(TWO, TWO);
    expect(stacks.filter(({ kind, stale }) => kind !== 'unchanged' || stale.length > 0)).toEqual([]);
    expect(obstacles).toEqual([]);
  });

  it('that gets a region has its other regions’ data and services left alone', () => {
    const three = plan(TWO, THREE);
    expect(three.obstacles).toEqual([]);
    expect(namesOf(three, 'new').filter((name) => name.includes('eu-north-1'))).toEqual(
      namesOf(three, 'new'),
    );
    expect(namesOf(three, 'changed').filter((name) => /^(base|link)/.test(name))).toEqual([]);
    expect(three.stacks.flatMap(({ effect }) => effect.removed)).toEqual([]);
  });

  it('that loses a region has stacks that nobody describes, and waits for `region remove`', () => {
    const two = plan(THREE, TWO, true);
    const gone = namesOf(two, 'gone');
    expect(gone.length).toBe(7);
    expect(gone.every((name) => name.includes('eu-north-1'))).toBe(true);
    expect(two.obstacles).toMatchObject([{ kind: 'region', stack: 'keyhearth-test-eu-edge' }]);
    expect(two.obstacles[0]?.instead).toContain(
      'npx keyhearth region remove eu-north-1 --environment test --zone eu',
    );
  });

  it('whose accelerator has let go of a region goes on, whatever of the region is still there', () => {
    const edge = wantedOf(TWO).find(({ name }) => name.endsWith('-edge'))?.template;
    const left = deployedOf(THREE).map((stack) =>
      stack.name.endsWith('-edge') && edge !== undefined ? { ...stack, template: edge } : stack,
    );
    expect(planOf(TWO, left, true).obstacles).toEqual([]);
  });

  it('of another origin is another zone, and nothing else is said of it', () => {
    const swapped: Partial<Zone> = { origin: 'eu-west-3', replicas: ['eu-central-1'] };
    const { obstacles, isAnother } = plan(TWO, swapped, true);
    expect(isAnother).toBe(true);
    expect(obstacles).toMatchObject([
      {
        kind: 'origin',
        what: 'The origin of zone eu can’t be changed from eu-central-1 to eu-west-3.',
      },
    ]);
  });

  it('of which nothing is deployed may be a renamed one, where the account has one that isn’t described', () => {
    const strangers = [{ name: 'test-europe', regions: ['eu-central-1'] }];
    const surroundings = { ...NO_SURROUNDINGS, strangers };
    expect(planOf(TWO, [], false, surroundings).obstacles).toMatchObject([
      {
        kind: 'zone',
        what: 'Zone test-europe (environment and name) is deployed in eu-central-1 and isn’t described: a renamed zone is a new zone.',
      },
    ]);
    expect(planOf(TWO, [], true, surroundings).obstacles).toEqual([]);
    expect(planOf(TWO, deployedOf(TWO), false, surroundings).obstacles).toEqual([]);
  });
});

describe('protected less', () => {
  it('is a zone that is made ready to be taken down: a warning, and no obstacle', () => {
    const { stacks, obstacles } = plan(TWO, { deletionProtection: false });
    const types = stacks.flatMap(({ effect }) => effect.weakened.map(({ type }) => type));
    expect(types).toEqual(
      expect.arrayContaining(['AWS::RDS::DBCluster', 'AWS::ElasticLoadBalancingV2::LoadBalancer']),
    );
    expect(obstacles).toEqual([]);
  });

  it('is what is kept for fewer days', () => {
    const { stacks } = plan(TWO, { retention: { logDays: 7, backupDays: 1, eventDays: 30 } });
    const said = new Set(
      stacks.flatMap(({ effect }) => effect.weakened.map(({ what }) => what.split(' ')[0])),
    );
    expect(said).toEqual(new Set(['BackupRetentionPeriod', 'RetentionInDays', 'ExpirationInDays']));
  });
});

describe('refused without leave', () => {
  it('is the way of events to another place: the bucket would belong to nobody', () => {
    const clickHouse: Partial<Zone> = {
      events: {
        kind: 'clickhouse',
        secretName: 'clickhouse',
        addressRanges: ['198.51.100.0/24'],
        port: 8443,
      },
    };
    const refused = plan(TWO, clickHouse).obstacles;
    expect(new Set(refused.map(({ type }) => type))).toEqual(
      new Set(['AWS::S3::Bucket', 'AWS::Logs::LogGroup']),
    );
    expect(new Set(refused.map(({ kind }) => kind))).toEqual(new Set(['removal']));
    expect(plan(TWO, clickHouse, true).obstacles).toEqual([]);
  });

  it('is a hostname that nothing answers any more', () => {
    const certificateArns = Object.fromEntries(
      ['eu-central-1', 'eu-west-3'].map((region) => [
        region,
        `arn:aws:acm:${region}:222222222222:certificate/00000000-0000-4000-8000-000000000000`,
      ]),
    );
    const { obstacles } = plan(TWO, { domain: { certificateArns } });
    expect(obstacles).toMatchObject([{ kind: 'hostname', type: 'AWS::Route53::RecordSet' }]);
    expect(obstacles[0]?.what).toContain(`${deployment(TWO).hostname} stops resolving`);
    expect(plan(TWO, { domain: { certificateArns } }, true).obstacles).toEqual([]);
  });

  it('isn’t a task definition, which is a new one each time', () => {
    const { stacks, obstacles } = plan(TWO, { maxStalenessMs: 5_000 });
    const anew = stacks.flatMap(({ effect }) => effect.replaced.map(({ type }) => type));
    expect(new Set(anew)).toEqual(new Set(['AWS::ECS::TaskDefinition']));
    expect(obstacles).toEqual([]);
  });
});

describe('AWS refuses', () => {
  it('another address range, and nothing after it is reached', () => {
    const { stacks, obstacles } = plan(TWO, { addressRanges: { 'eu-central-1': '10.9.0.0/16' } }, true);
    expect(obstacles).toMatchObject([{ kind: 'refusal', resource: 'AddressRange' }]);
    expect(obstacles[0]?.instead).toContain('can’t be changed to 10.9.0.0/16'.replace('’', "'"));
    const reached = stacks.filter(({ waitsFor }) => waitsFor === null).map(({ name }) => name);
    expect(reached).toEqual(['keyhearth-test-eu-base-eu-central-1']);
  });
});

describe('quotas', () => {
  const needs = (zone: Partial<Zone>): ReadonlyMap<string, number> =>
    new Map(
      needsOf([deployment(zone)], wantedOf(zone)).map(({ quota, region, need }) => [
        [quota.id, ...(region === null ? [] : [region])].join(' '),
        need,
      ]),
    );
  const of = (id: QuotaId, region?: string): string =>
    [id, ...(region === undefined ? [] : [region])].join(' ');

  it('count what a zone makes, in each region and in its account', () => {
    const two = needs(TWO);
    expect(two.get(of('vpcs', 'eu-central-1'))).toBe(1);
    expect(two.get(of('databaseInstances', 'eu-west-3'))).toBe(2);
    expect(two.get(of('fargateVcpus', 'eu-west-3'))).toBe(8);
    expect(two.get(of('accelerators'))).toBe(1);
    expect(two.has(of('elasticIps', 'eu-west-3'))).toBe(false);
  });

  it('count by what things belong to, across stacks', () => {
    expect(needs(TWO).get(of('acceleratorListeners', 'eu-central-1'))).toBe(3);
    expect(needs(THREE).get(of('acceleratorListeners', 'eu-central-1'))).toBe(4);
    expect(needs(TWO).get(of('peerings'))).toBe(1);
    expect(needs(THREE).get(of('peerings'))).toBe(2);
    // The rules for a link are in the link's stack and name the group by an output.
    const rules = of('securityGroupRules', 'eu-central-1');
    expect(needs(THREE).get(rules)).toBeGreaterThan(needs(TWO).get(rules) ?? 0);
  });

  it('count what goes out through NAT', () => {
    const zone: Partial<Zone> = {
      events: {
        kind: 'clickhouse',
        secretName: 'clickhouse',
        addressRanges: ['198.51.100.0/24'],
        port: 8443,
      },
    };
    expect(needs(zone).get(of('elasticIps', 'eu-west-3'))).toBe(3);
    expect(needs(zone).get(of('natGateways', 'eu-west-3'))).toBe(1);
  });
});
