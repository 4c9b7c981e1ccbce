import { afterAll, beforeEach, expect, test } from 'vitest';
import { AUTHORIZED, fakeManage, REVISION_TEXT, testDeps } from '../../../test/http/app-deps.ts';
import { buildApp } from '../../app.ts';
import { Problem, type ProblemCode } from '../../domain/problem.ts';

let refusal: ProblemCode | undefined;
function orRefuse<Args extends readonly unknown[], T>(answer: (...args: Args) => Promise<T>) {
  return async (...args: Args): Promise<T> => {
    if (refusal !== undefined) throw new Problem(refusal, 'the detail');
    return await answer(...args);
  };
}

const base = testDeps();
const { keys: fake } = fakeManage(base.calls);
const manage = fakeManage(base.calls, {
  addPermissions: orRefuse(fake.addPermissions),
  removePermissions: orRefuse(fake.removePermissions),
  setPermissions: orRefuse(fake.setPermissions),
  addRoles: orRefuse(fake.addRoles),
  removeRoles: orRefuse(fake.removeRoles),
  setRoles: orRefuse(fake.setRoles),
});
const app = buildApp({ ...base, manage });
afterAll(() => app.close());
beforeEach(() => {
  base.calls.splice(0);
  refusal = undefined;
});

async function post(verb: string, payload: object, headers: Record<string, string> = AUTHORIZED) {
  return await app.inject({ method: 'POST', url: `/v2/keys.${verb}`, headers, payload });
}

interface Refusal {
  readonly error: { readonly errors: { location: string; message: string; fix: string }[] };
}

const PERMISSION_VERBS = ['addPermissions', 'removePermissions', 'setPermissions'] as const;
const ROLE_VERBS = ['addRoles', 'removeRoles', 'setRoles'] as const;
const VERBS = [...PERMISSION_VERBS, ...ROLE_VERBS];
const validOf = (verb: string): object =>
  verb.endsWith('Roles')
    ? { keyId: 'key_1', roles: ['admin', 'Über uns'] }
    : { keyId: 'key_1', permissions: ['docs.read', 'api:*-x_y'] };

test.each(VERBS)('%s: 200 with a list, the revision, and what was asked for', async (verb) => {
  const answer = await post(verb, validOf(verb), { ...AUTHORIZED, 'idempotency-key': 'once' });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ meta: { requestId: expect.any(String) }, data: [] });
  expect(answer.json()).not.toHaveProperty('pagination');
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  expect(base.calls).toEqual([
    {
      name: verb,
      caller: expect.objectContaining({ idempotency: expect.objectContaining({ key: 'once' }) }),
      input: validOf(verb),
    },
  ]);
});

const many = (count: number): string[] => Array.from({ length: count }, (_, n) => `p${n}`);

type Case = readonly [verb: string, change: object, location: string, bound: string];

const WRONG: readonly Case[] = [
  ...VERBS.flatMap((verb): readonly Case[] => [
    [verb, { keyId: undefined }, 'body.keyId', 'required'],
    [verb, { keyId: 'k-1' }, 'body.keyId', 'must match'],
    [verb, { apiId: 'api_1' }, 'body.apiId', 'not a field'],
  ]),
  ...PERMISSION_VERBS.flatMap((verb): readonly Case[] => [
    [verb, { permissions: undefined }, 'body.permissions', 'required'],
    [verb, { permissions: many(1001) }, 'body.permissions', 'at most 1000'],
    [verb, { permissions: ['ok', 'a b'] }, 'body.permissions[1]', 'must match'],
    [verb, { permissions: ['x'.repeat(129)] }, 'body.permissions[0]', 'at most 128'],
    [verb, { permissions: [''] }, 'body.permissions[0]', 'at least 1'],
    [verb, { permissions: 'a' }, 'body.permissions', 'an array'],
  ]),
  ...ROLE_VERBS.flatMap((verb): readonly Case[] => [
    [verb, { roles: undefined }, 'body.roles', 'required'],
    [verb, { roles: many(101) }, 'body.roles', 'at most 100'],
    [verb, { roles: ['x'.repeat(129)] }, 'body.roles[0]', 'at most 128'],
    [verb, { roles: [''] }, 'body.roles[0]', 'at least 1'],
    [verb, { roles: ['nul\u0000'] }, 'body.roles', 'U+0000'],
  ]),
  ['addPermissions', { permissions: [] }, 'body.permissions', 'at least 1'],
  ['removePermissions', { permissions: [] }, 'body.permissions', 'at least 1'],
  ['addRoles', { roles: [] }, 'body.roles', 'at least 1'],
  ['removeRoles', { roles: [] }, 'body.roles', 'at least 1'],
];

test.each(WRONG)('%s with %j: 400 names %s and its bound', async (verb, change, location, bound) => {
  const answer = await post(verb, { ...validOf(verb), ...change });
  expect(answer.statusCode).toBe(400);
  const named = answer.json<Refusal>().error.errors.find((field) => field.location === location);
  expect(named?.message).toContain(bound);
  expect(named?.fix).toMatch(/./);
  expect(base.calls).toEqual([]);
});

test('to set nothing is to clear', async () => {
  expect((await post('setPermissions', { keyId: 'key_1', permissions: [] })).statusCode).toBe(200);
  expect((await post('setRoles', { keyId: 'key_1', roles: [] })).statusCode).toBe(200);
  expect(base.calls.map(({ name }) => name)).toEqual(['setPermissions', 'setRoles']);
});

test('the largest lists that the bounds allow are read', async () => {
  const permissions = Array.from({ length: 1000 }, (_, n) => `${n}`.padEnd(128, 'x'));
  const roles = Array.from({ length: 100 }, () => '\u{1F511}'.repeat(128));
  const escaped = JSON.stringify({ keyId: 'key_1', roles }).replaceAll('\u{1F511}', String.raw`\ud83d\udd11`);
  expect((await post('addPermissions', { keyId: 'key_1', permissions })).statusCode).toBe(200);
  const answer = await app.inject({
    method: 'POST',
    url: '/v2/keys.setRoles',
    headers: { ...AUTHORIZED, 'content-type': 'application/json' },
    payload: escaped,
  });
  expect(answer.statusCode).toBe(200);
});

test.each(VERBS)('%s: a wrong body without a bearer is 400 for the body', async (verb) => {
  const answer = await post(verb, {}, {});
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ error: { type: expect.stringMatching(/invalid_input$/) } });
});

test.each(VERBS)('%s: 400 without a bearer, 401 for an unknown one', async (verb) => {
  expect((await post(verb, validOf(verb), {})).statusCode).toBe(400);
  expect((await post(verb, validOf(verb), { authorization: 'Bearer kh_root_another' })).statusCode).toBe(401);
  expect(base.calls).toEqual([]);
});

test.each<[ProblemCode, number]>([
  ['insufficient_permissions', 403],
  ['key_not_found', 404],
  ['role_not_found', 404],
  ['permission_not_found', 404],
])('a refusal %s is answered with %i', async (code, status) => {
  refusal = code;
  for (const verb of VERBS) {
    const answer = await post(verb, validOf(verb));
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ error: { status, detail: 'the detail' } });
    expect(answer.headers).not.toHaveProperty('keyhearth-revision');
  }
});
