import { describe, expect, it } from 'vitest';
import fixture from '../../test/topology-fixture.ts';
import { deploymentOf, type ZoneDeployment } from '../../topology/deployment.ts';
import { placeholdersOf, readinessText, stepsBefore } from './readiness.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';
import { planZone, type ZonePlan } from './zone-plan.ts';

const [trial] = fixture.environments.trial.zones;
const example = deploymentOf({ name: 'trial', zones: [trial] }, trial);
const own: ZoneDeployment = {
  ...example,
  account: '444455556666',
  hostname: 'keys.acme.dev',
  domain: { hostedZoneId: 'Z0ACME', hostedZoneName: 'acme.dev' },
};

const planOf = (zone: ZoneDeployment, withoutBootstrap: readonly string[] = []): ZonePlan =>
  planZone(
    zone,
    [
      {
        name: 'keyhearth-trial-trial-zone',
        account: zone.account,
        region: 'eu-west-1',
        dependencies: [],
        template: { Resources: {} },
      },
    ],
    { kind: 'compared', stacks: [], surroundings: { ...NO_SURROUNDINGS, withoutBootstrap } },
    false,
  );

const textOf = (plan: ZonePlan): string => readinessText([plan], stepsBefore([plan], []));

describe('before a deployment', () => {
  it('the example’s own values have to go', () => {
    expect(placeholdersOf({ ...example, alarms: { email: 'ops@example.com' } })).toEqual([
      'account 333333333333',
      'hostname keys.trial.example.com',
      'hostedZoneId Z0EXAMPLE00000TRIAL',
      'email ops@example.com',
    ]);
    expect(placeholdersOf({ ...own, hostname: 'keys.notexample.com' })).toEqual([]);
    expect(textOf(planOf(example))).toMatch(/^Before the deployment: put your own values for zone trial/);
  });

  it('the CDK’s stack has to be in each region that gets or changes stacks', () => {
    expect(textOf(planOf(own, ['eu-west-1', 'eu-west-3']))).toBe(
      'Before the deployment: `npx cdk bootstrap aws://444455556666/eu-west-1` (no stack CDKToolkit is there).',
    );
  });

  it('nothing stands in the way of a zone that is ready, as far as AWS was asked', () => {
    expect(textOf(planOf(own))).toBe('Nothing stands in the way.');
    const offline = planZone(own, [], { kind: 'assumed-empty', why: 'Nobody asked.' }, false);
    expect(textOf(offline)).toBe(
      'Nothing stands in the way, as far as that can be told without looking at AWS.',
    );
  });
});
