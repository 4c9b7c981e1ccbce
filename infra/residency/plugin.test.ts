import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  App,
  aws_logs as logs,
  DefaultStackSynthesizer,
  Stack,
  Validations,
  type StackProps,
} from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { RESIDENCY_FOLDER, stackNames } from '../names.ts';
import { deployment } from '../test/zones.ts';
import { addResidencyCheck, ResidencyCheck } from './plugin.ts';
import { RULE_IDS } from './rules.ts';
import { writePolicies } from './write-policies.ts';

const ZONE = deployment({ replicas: [] });
const NAME = stackNames.edge(ZONE);
const ROLE = 'arn:aws:iam::999999999999:role/away';

/** An app with one stack of the zone, in which a log group has this name. */
function appWith(logGroupName: string, props: StackProps = {}): App {
  const app = new App({ context: { '@aws-cdk/core:validateAgainstDefaultRules': false } });
  const stack = new Stack(app, NAME, {
    ...props,
    env: { account: ZONE.account, region: ZONE.origin },
  });
  void new logs.LogGroup(stack, 'Logs', { logGroupName });
  addResidencyCheck(app, [ZONE]);
  return app;
}

test('an app without violations is synthesized', () => {
  expect(appWith('own').synth().stacks).toHaveLength(1);
});

test('a violation makes the synthesis fail, with rule, resource and place', () => {
  const message = messageOf(() => appWith('copy-of-us-east-1').synth());
  expect(message).toContain('Residency-RegionLiteral');
  expect(message).toContain(`${NAME}/Logs`);
  expect(message).toContain('us-east-1; allowed: eu-central-1');
});

test('policies of an earlier synthesis are gone when this one fails', () => {
  const app = appWith('copy-of-us-east-1');
  writePolicies(app.outdir, [ZONE]);
  addResidencyCheck(app, [ZONE]);
  expect(messageOf(() => app.synth())).toContain('Residency-RegionLiteral');
  expect(existsSync(join(app.outdir, RESIDENCY_FOLDER))).toBe(false);
});

test('nobody can acknowledge a violation away', () => {
  const app = appWith('copy-of-us-east-1');
  Validations.of(app).acknowledge({ id: 'Residency::Residency-RegionLiteral', reason: 'for the test' });
  Validations.of(app).acknowledge({ id: 'Residency-RegionLiteral', reason: 'for the test' });
  expect(messageOf(() => app.synth())).toContain('Residency-RegionLiteral');
});

test('a stack in a stage is known by its own name, not by its place', () => {
  const app = new App({ context: { '@aws-cdk/core:validateAgainstDefaultRules': false } });
  void new Stack(app, 'Elsewhere', { stackName: NAME, env: { account: ZONE.account, region: ZONE.origin } });
  void new Stack(app, 'Other', { stackName: 'other' });
  addResidencyCheck(app, [ZONE]);
  const message = messageOf(() => app.synth());
  expect(message).toContain('Residency-UnknownStack');
  expect(message).toContain('Found other');
  expect(message).not.toContain(`Found ${NAME}`);
});

test.each([
  ['Residency-ArnAccount', { synthesizer: new DefaultStackSynthesizer({ deployRoleArn: ROLE }) }],
  [
    'Residency-ArnAccount',
    { synthesizer: new DefaultStackSynthesizer({ cloudFormationExecutionRole: ROLE }) },
  ],
  ['Residency-ArnAccount', { synthesizer: new DefaultStackSynthesizer({ lookupRoleArn: ROLE }) }],
  [
    'Residency-AssetDestination',
    { synthesizer: new DefaultStackSynthesizer({ fileAssetsBucketName: 'away' }) },
  ],
  ['Residency-Subscription', { notificationArns: ['arn:aws:sns:eu-central-1:222222222222:topic'] }],
  ['Residency-RegionLiteral', { tags: { copy: 'us-east-1' } }],
] as const)('how a stack is deployed is judged as well: %s, %j', (rule, props) => {
  expect(messageOf(() => appWith('own', props as unknown as StackProps).synth())).toContain(rule);
});

test('the plugin names its rules', () => {
  expect(new ResidencyCheck([]).ruleIds).toEqual(RULE_IDS);
});

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    // The CDK throws errors only.
    return (error as Error).message.replaceAll(/\s+/g, ' ');
  }
  return 'nothing was thrown';
}
