import { ACCOUNT } from './check-identity.ts';
import type { Fields, Report } from './check-rules.ts';

/** Quota "Standard accelerators per AWS account"; a zone has one. */
const ACCELERATORS_PER_ACCOUNT = 20;

/** A zone, as the others of its account see it. */
export interface ZoneOfAccount {
  readonly label: string;
  readonly hasResidency: boolean;
}

/**
 * What zones of one account may be in a deployment. A residency is enforced by a service control policy, which holds for the whole account and
 * names one zone's regions: a second zone's would forbid them. Without a residency zones may share an account, as far as its quotas go
 * in a new one. `zonesByAccount` has the zones of all environments before this one and gets this one.
 * Source: https://docs.aws.amazon.com/global-accelerator/latest/dg/limits-global-accelerator.html
 */
export function checkAccount(
  zone: Fields,
  label: string,
  zonesByAccount: Map<string, readonly ZoneOfAccount[]>,
  report: Report,
): void {
  const [isAccount] = ACCOUNT;
  const account = zone['account'];
  if (typeof account !== 'string' || !isAccount(account)) return;
  const others = zonesByAccount.get(account) ?? [];
  const hasResidency = zone['residency'] !== undefined;
  zonesByAccount.set(account, [...others, { label, hasResidency }]);
  const excluded = hasResidency ? others[0] : others.find((other) => other.hasResidency);
  if (excluded !== undefined) {
    report(
      'account',
      `${account} is the account of ${excluded.label} already, and ${hasResidency ? 'this zone' : 'that zone'} has a residency: the service control policies of the two would exclude each other; give each zone an account of its own`,
    );
  }
  if (others.length + 1 > ACCELERATORS_PER_ACCOUNT) {
    report(
      'account',
      `${account} has ${others.length + 1} zones with this one, counted over all environments; at most ${ACCELERATORS_PER_ACCOUNT} are possible, the quota "Standard accelerators per AWS account" of AWS Global Accelerator; take another account`,
    );
  }
}
