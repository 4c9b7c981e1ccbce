import type { Zone } from '../../../topology/types.ts';
import { deployment, testApp } from '../zones.ts';
import { buildZone } from '../../zone.ts';
import type { StackFile } from '../../residency/check.ts';
import { readStack } from '../../residency/plugin.ts';

/** The choices of a zone that put the most into its templates. */
export const FULL: Partial<Zone> = {
  alarms: { email: 'alarms@example.com' },
  budget: { usdPerMonth: 500 },
  firewall: { requestsPer5Minutes: 10_000 },
};

/** All stacks of a zone as they are on disk after a synthesis, by name. */
export function stackFilesOf(zone: Partial<Zone> = FULL): ReadonlyMap<string, StackFile> {
  const app = testApp();
  buildZone(app, deployment(zone));
  return new Map(
    app
      .synth()
      .stacks.map(({ stackName, environment: { account, region }, templateFullPath }) => [
        stackName,
        readStack(templateFullPath, { stackName, account, region }),
      ]),
  );
}
