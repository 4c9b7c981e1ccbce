import { createRequire } from 'node:module';
import { resourceSchema } from '../../../scripts/lib/resource-schemas.ts';
import { isProperties, type Json, type Properties } from '../values.ts';
import { isUnknown } from './intrinsics.ts';

export interface PropertyFinding {
  /** `/Name`, within the properties. */
  readonly path: string;
  readonly message: string;
}

interface Diagnostic {
  readonly ruleId: string;
  readonly message: string;
  readonly propertyPath?: string;
}

/** `@aws/cloudformation-validate` 1, AWS's own checker, as far as it is used here. */
interface Checker {
  readonly TemplateContent: new (content: string) => unknown;
  readonly CompositeEngine: new (config: object) => {
    validateTemplate(
      template: unknown,
      config: {
        readonly detailLevel: 'STANDARD';
        readonly severityLevel: 'WARN';
        readonly pseudoParameterOverrides: { readonly region: string };
      },
    ): {
      readonly diagnostics: readonly Diagnostic[];
    };
  };
}

/** Its rule for a type that it has no schema of. */
const UNKNOWN_TYPE = 'F3006';

/**
 * Its rule for values that a schema's list hasn't. It only warns of them, since a service may take a new one before its schema lists it;
 * the schema is what CloudFormation holds a template to. All its other warnings are about style, or about what AWS puts up with.
 */
const NOT_LISTED = 'W3030';

let loaded:
  | { readonly checker: Checker; readonly engine: InstanceType<Checker['CompositeEngine']> }
  | undefined;

const findings = new Map<string, readonly PropertyFinding[]>();

/**
 * What AWS's schemas of resources and its linter's rules find wrong with properties whose functions are resolved: unknown and missing
 * ones, types, lengths, patterns, ranges and listed values. A value that isn't known yet is not looked at.
 *
 * Costs two seconds the first time, for the schemas; about a millisecond then, and nothing for properties that it has seen before.
 */
export function checkProperties(
  type: string,
  properties: Properties,
  region: string,
): readonly PropertyFinding[] {
  const template = JSON.stringify({ Resources: { Resource: { Type: type, Properties: properties } } });
  const key = `${region} ${template}`;
  const known = findings.get(key);
  if (known !== undefined) return known;
  const found = diagnose(type, properties, region, template);
  findings.set(key, found);
  return found;
}

function diagnose(
  type: string,
  properties: Properties,
  region: string,
  template: string,
): readonly PropertyFinding[] {
  loaded ??= load();
  const { checker, engine } = loaded;
  const { diagnostics } = engine.validateTemplate(new checker.TemplateContent(template), {
    detailLevel: 'STANDARD',
    severityLevel: 'WARN',
    pseudoParameterOverrides: { region },
  });
  if (diagnostics.some(({ ruleId }) => ruleId === UNKNOWN_TYPE)) return checkBySchema(type, properties);
  return diagnostics.filter(isRefusal).flatMap(({ message, propertyPath = 'Properties' }) => {
    const names = propertyPath.split(/[.[\]]+/u).filter((name) => name !== '' && name !== 'Properties');
    return isUnknown(valueOf(properties, names))
      ? []
      : [{ path: names.map((name) => `/${name}`).join(''), message }];
  });
}

/** Errors and what is fatal, by the letter that their rules begin with. */
function isRefusal({ ruleId }: Diagnostic): boolean {
  return /^[EF]/u.test(ruleId) || ruleId === NOT_LISTED;
}

/** The value that a finding is about; where there is none (a property is missing), nothing unknown either. */
function valueOf(properties: Properties, names: readonly string[]): Json | undefined {
  if (names.length === 0) return undefined;
  let value: Json | undefined = properties;
  for (const name of names) {
    if (Array.isArray(value)) value = value[Number(name)];
    else value = isProperties(value) ? value[name] : undefined;
  }
  return value;
}

/** For types that the checker lacks: what the registry's schema alone says. */
function checkBySchema(type: string, properties: Properties): readonly PropertyFinding[] {
  const schema = resourceSchema(type);
  if (schema === undefined) return [];
  const unknown = Object.keys(properties).filter((name) => !schema.properties.has(name));
  const missing = [...schema.properties].filter(([name, { required }]) => required && !(name in properties));
  return [
    ...unknown.map((name) => ({ path: `/${name}`, message: `extraneous key [${name}] is not permitted` })),
    ...missing.map(([name]) => ({ path: '', message: `required key [${name}] not found` })),
  ];
}

function load(): NonNullable<typeof loaded> {
  const library = createRequire(createRequire(import.meta.url).resolve('aws-cdk-lib/package.json'));
  // The bundled package's types can't be reached from here; the members above are those of its version.
  const checker = library('@aws/cloudformation-validate') as Checker;
  return { checker, engine: new checker.CompositeEngine({}) };
}
