import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll } from 'vitest';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import { deploymentOf, type ZoneDeployment } from '../../topology/deployment.ts';
import type { Zone } from '../../topology/types.ts';
import { buildZone, type ZoneStacks } from '../zone.ts';

/** A zone for tests: two regions of the EU and an image that is there already; all else as a config that says nothing has it. */
export const TWO_REGIONS: Zone = {
  name: 'eu',
  hostname: 'keys.eu.example.com',
  account: '222222222222',
  residency: 'EU',
  origin: 'eu-central-1',
  replicas: ['eu-west-3'],
  domain: { hostedZoneId: 'Z0EXAMPLE0000000EU', hostedZoneName: 'eu.example.com' },
  // Each app would fingerprint the repository for an image of its own; the tests of the service stack ask for that.
  image: { repository: 'keyhearth', digest: `sha256:${'0'.repeat(64)}` },
};

export function deployment(zone: Partial<Zone> = {}): ZoneDeployment {
  const whole = { ...TWO_REGIONS, ...zone };
  return deploymentOf({ name: 'test', zones: [whole] }, whole);
}

const outputs: string[] = [];
afterAll(() => {
  for (const folder of outputs) rmSync(folder, { recursive: true, force: true });
});

/** A CDK app with the flags of cdk.json, without validation: that is for whole synths. */
export function testApp(): App {
  // Our own file.
  const { context } = JSON.parse(readFileSync(join(import.meta.dirname, '../../cdk.json'), 'utf8')) as {
    context: Record<string, unknown>;
  };
  const outdir = mkdtempSync(join(tmpdir(), 'keyhearth-cdk-'));
  outputs.push(outdir);
  return new App({
    outdir,
    context: { ...context, '@aws-cdk/core:validateAgainstDefaultRules': false },
  });
}

/** All stacks of a zone, each in an app of its own kind of call: make one for each test, or share one that isn't changed. */
export function stacksOf(zone: Partial<Zone> = {}): ZoneStacks {
  return buildZone(testApp(), deployment(zone));
}

/** In no particular order. */
export function allStacks({ zoneStack, links, regions, edge }: ZoneStacks): readonly Stack[] {
  const ofRegions = [...regions.values()].flatMap(({ base, data, service }) => [base, data, service]);
  return [zoneStack, ...links, ...ofRegions, edge];
}

/** The stacks of one region. Throws where the zone hasn't got it. */
export function regionOf(
  stacks: ZoneStacks,
  region: AwsRegion,
): NonNullable<ReturnType<ZoneStacks['regions']['get']>> {
  const found = stacks.regions.get(region);
  if (found === undefined) throw new Error(`no stacks for ${region}`);
  return found;
}

export function templateOf(stack: Stack): Template {
  return Template.fromStack(stack);
}
