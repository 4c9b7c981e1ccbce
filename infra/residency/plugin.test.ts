import { App, aws_logs as logs, Stack, Validations } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { stackNames } from '../names.ts';
import { deployment } from '../test/zones.ts';
import { addResidencyCheck, ResidencyCheck } from './plugin.ts';
import { RULE_IDS } from './rules.ts';

const ZONE = deployment({ replicas: [] });
const NAME = stackNames.edge(ZONE);

/** An app with one stack of the zone, in which a log group has this name. */
function appWith(logGroupName: string): App {
  const app = new App({ context: { '@aws-cdk/core:validateAgainstDefaultRules': false } });
  const stack = new Stack(app, NAME, { env: { account: ZONE.account, region: ZONE.origin } });
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
