import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A property of a type of resource, as AWS publishes it. */
export interface PropertySchema {
  readonly required: boolean;
  /**
   * Whether a change makes the resource anew: never, always, or under conditions that only the handler's code knows
   * (createOnlyProperties, conditionalCreateOnlyProperties).
   */
  readonly replaces: 'never' | 'always' | 'maybe';
  /** What else's value belongs here, where AWS says so: `AWS::EC2::VPC` and `VpcId`. */
  readonly refersTo: readonly { readonly type: string; readonly property: string }[];
}

/** A type of resource, as AWS publishes it. */
export interface ResourceSchema {
  readonly type: string;
  readonly properties: ReadonlyMap<string, PropertySchema>;
  /** Properties and attributes that name a resource (primaryIdentifier). */
  readonly names: readonly string[];
  /** Dotted names that `Fn::GetAtt` takes. */
  readonly attributes: readonly string[];
  /** Whether the CDK counts it among those that hold data. */
  readonly stateful: boolean;
}

/** The CDK command line's own format, as far as it is read here. */
interface Database {
  readonly schema: {
    readonly resource: {
      readonly entities: readonly {
        readonly cloudFormationType: string;
        readonly primaryIdentifier?: readonly string[];
        readonly isStateful?: boolean;
        readonly attributes: Readonly<Record<string, unknown>>;
        readonly properties: Readonly<
          Record<
            string,
            {
              readonly required?: boolean;
              readonly causesReplacement?: 'yes' | 'maybe';
              readonly relationshipRefs?: readonly {
                readonly cloudFormationType: string;
                readonly propertyName: string;
              }[];
            }
          >
        >;
      }[];
    };
  };
}

const REPLACES = { yes: 'always', maybe: 'maybe' } as const;

let schemas: ReadonlyMap<string, ResourceSchema> | undefined;

/**
 * AWS's own schema of a type of resource: from the copy of the CloudFormation registry's schemas that the pinned CDK command line
 * carries for its `diff`, so that nothing has to be asked for. Undefined where there is none of that name.
 */
export function resourceSchema(type: string): ResourceSchema | undefined {
  schemas ??= readSchemas();
  return schemas.get(type);
}

function readSchemas(): ReadonlyMap<string, ResourceSchema> {
  const file = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'db.json.gz');
  // The pinned command line's file; its tests read it with the same pin.
  const { schema } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Database;
  return new Map(
    schema.resource.entities.map(
      ({ cloudFormationType: type, primaryIdentifier = [], isStateful = false, attributes, properties }) => [
        type,
        {
          type,
          names: primaryIdentifier,
          attributes: Object.keys(attributes),
          stateful: isStateful,
          properties: new Map(
            Object.entries(properties).map(
              ([name, { required = false, causesReplacement, relationshipRefs = [] }]) => [
                name,
                {
                  required,
                  replaces: causesReplacement === undefined ? 'never' : REPLACES[causesReplacement],
                  refersTo: relationshipRefs.map(({ cloudFormationType, propertyName }) => ({
                    type: cloudFormationType,
                    property: propertyName,
                  })),
                },
              ],
            ),
          ),
        },
      ],
    ),
  );
}
