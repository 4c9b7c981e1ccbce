import { Refusal } from '../refusal.ts';
import { isProperties, type Json, type Properties } from '../values.ts';
import { readYaml } from './yaml.ts';

export type DeletionPolicy = 'Delete' | 'Retain' | 'RetainExceptOnCreate' | 'Snapshot';

/** A resource as a template has it: nothing resolved yet. */
export interface TemplateResource {
  readonly type: string;
  readonly properties: Properties;
  readonly dependsOn: readonly string[];
  readonly condition: string | undefined;
  readonly deletionPolicy: DeletionPolicy | undefined;
  readonly updateReplacePolicy: DeletionPolicy | undefined;
  /** What a change set's `Scope` tells apart from properties. */
  readonly metadata: Json;
}

/** A template whose form is right. What its functions mean is looked at where they are resolved. */
export interface Template {
  /** As it was sent: GetTemplate gives it back. */
  readonly body: string;
  readonly description: string | undefined;
  readonly parameters: ReadonlyMap<string, Properties>;
  readonly rules: ReadonlyMap<string, Properties>;
  readonly conditions: ReadonlyMap<string, Json>;
  readonly mappings: Properties;
  readonly resources: ReadonlyMap<string, TemplateResource>;
  readonly outputs: ReadonlyMap<string, Properties>;
}

/**
 * "Understand CloudFormation quotas"
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
 */
export const LIMITS = {
  bodyBytes: 51_200,
  urlBytes: 1_000_000,
  resources: 500,
  outputs: 200,
  parameters: 200,
  mappings: 200,
  descriptionBytes: 1_024,
} as const;

/** "CloudFormation template sections" (…/UserGuide/template-anatomy.html). */
const SECTIONS = new Set([
  'AWSTemplateFormatVersion',
  'Conditions',
  'Description',
  'Mappings',
  'Metadata',
  'Outputs',
  'Parameters',
  'Resources',
  'Rules',
  'Transform',
]);

/** "Resource attribute reference" (…/TemplateReference/aws-product-attribute-reference.html). */
const ATTRIBUTES = new Set([
  'Condition',
  'CreationPolicy',
  'DeletionPolicy',
  'DependsOn',
  'Description',
  'Metadata',
  'Properties',
  'Type',
  'UpdatePolicy',
  'UpdateReplacePolicy',
]);

const DELETION_POLICIES: readonly string[] = ['Delete', 'Retain', 'RetainExceptOnCreate', 'Snapshot'];

/**
 * Reads a template, JSON or YAML.
 *
 * @throws Refusal `ValidationError` where its form is wrong or it is larger than AWS takes
 */
export function readTemplate(body: string): Template {
  const document = parse(body);
  const unknown = Object.keys(document).filter((section) => !SECTIONS.has(section));
  if (unknown.length > 0) throw malformed(`Invalid template property or properties [${unknown.join(', ')}]`);
  if (document['Transform'] !== undefined) {
    throw new Refusal(
      'ValidationError',
      'This local AWS runs no macros: the template must have no Transform.',
    );
  }
  const resources = sectionOf(document, 'Resources');
  if (resources.size === 0) {
    throw formatError('At least one Resources member must be defined.');
  }
  const template: Template = {
    body,
    description: descriptionOf(document),
    parameters: sectionOf(document, 'Parameters'),
    rules: sectionOf(document, 'Rules'),
    conditions: new Map(Object.entries(objectAt(document, 'Conditions'))),
    mappings: objectAt(document, 'Mappings'),
    resources: new Map([...resources].map(([id, resource]) => [id, readResource(id, resource)])),
    outputs: sectionOf(document, 'Outputs'),
  };
  checkCount('resources', template.resources.size, LIMITS.resources);
  checkCount('outputs', template.outputs.size, LIMITS.outputs);
  checkCount('parameters', template.parameters.size, LIMITS.parameters);
  checkCount('mappings', Object.keys(template.mappings).length, LIMITS.mappings);
  return template;
}

/** A refusal of a template's form. */
export function formatError(sentence: string): Refusal {
  return malformed(`Template format error: ${sentence}`);
}

/** A refusal of what a template says. */
export function templateError(sentence: string): Refusal {
  return malformed(`Template error: ${sentence}`);
}

function malformed(sentence: string): Refusal {
  return new Refusal('ValidationError', sentence);
}

function readResource(id: string, resource: Properties): TemplateResource {
  if (!/^[A-Za-z0-9]{1,255}$/u.test(id)) throw formatError(`Resource name ${id} is non alphanumeric.`);
  const unknown = Object.keys(resource).find((attribute) => !ATTRIBUTES.has(attribute));
  if (unknown !== undefined) throw malformed(`Invalid template resource property '${unknown}'`);
  const type = resource['Type'];
  if (typeof type !== 'string') {
    throw formatError(`[/Resources/${id}] Every Resources object must contain a Type member.`);
  }
  const properties = resource['Properties'] ?? {};
  if (!isProperties(properties))
    throw formatError(`[/Resources/${id}/Properties] 'null' values are not allowed`);
  const dependsOn = resource['DependsOn'] ?? [];
  const condition = resource['Condition'];
  return {
    type,
    properties,
    dependsOn: (Array.isArray(dependsOn) ? dependsOn : [dependsOn]).map(String),
    condition: typeof condition === 'string' ? condition : undefined,
    deletionPolicy: policyOf(id, resource, 'DeletionPolicy'),
    updateReplacePolicy: policyOf(id, resource, 'UpdateReplacePolicy'),
    metadata: resource['Metadata'] ?? null,
  };
}

function policyOf(id: string, resource: Properties, attribute: string): DeletionPolicy | undefined {
  const policy = resource[attribute];
  if (policy === undefined) return undefined;
  if (typeof policy !== 'string' || !DELETION_POLICIES.includes(policy)) {
    throw formatError(`Unrecognized ${attribute} ${JSON.stringify(policy)} for resource ${id}`);
  }
  // One of the four, as was just looked up.
  return policy as DeletionPolicy;
}

function checkCount(what: string, count: number, limit: number): void {
  if (count > limit) {
    throw formatError(`Number of ${what}, ${count}, is greater than maximum allowed, ${limit}`);
  }
}

function descriptionOf(document: Properties): string | undefined {
  const description = document['Description'];
  if (description === undefined) return undefined;
  if (typeof description !== 'string') throw formatError('Description is not a string.');
  if (Buffer.byteLength(description) > LIMITS.descriptionBytes) {
    throw formatError(`Template description is longer than ${LIMITS.descriptionBytes} bytes.`);
  }
  return description;
}

function objectAt(document: Properties, name: string): Properties {
  const value = document[name] ?? {};
  if (!isProperties(value)) throw formatError(`${name} must be an object.`);
  return value;
}

function sectionOf(document: Properties, name: string): Map<string, Properties> {
  return new Map(
    Object.entries(objectAt(document, name)).map(([id, entry]) => {
      if (!isProperties(entry)) throw formatError(`[/${name}/${id}] must be an object.`);
      return [id, entry];
    }),
  );
}

function parse(body: string): Properties {
  const isJson = body.trimStart().startsWith('{');
  let document: Json;
  try {
    document = isJson ? readJson(body) : readYaml(body);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw formatError(`${isJson ? 'JSON' : 'YAML'} not well-formed. (${reason})`);
  }
  if (!isProperties(document)) throw formatError('unsupported structure.');
  return document;
}

function readJson(body: string): Json {
  // Whatever JSON.parse returns is JSON.
  return JSON.parse(body) as Json;
}
