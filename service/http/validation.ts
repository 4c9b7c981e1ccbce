import type { FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

/** Problems of one body that are named; TypeBox keeps as many. */
const MAX_PROBLEMS = 8;

/** Values that may be looked at to name what is wrong. A body within the bounds of its fields has fewer. */
const MAX_VALUES = 2000;

/**
 * Compiles a body's schema. Checking is cheap whatever a stranger sends; naming what is wrong walks the whole value, at
 * microseconds for each part. So that comes after a look at how much there is: where a field has more elements or properties than
 * its bound, or an object many unknown ones, that is what is named.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema }) => {
  const compiled = Compile(schema);
  return (value: unknown) =>
    compiled.Check(value) ? { value } : { error: excessOf(schema, value) ?? compiled.Errors(value) };
};

/** The keywords of JSON Schema that say how much a value may hold, and of what. */
interface Extent {
  readonly properties?: Readonly<Record<string, Extent>>;
  readonly additionalProperties?: unknown;
  readonly maxProperties?: number;
  readonly items?: Extent;
  readonly maxItems?: number;
  readonly anyOf?: readonly Extent[];
}

/** What there is too much of; undefined where the value is small enough to be looked at whole. Empty where no field has a bound. */
function excessOf(schema: TSchema, value: unknown): FastifySchemaValidationError[] | undefined {
  let left = MAX_VALUES;

  function look(extent: Extent, part: unknown, path: string): FastifySchemaValidationError[] | undefined {
    left -= 1;
    if (left < 0) return [];
    if (typeof part !== 'object' || part === null) return undefined;
    const own = Array.isArray(part) ? elements(extent, part, path) : fields(extent, part, path);
    return own ?? first(extent.anyOf ?? [], (branch) => look(branch, part, path));
  }

  function elements({ items, maxItems }: Extent, part: readonly unknown[], path: string) {
    if (maxItems !== undefined && part.length > maxItems) return [tooMany('maxItems', maxItems, path)];
    if (items === undefined) return undefined;
    return first(part.entries(), ([index, element]) => look(items, element, `${path}/${index}`));
  }

  function fields({ properties, additionalProperties, maxProperties }: Extent, part: object, path: string) {
    const names = Object.keys(part);
    if (maxProperties !== undefined && names.length > maxProperties) {
      return [tooMany('maxProperties', maxProperties, path)];
    }
    if (properties === undefined) return undefined;
    if (additionalProperties === false && names.length > Object.keys(properties).length + MAX_PROBLEMS) {
      const unknown = names.filter((name) => !Object.hasOwn(properties, name));
      return unknown.slice(0, MAX_PROBLEMS).map((name) => unknownField(name, path));
    }
    return first(Object.entries(properties), ([name, extent]) =>
      // An Object's own fields can be read by name; what JSON.parse made has no accessors.
      look(extent, (part as Readonly<Record<string, unknown>>)[name], `${path}/${name}`),
    );
  }

  // A TypeBox schema is JSON Schema, although its general type names no keyword.
  return look(schema, value, '');
}

function first<T, Found>(values: Iterable<T>, find: (value: T) => Found | undefined): Found | undefined {
  for (const value of values) {
    const found = find(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function tooMany(keyword: string, limit: number, path: string): FastifySchemaValidationError {
  return { keyword, instancePath: path, schemaPath: '', params: { limit } };
}

function unknownField(name: string, path: string): FastifySchemaValidationError {
  const escaped = name.replaceAll('~', '~0').replaceAll('/', '~1');
  return { keyword: 'boolean', instancePath: `${path}/${escaped}`, schemaPath: '', params: {} };
}
