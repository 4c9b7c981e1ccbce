import { ACCOUNT } from './check-identity.ts';
import { isList, type Fields, type Report } from './check-rules.ts';

/** Quota "Listeners per accelerator" of Global Accelerator: one listener is the anycast one, each region has a direct one. */
const LISTENERS_PER_ACCELERATOR = 10;
const MAX_DEPLOYED_REGIONS = LISTENERS_PER_ACCELERATOR - 1;
/** Quota "Standard accelerators per AWS account"; a zone has one. */
const ACCELERATORS_PER_ACCOUNT = 20;

/**
 * What AWS's quotas leave room for, as they are in a new account. `zonesByAccount` counts the zones of all environments before this one
 * and gets this one. Source: https://docs.aws.amazon.com/global-accelerator/latest/dg/limits-global-accelerator.html
 */
export function checkQuotas(zone: Fields, zonesByAccount: Map<unknown, number>, report: Report): void {
  const regions = 1 + (isList(zone['replicas']) ? zone['replicas'].length : 0);
  if (regions > MAX_DEPLOYED_REGIONS) {
    report(
      'replicas',
      `the zone has ${regions} regions, at most ${MAX_DEPLOYED_REGIONS} can be deployed: the quota "Listeners per accelerator" of AWS Global Accelerator is ${LISTENERS_PER_ACCELERATOR}, one listener is for all regions and one for each; make two zones of it`,
    );
  }
  const account = zone['account'];
  const [isAccount] = ACCOUNT;
  if (!isAccount(account)) return;
  const zones = (zonesByAccount.get(account) ?? 0) + 1;
  zonesByAccount.set(account, zones);
  if (zones > ACCELERATORS_PER_ACCOUNT) {
    report(
      'account',
      `${String(account)} has ${zones} zones with this one, counted over all environments; at most ${ACCELERATORS_PER_ACCOUNT} are possible, the quota "Standard accelerators per AWS account" of AWS Global Accelerator; take another account`,
    );
  }
}
