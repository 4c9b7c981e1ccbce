import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { BaseStack } from '../stacks/base-stack.ts';
import { stackFilesOf } from '../test/residency/templates.ts';
import { deployment, testApp } from '../test/zones.ts';
import { boundaryStatements } from './policies.ts';
import { isObject, type Json } from './template.ts';

const STACKS = stackFilesOf();

/** Actions that roles of a stack's template are allowed by their own policies. */
function grantedIn(template: Json): readonly string[] {
  if (!isObject(template)) return [];
  const { Resources: resources } = template;
  const policies = Object.values(isObject(resources) ? resources : {}).filter(
    (resource) =>
      isObject(resource) && ['AWS::IAM::Role', 'AWS::IAM::Policy'].some((type) => resource['Type'] === type),
  );
  const found: string[] = [];
  // Statements with principals say who may take the role on, not what it may do.
  JSON.stringify(policies, (_, value) => {
    if (value?.Effect === 'Allow' && value.Principal === undefined) found.push(...[value.Action].flat());
    return value;
  });
  return found;
}

test.each([...STACKS.keys()])(
  "roles of %s are granted nothing that their region's boundary cuts off",
  (name) => {
    const stack = STACKS.get(name);
    const bounded = new Set(
      boundaryStatements(deployment(), stack?.region ?? '').flatMap(({ Action }) => Action ?? []),
    );
    expect(grantedIn(stack?.template ?? null).filter((action) => !bounded.has(action))).toEqual([]);
  },
);

test('the boundary allows nothing that no role is granted', () => {
  const granted = new Set([...STACKS.values()].flatMap(({ template }) => grantedIn(template)));
  const allowed = boundaryStatements(deployment(), 'eu-central-1').flatMap(({ Action }) => Action ?? []);
  expect(allowed.filter((action) => !granted.has(action))).toEqual([]);
});

test('AwsSolutions finds nothing in the boundary that has no reason beside it', () => {
  const app = testApp();
  const base = new BaseStack(app, { zone: deployment({ replicas: [] }), region: 'eu-central-1' });
  expect(new AwsSolutionsChecks(app).validateScope(base.boundary).violations).toEqual([]);
});
