import { afterEach, expect, test } from 'vitest';
import { AUTHORIZED, fakeManage, PRINCIPAL, REVISION_TEXT, testDeps } from '../../test/http/app-deps.ts';
import { buildApp } from '../app.ts';
import { Problem, type ProblemCode } from '../domain/problem.ts';
import type { HttpDeps } from './deps.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
});

function start(overrides: Partial<HttpDeps> = {}) {
  const deps = testDeps(overrides);
  const app = buildApp(deps);
  open.push(app);
  async function post(verb: string, payload: object, headers: Record<string, string> = AUTHORIZED) {
    return await app.inject({ method: 'POST', url: `/v2/apis.${verb}`, headers, payload });
  }
  return { post, deps };
}

test('createApi: 200 with the id and its revision', async () => {
  const { post, deps } = start();
  const answer = await post('createApi', { name: 'payments' });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ data: { apiId: 'api_1' } });
  expect(answer.headers['keyhearth-revision']).toBe(REVISION_TEXT);
  expect(deps.calls).toMatchObject([{ name: 'createApi', input: { name: 'payments' } }]);
});

test('getApi: 200 with id and name', async () => {
  const { post, deps } = start();
  const answer = await post('getApi', { apiId: 'api_1' });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ data: { id: 'api_1', name: 'payments' } });
  expect(deps.calls).toEqual([{ name: 'getApi', caller: PRINCIPAL, input: { apiId: 'api_1' } }]);
});

test.each([
  ['createApi', {}, 'body.name'],
  ['createApi', { name: 'ab' }, 'body.name'],
  ['createApi', { name: 'x'.repeat(257) }, 'body.name'],
  ['createApi', { name: 'payments', id: 'api_1' }, 'body.id'],
  ['getApi', { apiId: 'ab' }, 'body.apiId'],
  ['getApi', { apiId: 'a.b.c' }, 'body.apiId'],
])('%s with %j: 400', async (verb, payload, location) => {
  const { post } = start();
  const answer = await post(verb, payload);
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ error: { errors: [{ location }] } });
});

test.each([
  ['createApi', { name: 'payments' }],
  ['getApi', { apiId: 'api_1' }],
])('%s: 400 without a bearer, 401 with an unknown one', async (verb, payload) => {
  const { post } = start();
  expect((await post(verb, payload, {})).statusCode).toBe(400);
  expect((await post(verb, payload, { authorization: 'Bearer unknown' })).statusCode).toBe(401);
});

const REFUSALS: readonly [ProblemCode, number][] = [
  ['insufficient_permissions', 403],
  ['api_not_found', 404],
  ['database_unavailable', 503],
  ['outcome_unknown', 504],
];

test.each(REFUSALS)('a refusal %s is answered with %i', async (code, status) => {
  const refuse = () => Promise.reject(new Problem(code, 'the detail'));
  const { post } = start({ manage: fakeManage([], { createApi: refuse, getApi: refuse }) });
  expect((await post('createApi', { name: 'payments' })).statusCode).toBe(status);
  expect((await post('getApi', { apiId: 'api_1' })).statusCode).toBe(status);
});
