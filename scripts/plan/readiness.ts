import type { ZoneDeployment } from '../../topology/deployment.ts';
import type { QuotaUse } from './quotas/quota-use.ts';
import type { ZonePlan } from './zone-plan.ts';

/** Accounts, hosted zones and names of the description as it comes with the repository. Names that are nobody's: RFC 2606. */
const EXAMPLE_ACCOUNTS: ReadonlySet<string> = new Set(['111111111111', '222222222222', '333333333333']);
const EXAMPLE_HOSTED_ZONE = /^Z0EXAMPLE/;
const EXAMPLE_DOMAIN = /(^|[.@])example\.(com|net|org)$/;

/** What of a zone's description is still the example's: as one writes it there. */
export function placeholdersOf(zone: ZoneDeployment): readonly string[] {
  const { account, hostname, domain, alarms } = zone;
  const hostedZone = 'hostedZoneId' in domain ? domain.hostedZoneId : '';
  const email = alarms !== null && 'email' in alarms ? alarms.email : '';
  return [
    ...(EXAMPLE_ACCOUNTS.has(account) ? [`account ${account}`] : []),
    ...(EXAMPLE_DOMAIN.test(hostname) ? [`hostname ${hostname}`] : []),
    ...(EXAMPLE_HOSTED_ZONE.test(hostedZone) ? [`hostedZoneId ${hostedZone}`] : []),
    ...(EXAMPLE_DOMAIN.test(email) ? [`email ${email}`] : []),
  ];
}

/** What there is to do before a deployment, each a part of a sentence, the first thing first. */
export function stepsBefore(plans: readonly ZonePlan[], quotas: readonly QuotaUse[]): readonly string[] {
  const steps = plans.flatMap((plan) => [
    ...exampleSteps(plan),
    ...bootstrapSteps(plan),
    ...(plan.obstacles.length === 0
      ? []
      : [`mend what is in the way of zone ${plan.zone.name} (${plan.obstacles.length}, above)`]),
  ]);
  const low = [...new Set(quotas.filter(({ level }) => level === 'over').map(({ quota }) => quota.name))];
  return [...steps, ...(low.length === 0 ? [] : [`have AWS raise ${low.join(', ')}`])];
}

function exampleSteps({ zone }: ZonePlan): readonly string[] {
  const left = placeholdersOf(zone);
  return left.length === 0
    ? []
    : [
        `put your own values for zone ${zone.name} into regions.config.ts, where the example’s still are: ${left.join(', ')}`,
      ];
}

/** Where nothing is deployed into a region, nothing needs the CDK's own stack there. */
function bootstrapSteps({ zone, observation, stacks }: ZonePlan): readonly string[] {
  if (observation.kind !== 'compared') return [];
  const missing = observation.surroundings.withoutBootstrap.filter((region) =>
    stacks.some((stack) => stack.region === region && (stack.kind === 'new' || stack.kind === 'changed')),
  );
  return missing.length === 0
    ? []
    : [
        `\`npx cdk bootstrap ${missing.map((region) => `aws://${zone.account}/${region}`).join(' ')}\` (no stack CDKToolkit is there)`,
      ];
}

/** The last line of a plan. */
export function readinessText(plans: readonly ZonePlan[], steps: readonly string[]): string {
  if (steps.length > 0) return `Before the deployment: ${steps.join('; ')}.`;
  return plans.every(({ observation }) => observation.kind === 'compared')
    ? 'Nothing stands in the way.'
    : 'Nothing stands in the way, as far as that can be told without looking at AWS.';
}
