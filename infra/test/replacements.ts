import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** A template, as far as a comparison needs it. */
export interface Body {
  readonly Parameters?: Readonly<
    Record<string, { readonly Default?: string; readonly AllowedValues?: readonly string[] }>
  >;
  readonly Resources: Readonly<Record<string, Resource>>;
}

/** What CloudFormation would do to a stack that gets another template. */
export interface Effect {
  /** Parameters whose kept value isn't allowed any more: nothing else happens then. */
  readonly refused: readonly string[];
  /** `<type> <property>` of each resource that would be made anew, and which property asks for it. */
  readonly replaced: readonly string[];
  /** Types of the resources that the new template hasn't got. */
  readonly gone: readonly string[];
  /** Of these: those that stay in AWS under a name of the template's. A template that has them again fails, for the name is taken. */
  readonly left: readonly string[];
}

interface Schema {
  /** Properties whose change replaces a resource, always or under conditions. */
  readonly replacing: ReadonlySet<string>;
  /** What names a resource: properties, where a template may name it. */
  readonly names: readonly string[];
}

/**
 * By type. From the copy of AWS's own resource schemas (createOnlyProperties,
 * conditionalCreateOnlyProperties) that the pinned CDK command line carries for its `diff`. Those that can't always be changed count in
 * full: RDS, for one, tells in the code of its handlers alone when they can.
 */
function readSchemas(): ReadonlyMap<string, Schema> {
  const file = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'db.json.gz');
  // The command line's own format.
  const { schema } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as {
    readonly schema: {
      readonly resource: {
        readonly entities: readonly {
          readonly cloudFormationType: string;
          readonly primaryIdentifier?: readonly string[];
          readonly properties: Readonly<Record<string, { readonly causesReplacement?: 'yes' | 'maybe' }>>;
        }[];
      };
    };
  };
  return new Map(
    schema.resource.entities.map(({ cloudFormationType, primaryIdentifier = [], properties }) => {
      const replacing = Object.entries(properties).flatMap(([name, { causesReplacement }]) =>
        causesReplacement === undefined ? [] : [name],
      );
      return [cloudFormationType, { replacing: new Set(replacing), names: primaryIdentifier }];
    }),
  );
}

let schemas: ReadonlyMap<string, Schema> | undefined;

/** Throws where AWS's schemas, as the CDK has them, don't know the type. */
function schemaOf(type: string): Schema {
  schemas ??= readSchemas();
  const found = schemas.get(type);
  if (found === undefined) throw new Error(`the CDK’s copy of AWS’s schemas doesn’t know ${type}`);
  return found;
}

/** What an update of a stack from one template to another would do. */
export function effectOf(before: Body, after: Body): Effect {
  const refused = Object.entries(before.Parameters ?? {}).flatMap(([name, { Default }]) => {
    const allowed = after.Parameters?.[name]?.AllowedValues;
    return allowed === undefined || Default === undefined || allowed.includes(Default) ? [] : [name];
  });
  if (refused.length > 0) return { refused, replaced: [], gone: [], left: [] };
  const gone = Object.entries(before.Resources).flatMap(([id, resource]) =>
    after.Resources[id]?.Type === resource.Type ? [] : [resource],
  );
  const left = gone.filter(
    ({ Type, DeletionPolicy = 'Delete', Properties = {} }) =>
      DeletionPolicy.startsWith('Retain') &&
      schemaOf(Type).names.some((name) => typeof Properties[name] === 'string'),
  );
  return {
    refused,
    replaced: replacedIn(before.Resources, after.Resources),
    gone: typesOf(gone),
    left: typesOf(left),
  };
}

function typesOf(resources: readonly Resource[]): readonly string[] {
  return resources.map(({ Type }) => Type).toSorted();
}

/** Round after round, for what refers to a resource that is made anew has another value too. */
function replacedIn(before: Body['Resources'], after: Body['Resources']): readonly string[] {
  const found = new Map<string, string>();
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const [id, { Type, Properties: from = {} }] of Object.entries(before)) {
      const now = after[id];
      if (found.has(id) || now?.Type !== Type) continue;
      const cause = [...schemaOf(Type).replacing].find((name) => {
        const [old, next] = [from[name], now.Properties?.[name]].map((value) => JSON.stringify(value));
        return old !== next || [...found.keys()].some((other) => refersTo(next, other));
      });
      if (cause !== undefined) found.set(id, `${Type} ${cause}`);
    }
  }
  return [...found.values()].toSorted();
}

function refersTo(text: string | undefined, id: string): boolean {
  return text?.includes(`{"Ref":"${id}"}`) === true || text?.includes(`{"Fn::GetAtt":["${id}",`) === true;
}
