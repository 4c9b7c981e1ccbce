import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { errorText } from '../../lib/user-error.ts';
import { AWS_SETTINGS } from '../../lib/aws-settings.ts';
import { mapLimited } from '../map-limited.ts';
import type { Need } from './needs.ts';
import type { QuotaUse } from './quota-use.ts';
import { isWorthSaying, useOf } from './quota-use.ts';

/** Service Quotas answers slowly and throttles early. */
const AT_ONCE = 4;
/** Where AWS has the quotas of what an account has once. */
const GLOBAL_REGION = 'us-east-1';

export interface AppliedQuotas {
  readonly uses: readonly QuotaUse[];
  /** A sentence where AWS didn't answer; null where it did. */
  readonly problem: string | null;
}

/**
 * Asks AWS what it allows the account that the credentials are for. Only for what would be said otherwise: the other defaults are far
 * away, and AWS doesn't lower a quota below its default except in new accounts. Fails never: what isn't answered stays a default.
 */
export async function appliedQuotas(needs: readonly Need[], account: string): Promise<AppliedQuotas> {
  const problems = new Set<string>();
  const clients = new Map<string, ServiceQuotasClient>();
  const clientOf = (region: string): ServiceQuotasClient => {
    const client = clients.get(region) ?? new ServiceQuotasClient({ region, ...AWS_SETTINGS });
    clients.set(region, client);
    return client;
  };
  const uses = await mapLimited(needs, AT_ONCE, async (need) => {
    const { quota, region } = need;
    const use = useOf(need, null);
    if (need.account !== account || quota.code === null || !isWorthSaying(use)) return use;
    try {
      const { Quota } = await clientOf(
        quota.scope === 'account' ? GLOBAL_REGION : (region ?? GLOBAL_REGION),
      ).send(new GetServiceQuotaCommand({ ServiceCode: quota.service, QuotaCode: quota.code }));
      return useOf(need, Quota?.Value ?? null);
    } catch (error) {
      problems.add(errorText(error));
      return use;
    }
  });
  const [first] = problems;
  const problem =
    first === undefined
      ? null
      : `AWS doesn’t say what its quotas are for this account, so defaults are compared: ${first}`;
  return { uses, problem };
}
