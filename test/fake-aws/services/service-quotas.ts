import { QUOTAS, type Quota } from '../../../scripts/plan/quotas/quota-table.ts';
import { requiredText } from '../behaviours/property-values.ts';
import type { Answer, Call, Service } from '../call.ts';
import { Refusal } from '../refusal.ts';
import type { Place, Properties } from '../values.ts';
import type { World } from '../world.ts';

/** What AWS has raised or lowered for an account in a region. No type of CloudFormation's. */
const APPLIED = 'ServiceQuotas::AppliedQuota';

/** Changes a quota of an account in a region, as AWS does when it is asked to, or with an account that is new. */
export function setQuota(world: World, place: Place, code: string, value: number): void {
  const { account, region } = place;
  const earlier = world.find(place, APPLIED, code);
  if (earlier !== undefined) world.remove(earlier);
  const properties = { Value: value };
  world.add({ account, region, type: APPLIED, id: code, properties, attributes: {}, stack: null });
}

/**
 * AWS Service Quotas, with the quotas that a plan of this project asks for: each with the default and the source that its table names.
 */
export const SERVICE_QUOTAS: Service = {
  signingName: 'servicequotas',
  protocol: 'json',
  actions: {
    GetServiceQuota: (call) => ({ result: { Quota: appliedOf(call, quotaOf(call)) } }),
    GetAWSDefaultServiceQuota: (call) => {
      const quota = quotaOf(call);
      return { result: { Quota: shapeOf(call, quota, quota.value) } };
    },
    ListServiceQuotas: (call) => list(call, (quota) => appliedOf(call, quota)),
    ListAWSDefaultServiceQuotas: (call) => list(call, (quota) => shapeOf(call, quota, quota.value)),
  },
};

function list(call: Call, shape: (quota: Quota) => Properties): Answer {
  const service = requiredText(call.input, 'ServiceCode');
  const own = QUOTAS.filter((quota) => quota.service === service && quota.code !== null);
  if (own.length === 0) throw missing();
  return { result: { Quotas: own.map((quota) => shape(quota)) } };
}

function quotaOf({ input }: Call): Quota {
  const service = requiredText(input, 'ServiceCode');
  const code = requiredText(input, 'QuotaCode');
  const quota = QUOTAS.find((one) => one.service === service && one.code === code);
  if (quota === undefined) throw missing();
  return quota;
}

function appliedOf(call: Call, quota: Quota): Properties {
  const value = call.world.find(call, APPLIED, quota.code ?? '')?.properties['Value'];
  return shapeOf(call, quota, typeof value === 'number' ? value : quota.value);
}

function shapeOf({ account, region }: Call, quota: Quota, value: number): Properties {
  const { service, code, name, adjustable } = quota;
  return {
    ServiceCode: service,
    QuotaCode: code,
    QuotaName: name,
    QuotaArn: `arn:aws:servicequotas:${region}:${account}:${service}/${code ?? ''}`,
    Value: value,
    Unit: 'None',
    Adjustable: adjustable,
    GlobalQuota: quota.scope === 'account',
  };
}

function missing(): Refusal {
  return new Refusal(
    'NoSuchResourceException',
    'The request failed because the specified service does not exist.',
  );
}
