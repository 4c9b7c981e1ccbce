import { type TSchema, Type } from 'typebox';
import { expect, test } from 'vitest';
import { fieldProblems } from './field-problems.ts';
import { CreateKeyBody, UpdateKeyBody } from './schemas/keys.ts';
import { compileValidator } from './validation.ts';

type Validate = (value: unknown) => { error?: Parameters<typeof fieldProblems>[0] };

function validatorOf(schema: TSchema): Validate {
  // Fastify's type of a compiled validator covers asynchronous ones too; ours never are.
  return compileValidator({ schema, method: 'POST', url: '/', httpPart: 'body' }) as unknown as Validate;
}

/** The same value, which counts how often a field or an element of it is read. */
function counted<T extends object>(value: T, count: { reads: number }): T {
  return new Proxy(value, {
    get(target, name) {
      count.reads += 1;
      const read: unknown = Reflect.get(target, name);
      return typeof read === 'object' && read !== null ? counted(read, count) : read;
    },
  });
}

const MANY = 20_000;
const many = (item: unknown): unknown[] => Array.from({ length: MANY }, () => item);
const manyFields = Object.fromEntries(Array.from({ length: MANY }, (_, n) => [`field${n}`, n]));
const item = Type.Object({ name: Type.String({ minLength: 3 }) }, { additionalProperties: false });

test.each<[what: string, schema: TSchema, body: object, location: string, message: string]>([
  ['unknown fields', CreateKeyBody, { apiId: 'api_1', ...manyFields }, 'body.field0', 'not a field'],
  [
    'wrong elements',
    CreateKeyBody,
    { apiId: 'api_1', permissions: many('') },
    'body.permissions',
    'at most 1000',
  ],
  ['right elements', CreateKeyBody, { apiId: 'api_1', roles: many('admin') }, 'body.roles', 'at most 100'],
  ['empty objects', CreateKeyBody, { apiId: 'api_1', ratelimits: many({}) }, 'body.ratelimits', 'at most 50'],
  ['properties', CreateKeyBody, { apiId: 'api_1', meta: manyFields }, 'body.meta', 'at most 100'],
  [
    'properties of what may be null',
    UpdateKeyBody,
    { keyId: 'key_1', meta: manyFields },
    'body.meta',
    'at most 100',
  ],
  [
    'unknown fields of an element',
    CreateKeyBody,
    { apiId: 'api_1', ratelimits: [{}, manyFields] },
    'body.ratelimits[1].field0',
    'not a field',
  ],
  [
    'elements without a bound',
    Type.Object({ list: Type.Array(item) }),
    { list: many({}) },
    'body',
    'is not what',
  ],
  ['an array in place of the body', CreateKeyBody, many({}), 'body', 'an object'],
])('a body with 20,000 %s is refused without a look at each', (_what, schema, body, location, message) => {
  const count = { reads: 0 };
  const { error } = validatorOf(schema)(counted(body, count));
  const problems = fieldProblems(error ?? [], 'body');
  expect(problems.length).toBeLessThanOrEqual(8);
  expect(problems).toContainEqual(
    expect.objectContaining({ location, message: expect.stringContaining(message) }),
  );
  // The compiled check, which is cheap, may pass each element once; naming what is wrong may not.
  expect(count.reads).toBeLessThan(1.5 * MANY);
});

test('the one wrong element of a thousand is named', () => {
  const permissions = Array.from({ length: 1000 }, (_, n) => (n === 998 ? 'a b' : 'p'));
  const { error } = validatorOf(CreateKeyBody)({ apiId: 'api_1', permissions });
  expect(fieldProblems(error ?? [], 'body')).toEqual([
    expect.objectContaining({ location: 'body.permissions[998]' }),
  ]);
});

test('a right body has no problems', () => {
  expect(validatorOf(CreateKeyBody)({ apiId: 'api_1' })).not.toHaveProperty('error');
});
