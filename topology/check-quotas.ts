import { isList, type Fields, type Report } from './check-rules.ts';

/** Aurora's own limit of secondary regions in a global database. */
export const MAX_REPLICAS = 10;
/** Quota "Listeners per accelerator" of Global Accelerator: one listener is the anycast one, each region has a direct one. */
const LISTENERS_PER_ACCELERATOR = 10;
/** Beside the origin. */
export const MAX_DEPLOYED_REPLICAS = LISTENERS_PER_ACCELERATOR - 2;

/**
 * How many regions a zone can have: in a deployment an accelerator sets the limit, as its quota is in a new account, elsewhere the
 * database does. Source: https://docs.aws.amazon.com/global-accelerator/latest/dg/limits-global-accelerator.html
 */
export function checkNumberOfRegions(zone: Fields, forDeployment: boolean, report: Report): void {
  const replicas = isList(zone['replicas']) ? zone['replicas'].length : 0;
  if (replicas <= (forDeployment ? MAX_DEPLOYED_REPLICAS : MAX_REPLICAS)) return;
  report(
    'replicas',
    forDeployment
      ? `lists ${replicas} regions; at most ${MAX_DEPLOYED_REPLICAS} beside the origin can be deployed: the quota "Listeners per accelerator" of AWS Global Accelerator is ${LISTENERS_PER_ACCELERATOR}, one listener is for all regions and one for each; make two zones of it`
      : `lists ${replicas} regions; at most ${MAX_REPLICAS} beside the origin are possible, the limit of an Aurora global database, and ${MAX_DEPLOYED_REPLICAS} in a deployment; make two zones of it`,
  );
}
