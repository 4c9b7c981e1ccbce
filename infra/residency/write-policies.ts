import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { RESIDENCY_FOLDER } from '../names.ts';
import { permissionBoundary, serviceControlPolicy } from './policies.ts';
import { textOf, type PolicyDocument } from './policy-types.ts';

/** Names of the files, below `<output>/residency/<environment>/<zone>/`. */
export const POLICY_FILES = {
  serviceControlPolicy: 'service-control-policy.json',
  permissionBoundary: 'permission-boundary.json',
} as const;

/** Removes what an earlier synthesis wrote: it may be of zones that are gone, or of another topology. */
export function removePolicies(outdir: string): void {
  rmSync(join(outdir, RESIDENCY_FOLDER), { recursive: true, force: true });
}

/**
 * Writes each zone's policies below the CDK's output folder, for administrators to review and install, in place of all that are there;
 * returns the paths. Throws, and leaves none, where AWS would refuse one for its length.
 */
export function writePolicies(outdir: string, zones: readonly ZoneDeployment[]): readonly string[] {
  removePolicies(outdir);
  const policies = zones.map((zone) => ({
    folder: join(outdir, RESIDENCY_FOLDER, zone.environment, zone.name),
    control: serviceControlPolicy(zone),
    boundary: permissionBoundary(zone),
  }));
  return policies.flatMap(({ folder, control, boundary }) => {
    mkdirSync(folder, { recursive: true });
    const write = (file: string, policy: PolicyDocument): string => {
      const path = join(folder, file);
      writeFileSync(path, textOf(policy));
      return path;
    };
    return [
      write(POLICY_FILES.serviceControlPolicy, control),
      write(POLICY_FILES.permissionBoundary, boundary),
    ];
  });
}
