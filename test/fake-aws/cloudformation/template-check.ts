import { resourceSchema } from '../../../scripts/lib/resource-schemas.ts';
import { Refusal } from '../refusal.ts';
import type { Json } from '../values.ts';
import { dependenciesOf, inOrder, referencesIn, type Reference } from './dependencies.ts';
import { resolve } from './intrinsics.ts';
import { PSEUDO_PARAMETERS, type StackScope } from './scope.ts';
import { formatError, templateError, type Template, type TemplateResource } from './template.ts';
import { plain } from './text.ts';

/**
 * What a template says that can't be, whatever its parameters: unknown types, names of nothing, attributes that a type lacks, resources
 * that wait for each other.
 *
 * @param knows whether there is a type of that name
 * @throws Refusal
 */
export function checkTemplate(template: Template, knows: (type: string) => boolean): void {
  const unknown = new Set(
    [...template.resources.values()].map(({ type }) => type).filter((type) => !knows(type)),
  );
  if (unknown.size > 0) throw formatError(`Unrecognized resource types: [${[...unknown].join(', ')}]`);
  for (const [id, { dependsOn, condition, properties }] of template.resources) {
    const missing = dependsOn.filter((other) => !template.resources.has(other));
    checkReferences(referencesIn(properties), template, 'Resources');
    if (missing.length > 0) throw unresolved(missing, 'Resources');
    if (condition !== undefined && !template.conditions.has(condition)) {
      throw formatError(`Unrecognized condition ${condition} for resource ${id}`);
    }
  }
  for (const output of template.outputs.values()) {
    if (output['Value'] === undefined) throw formatError('Every Outputs member must contain a Value object');
    checkReferences(referencesIn({ ...output, Condition: null }), template, 'Outputs');
  }
  inOrder(new Map([...template.resources].map(([id, resource]) => [id, dependenciesOf(resource, template)])));
}

function checkReferences(references: readonly Reference[], template: Template, block: string): void {
  const missing = references.filter(({ name, attribute }) => {
    const isResource = template.resources.has(name);
    return attribute === undefined
      ? !isResource && !template.parameters.has(name) && !(name in PSEUDO_PARAMETERS)
      : !isResource;
  });
  if (missing.length > 0) throw unresolved([...new Set(missing.map(({ name }) => name))], block);
  for (const { name, attribute } of references) {
    const type = template.resources.get(name)?.type;
    if (type !== undefined && attribute !== undefined && !hasAttribute(type, attribute)) {
      throw templateError(`resource ${name} does not support attribute type ${attribute} in Fn::GetAtt`);
    }
  }
}

/** By AWS's schema. A part of an attribute that is an object is one as well; where there is no schema, whatever is asked for. */
function hasAttribute(type: string, attribute: string): boolean {
  const schema = resourceSchema(type);
  if (schema === undefined) return true;
  const [first = ''] = attribute.split('.');
  return (
    schema.attributes.includes(attribute) || schema.attributes.includes(first) || schema.properties.has(first)
  );
}

function unresolved(names: readonly string[], block: string): Refusal {
  return formatError(
    `Unresolved resource dependencies [${names.join(', ')}] in the ${block} block of the template`,
  );
}

/**
 * That a template's rules hold for its parameters.
 * "CloudFormation template Rules syntax"
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html).
 *
 * @throws Refusal with the description of the assertion that doesn't hold
 */
export function checkRules(template: Template, scope: StackScope): void {
  for (const rule of template.rules.values()) {
    const condition = rule['RuleCondition'];
    if (condition !== undefined && !holds(condition, scope)) continue;
    const assertions = rule['Assertions'];
    for (const assertion of Array.isArray(assertions) ? assertions : []) {
      const { Assert: assert = true, AssertDescription: description } = assertion as Readonly<
        Record<string, Json>
      >;
      if (!holds(assert, scope)) {
        throw templateError(
          `Parameters do not satisfy the rules of the template. ${plain(description)}`.trim(),
        );
      }
    }
  }
}

function holds(expression: Json, scope: StackScope): boolean {
  const value = resolve(expression, scope);
  return value === true || value === 'true';
}

/**
 * Types that a template may only have with the caller's acknowledgement, and the property by which they get a name of their own.
 * "CreateStack", Capabilities (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html).
 */
const IAM_NAMES: ReadonlyMap<string, string | undefined> = new Map([
  ['AWS::IAM::AccessKey', undefined],
  ['AWS::IAM::Group', 'GroupName'],
  ['AWS::IAM::InstanceProfile', 'InstanceProfileName'],
  ['AWS::IAM::ManagedPolicy', 'ManagedPolicyName'],
  ['AWS::IAM::Policy', undefined],
  ['AWS::IAM::Role', 'RoleName'],
  ['AWS::IAM::User', 'UserName'],
  ['AWS::IAM::UserToGroupAddition', undefined],
]);

/** @throws Refusal where a template makes what the caller didn't say it may */
export function checkCapabilities(template: Template, capabilities: readonly string[]): void {
  const [needed] = neededCapabilities(template);
  if (needed === undefined || capabilities.includes('CAPABILITY_NAMED_IAM')) return;
  if (needed === 'CAPABILITY_IAM' && capabilities.includes('CAPABILITY_IAM')) return;
  throw new Refusal('InsufficientCapabilitiesException', `Requires capabilities : [${needed}]`);
}

export function neededCapabilities(template: Template): readonly string[] {
  const resources = [...template.resources.values()].filter(({ type }) => IAM_NAMES.has(type));
  if (resources.length === 0) return [];
  return [resources.some(isNamed) ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM'];
}

function isNamed({ type, properties }: TemplateResource): boolean {
  const name = IAM_NAMES.get(type);
  return name !== undefined && properties[name] !== undefined;
}
