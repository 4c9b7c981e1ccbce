import { hasBudgets, hasEndpointGroups } from './aws-offers.ts';
import { isAwsRegion } from './aws-regions.ts';
import { isList, type Fields, type Report } from './check-rules.ts';

/** What a zone wants of regions that don't have it: a budget in its origin and, for a deployment, an accelerator that leads to each. */
export function checkOffers(zone: Fields, forDeployment: boolean, report: Report): void {
  const origin = zone['origin'];
  if (zone['budget'] !== undefined && isAwsRegion(origin) && !hasBudgets(origin)) {
    report(
      'budget',
      `can't be made in the origin ${origin}, whose CloudFormation has no budgets; leave it out and make the budget by hand, or take another origin`,
    );
  }
  if (!forDeployment) return;
  const replicas = isList(zone['replicas']) ? zone['replicas'] : [];
  for (const [index, region] of [origin, ...replicas].entries()) {
    if (!isAwsRegion(region) || hasEndpointGroups(region)) continue;
    report(
      index === 0 ? 'origin' : `replicas[${index - 1}]`,
      `${region} can't be deployed to: AWS Global Accelerator, which leads clients to a zone's regions, has no endpoint groups there; take another region`,
    );
  }
}
