import { expect, test } from 'vitest';

import { hasBudgets, hasEndpointGroups, INSTANCE_SIZES, offersInstanceClass } from './aws-offers.ts';
import { AWS_REGION_CODES } from './aws-regions.ts';
import { EU_ZONE, EVERY_CHOICE, LARGE, problemsOf, withZones } from './test-zones.ts';

const ANYWHERE = { ...EVERY_CHOICE, ...LARGE };

test.each(['eu-north-1', 'ap-northeast-3', 'mx-central-1'])(
  'a budget is refused where CloudFormation has none, the origin %s',
  (origin) => {
    const zone = { ...ANYWHERE, origin, budget: { usdPerMonth: 100 } };
    expect(problemsOf(withZones(zone))).toEqual([
      `production/eu: budget: can't be made in the origin ${origin}, whose CloudFormation has no budgets; leave it out and make the budget by hand, or take another origin`,
    ]);
    expect(problemsOf(withZones({ ...zone, budget: undefined }))).toEqual([]);
    expect(problemsOf(withZones({ ...zone, origin: 'eu-central-1', replicas: [origin] }))).toEqual([]);
  },
);

test('a region that no accelerator leads to is refused for a deployment only', () => {
  const problem = (field: string, region: string): string =>
    `production/eu: ${field}: ${region} can't be deployed to: AWS Global Accelerator, which leads clients to a zone's regions, has no endpoint groups there; take another region`;
  const zone = withZones({ ...ANYWHERE, origin: 'ap-east-2', replicas: ['eu-west-3', 'ap-southeast-7'] });
  expect(problemsOf(zone, { forDeployment: true })).toEqual([
    problem('origin', 'ap-east-2'),
    problem('replicas[1]', 'ap-southeast-7'),
  ]);
  expect(problemsOf(zone)).toEqual([]);
});

test('an instance class that some regions don’t offer is refused once, with those regions and what they do offer', () => {
  const sizes = { default: { databaseInstanceClass: 'r8g.large' } };
  const zone = { ...EU_ZONE, residency: undefined, origin: 'eu-central-1', sizes };
  const replicas = ['il-central-1', 'eu-west-3', 'me-south-1'];
  expect(problemsOf(withZones({ ...zone, replicas }))).toEqual([
    "production/eu: sizes.default.databaseInstanceClass: r8g.large isn't offered in il-central-1, me-south-1; take serverless or a class of r5, r7g",
  ]);
  const own = { ...sizes, 'il-central-1': { databaseInstanceClass: 'r7g.large' } };
  expect(problemsOf(withZones({ ...zone, replicas: ['il-central-1'], sizes: own }))).toEqual([]);
});

test('the tables are of known regions and families', () => {
  for (const region of AWS_REGION_CODES) {
    expect(offersInstanceClass(region, 'serverless')).toBe(true);
    expect([...INSTANCE_SIZES.keys()].some((family) => offersInstanceClass(region, `${family}.large`))).toBe(
      true,
    );
  }
  expect(AWS_REGION_CODES.filter((region) => !hasBudgets(region))).toHaveLength(18);
  expect(AWS_REGION_CODES.filter((region) => !hasEndpointGroups(region))).toHaveLength(3);
});
