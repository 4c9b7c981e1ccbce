import { describe, expect, it } from 'vitest';
import fixture from '../../test/topology-fixture.ts';
import { deploymentOf } from '../../topology/deployment.ts';
import type { DeployedStack, WantedStack } from './compare-zone.ts';
import { quotaText } from './quota-table-text.ts';
import { QUOTAS } from './quotas/quota-table.ts';
import { type QuotaUse, useOf } from './quotas/quota-use.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';
import { zoneText } from './tables.ts';
import type { Template } from './template.ts';
import { planZone } from './zone-plan.ts';

const [, eu] = fixture.environments.production.zones;
const zone = deploymentOf({ name: 'production', zones: fixture.environments.production.zones }, eu);
const REGION = 'eu-central-1';

const stack = (name: string, template: Template): WantedStack => ({
  name: `keyhearth-production-eu-${name}`,
  account: zone.account,
  region: REGION,
  dependencies: [],
  template,
});
const there = (name: string, template: Template, rest: Partial<DeployedStack> = {}): DeployedStack => ({
  ...stack(name, template),
  status: 'UPDATE_COMPLETE',
  reason: null,
  terminationProtection: false,
  unreadable: null,
  parameters: new Map(),
  ...rest,
});
const bucket = (BucketName: string): Template => ({
  Resources: { Events: { Type: 'AWS::S3::Bucket', Properties: { BucketName } } },
});
const EMPTY: Template = { Resources: {} };

const textOf = (wanted: readonly WantedStack[], stacks: readonly DeployedStack[]): string =>
  zoneText(planZone(zone, wanted, { kind: 'compared', stacks, surroundings: NO_SURROUNDINGS }, false));

describe('a zone’s plan', () => {
  it('has a line for each stack, with how much changes', () => {
    const text = textOf(
      [stack('zone', bucket('a')), stack('edge', bucket('b'))],
      [there('edge', bucket('a'))],
    );
    expect(text).toContain('Zone eu of production, account 222222222222: eu-central-1, eu-west-3');
    expect(text).toMatch(/│ zone +│ eu-central-1 │ new +│ +1 │ +│ +│ +│/);
    expect(text).toMatch(/│ edge +│ eu-central-1 │ changed +│ +│ +│ +1 │ +│/);
    expect(text).toContain(
      '1 stack new, 1 changed, 0 unchanged; 1 resource added, 0 changed, 1 made anew, 0 removed.',
    );
  });

  it('says what is made anew, for what, and what is at stake', () => {
    const text = textOf([stack('edge', bucket('b'))], [there('edge', bucket('a'))]);
    expect(text).toMatch(/│ edge +│ BucketName │ goes +│/);
    expect(text).toContain(
      'Refused, keyhearth-production-eu-edge: Events would be made anew, for its BucketName.',
    );
    expect(text).toContain('  At stake: The usage events in it; the old one is deleted.');
    expect(text).toContain('allow it with --allow-replacement');
  });

  it('says what nobody describes any more, and which command takes it down', () => {
    const kept = { Resources: { A: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Retain' } } };
    const text = textOf([], [there('data-eu-west-1', kept, { terminationProtection: true })]);
    expect(text).toContain('Not described any more: 1 stack in eu-central-1.');
    expect(text).toContain('`npx keyhearth region remove --help`');
    expect(text).toContain(
      '  data-eu-west-1: 1 resource; would stay: AWS::S3::Bucket; protected from deletion',
    );
  });

  it('says which properties change: twenty things, and all of them with --detail', () => {
    const vpcs = (value: string): Template => ({
      Resources: Object.fromEntries(
        Array.from({ length: 22 }, (_, index) => [
          `Vpc${index}`,
          { Type: 'AWS::EC2::VPC', Properties: { EnableDnsSupport: value, Tags: value } },
        ]),
      ),
    });
    const all = [[stack('edge', vpcs('b'))], [there('edge', vpcs('a'))]] as const;
    expect(textOf(...all)).toMatch(/│ edge +│ EnableDnsSupport +│\n│ +Vpc0 +│ Tags +│/);
    expect(textOf(...all).match(/ Vpc\d/g)?.length).toBe(20);
    expect(textOf(...all)).toContain('2 more: --detail shows all.');
    const detailed = zoneText(
      planZone(zone, all[0], { kind: 'compared', stacks: all[1], surroundings: NO_SURROUNDINGS }, false),
      true,
    );
    expect(detailed.match(/ Vpc\d/g)?.length).toBe(22);
  });

  it('counts new revisions of task definitions apart from what is made anew', () => {
    const tasks = (Cpu: string): Template => ({
      Resources: { Tasks: { Type: 'AWS::ECS::TaskDefinition', Properties: { Cpu } } },
    });
    const text = textOf([stack('zone', tasks('512'))], [there('zone', tasks('256'))]);
    expect(text).toContain('0 resources added, 1 changed, 0 made anew, 0 removed.');
    expect(text).toContain('1 task definition gets a new revision.');
    expect(text).not.toContain('made anew ');
  });

  it('warns of what is protected less than now', () => {
    const logs = (RetentionInDays: number): Template => ({
      Resources: { Logs: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays } } },
    });
    const text = textOf(
      [{ ...stack('zone', logs(7)), terminationProtection: false }],
      [there('zone', logs(30), { terminationProtection: true })],
    );
    expect(text).toContain(
      'Warning, protected less than now:\n  zone: the stack can be deleted afterwards\n',
    );
    expect(text).toContain(
      '  zone Logs (AWS::Logs::LogGroup): RetentionInDays from 30 to 7: older data is deleted',
    );
  });

  it('shows the status of a stack that failed, and CloudFormation’s reason', () => {
    const failed = { status: 'UPDATE_ROLLBACK_COMPLETE', reason: 'No capacity.' };
    const text = textOf([stack('zone', EMPTY)], [there('zone', EMPTY, failed)]);
    expect(text).toMatch(/│ +│ +│ UPDATE_ROLLBACK_COMPLETE │/);
    expect(text).toContain(
      'zone: its last update failed and was rolled back. CloudFormation says: No capacity.',
    );
    const held = { ...failed, status: 'DELETE_FAILED' };
    expect(textOf([stack('zone', EMPTY)], [there('zone', EMPTY, held)])).toContain(
      'is DELETE_FAILED. CloudFormation says: No capacity.',
    );
  });

  it('fits a terminal of 120 columns, but for sentences', () => {
    const text = textOf([stack('link-ap-southeast-1-ap-southeast-2', EMPTY)], []);
    const rows = text.split('\n').filter((line) => line.startsWith('│'));
    expect(Math.max(...rows.map(({ length }) => length))).toBeLessThanOrEqual(120);
  });
});

describe('quotas', () => {
  const useAt = (need: number, applied: number | null): QuotaUse => {
    const quota = QUOTAS.find(({ id }) => id === 'fargateVcpus');
    if (quota === undefined) throw new Error('no such quota');
    return useOf({ quota, account: '222222222222', region: REGION, need }, applied);
  };

  it('say what is needed and allowed, whether that is a default, and where it comes from', () => {
    expect(quotaText([useAt(8, null)], null)).toMatch(/│ +8 │ 6 by default │ too low │/);
    expect(quotaText([useAt(8, 12)], null)).toMatch(/│ +8 │ +12 │ a deployment at +│/);
    expect(quotaText([useAt(8, 16)], null)).toMatch(/│ +8 │ +16 │ +│/);
    expect(quotaText([useAt(8, 12)], null)).toContain('(fargate L-3032A538), https://docs.aws.amazon.com/');
    expect(quotaText([useAt(8, null)], 'AWS is silent.')).toContain('\nAWS is silent.\n');
  });

  it('are no table where there is nothing to say', () => {
    expect(quotaText([], null)).toBe('Quotas: nothing needs more than half of what AWS allows by default.');
  });
});
