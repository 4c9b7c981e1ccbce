import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { RESIDENCY_FOLDER } from '../names.ts';
import { permissionBoundary, serviceControlPolicy } from './policies.ts';
import type { PolicyDocument } from './policy-types.ts';

/** Names of the files, below `<output>/residency/<environment>/<zone>/`. */
export const POLICY_FILES = {
  serviceControlPolicy: 'service-control-policy.json',
  permissionBoundary: 'permission-boundary.json',
} as const;

/** Writes each zone's policies below the CDK's output folder, for administrators to review and install; returns the paths. */
export function writePolicies(outdir: string, zones: readonly ZoneDeployment[]): readonly string[] {
  return zones.flatMap((zone) => {
    const folder = join(outdir, RESIDENCY_FOLDER, zone.environment, zone.name);
    mkdirSync(folder, { recursive: true });
    const write = (file: string, policy: PolicyDocument): string => {
      const path = join(folder, file);
      writeFileSync(path, `${JSON.stringify(policy, null, 2)}\n`);
      return path;
    };
    return [
      write(POLICY_FILES.serviceControlPolicy, serviceControlPolicy(zone)),
      write(POLICY_FILES.permissionBoundary, permissionBoundary(zone)),
    ];
  });
}
