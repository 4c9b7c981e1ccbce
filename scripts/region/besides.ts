import { stackNames } from '../../infra/names.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { UserError } from '../lib/user-error.ts';

/** Of a zone, as far as it matters here. */
type Zone = Pick<ZoneDeployment, 'environment' | 'name' | 'origin'> & {
  /** Those that stay. */
  readonly regions: readonly unknown[];
};

/**
 * Fails with `UserError` where the description changes more than that a region leaves. With one region left, what stays changes as
 * well: its database is no longer to be global.
 *
 * @param names of the stacks that would change besides those that the region's leaving changes
 */
export function refuseBesides(zone: Zone, names: readonly string[]): void {
  if (names.length === 0 || zone.regions.length === 1) return;
  throw new UserError(
    `regions.config.ts says more than that the region leaves: ${names.join(', ')} would change as well. Deploy that first (\`npx cdk deploy --exclusively ${names.join(' ')}\`), or take it back.`,
  );
}

/** What is left to do once the second-last region is gone; empty where nothing is. */
export function laterText(zone: Zone, names: readonly string[]): string {
  if (names.length === 0) return '';
  const data = stackNames.data(zone, zone.origin);
  const membership = names.includes(data) ? ` --parameters ${data}:GlobalMembership=none` : '';
  return `With one region left, what stays changes as well. Once the region is gone (docs/OPERATIONS.md, end of "From one region to several"):\n  npx cdk deploy --exclusively ${names.join(' ')}${membership}\n`;
}
