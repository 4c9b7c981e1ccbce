import type { FastifySchemaValidationError } from 'fastify';
import type { FieldProblem } from '../domain/problem.ts';

/** Longest part of a field's name that is repeated to the caller. */
const MAX_NAME_LENGTH = 64;

/**
 * Says what is wrong with a body in words of the API: field, bound and fix. `part` is where the value came from, `body` as a rule.
 * Never repeats a value.
 */
export function fieldProblems(errors: readonly FastifySchemaValidationError[], part: string): FieldProblem[] {
  const problems = mergeUnions(errors).flatMap((error) => describe(error, part));
  if (problems.length > 0) return problems;
  return [
    { location: part, message: 'is not what this call takes', fix: 'See the description of the call.' },
  ];
}

function describe(error: FastifySchemaValidationError, part: string): FieldProblem[] {
  const location = part + path(error.instancePath);
  const one = (message: string, fix: string): FieldProblem[] => [{ location, message, fix }];
  const limit = String(error.params['limit']);
  switch (error.keyword) {
    case 'required':
      return texts(error.params['requiredProperties']).map((name) => ({
        location: `${location}.${name}`,
        message: 'is required',
        fix: `Add "${name}".`,
      }));
    case 'boolean':
      return one('is not a field of this call', 'Remove it, or correct its name.');
    case 'type': {
      const expected = texts(error.params['type']).map(typeName).join(' or ');
      return one(`must be ${expected}`, `Send ${expected}.`);
    }
    case 'minLength':
      return one(`must have at least ${limit} characters`, `Use ${limit} characters or more.`);
    case 'maxLength':
      return one(`must have at most ${limit} characters`, `Use ${limit} characters or fewer.`);
    case 'pattern': {
      const pattern = String(error.params['pattern']);
      return one(`must match ${pattern}`, `Use only what ${pattern} allows.`);
    }
    case 'minimum':
      return one(`must be ${limit} or more`, `Use ${limit} or more.`);
    case 'maximum':
      return one(`must be ${limit} or less`, `Use ${limit} or less.`);
    case 'minItems':
      return one(`must have at least ${limit} items`, `Send ${limit} items or more.`);
    case 'maxItems':
      return one(`must have at most ${limit} items`, `Send ${limit} items or fewer.`);
    case 'maxProperties':
      return one(`must have at most ${limit} properties`, `Send ${limit} properties or fewer.`);
    case 'enum': {
      const allowed = texts(error.params['allowedValues'])
        .map((value) => `"${value}"`)
        .join(' or ');
      return one(`must be ${allowed}`, `Use ${allowed}.`);
    }
    // These two only sum up others, which say more.
    case 'additionalProperties':
    case 'anyOf':
      return [];
    default:
      return one(error.message ?? 'is not valid', 'See the description of the call.');
  }
}

const UNION_BRANCH = /^(.*)\/anyOf\/\d+$/;

/**
 * A value that may be null fails twice: once as what it should be, once as null. Where the first says more than "wrong type",
 * the second is dropped; where both are about the type, they become one.
 */
function mergeUnions(errors: readonly FastifySchemaValidationError[]): FastifySchemaValidationError[] {
  const merged: FastifySchemaValidationError[] = [];
  const types = new Map<string, { at: number; names: string[] }>();
  for (const error of errors) {
    const union = error.keyword === 'type' ? UNION_BRANCH.exec(error.schemaPath)?.[1] : undefined;
    if (union === undefined) {
      merged.push(error);
      continue;
    }
    const beside = errors.some(
      (other) => other.keyword !== 'type' && other.schemaPath.startsWith(`${union}/anyOf/`),
    );
    if (beside) continue;
    const key = `${union} ${error.instancePath}`;
    const group = types.get(key) ?? { at: merged.length, names: [] };
    group.names.push(...texts(error.params['type']));
    types.set(key, group);
    merged[group.at] = { ...error, params: { type: group.names } };
  }
  return merged;
}

/** `/ratelimits/0/limit` → `.ratelimits[0].limit`. */
function path(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${shorten(part)}`))
    .join('');
}

function shorten(name: string): string {
  return name.length <= MAX_NAME_LENGTH ? name : `${name.slice(0, MAX_NAME_LENGTH)}…`;
}

function typeName(type: string): string {
  if (type === 'null') return 'null';
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [String(value)];
}
