import { expect, test } from 'vitest';
import {
  fakeManage,
  type ManageCall,
  PRINCIPAL,
  REVISION,
  REVISION_TEXT,
  testDeps,
  written,
} from '../../../test/http/app-deps.ts';
import type { PassedAnswer, PassedRequest } from '../../peers/types.ts';
import { problemUrl } from '../answers.ts';
import { namespaceMaker } from './make-namespace.ts';

const CALLER = {
  principal: PRINCIPAL,
  rootKeyText: 'kh_root',
  requestId: 'req_1',
  clientAddress: '192.0.2.1',
};

/** A maker whose home is elsewhere and answers with this. */
function elsewhere(answer: PassedAnswer) {
  const passed: (readonly [string, PassedRequest])[] = [];
  const pass = (region: string, request: PassedRequest) => {
    passed.push([region, request]);
    return Promise.resolve(answer);
  };
  const home = { current: () => ({ at: 'elsewhere', region: 'eu-west-1', epoch: REVISION.epoch }) as const };
  return { passed, make: namespaceMaker(testDeps({ home, peers: { pass } })) };
}

test('at home it is a write of the caller’s own, without an idempotency key', async () => {
  const calls: ManageCall[] = [];
  const make = namespaceMaker(
    testDeps({
      manage: fakeManage(calls, {
        createNamespace: (caller, input) => {
          calls.push({ name: 'createNamespace', caller, input });
          return Promise.resolve(written({ namespaceId: 'ns_1' }));
        },
      }),
    }),
  );
  expect(await make(CALLER, 'emails')).toEqual(REVISION);
  const { rootKeyText: _, ...context } = CALLER;
  expect(calls).toEqual([
    { name: 'createNamespace', caller: { ...context, idempotency: null }, input: { namespace: 'emails' } },
  ]);
});

test('elsewhere it is passed on with the caller’s credentials', async () => {
  const { passed, make } = elsewhere({
    status: 200,
    headers: { 'keyhearth-revision': REVISION_TEXT },
    body: '{}',
  });
  expect(await make(CALLER, 'emails')).toEqual(REVISION);
  expect(passed).toEqual([
    [
      'eu-west-1',
      {
        path: '/v2/ratelimit.createNamespace',
        body: '{"namespace":"emails"}',
        headers: { authorization: 'Bearer kh_root' },
        clientAddress: '192.0.2.1',
        requestId: 'req_1',
        write: true,
      },
    ],
  ]);
});

const refusal = (code: Parameters<typeof problemUrl>[0]) =>
  JSON.stringify({ error: { type: problemUrl(code), detail: 'why' } });

test.each<[what: string, answer: PassedAnswer, code: string]>([
  [
    'a refusal',
    { status: 403, headers: {}, body: refusal('insufficient_permissions') },
    'insufficient_permissions',
  ],
  ['a lost outcome', { status: 504, headers: {}, body: refusal('outcome_unknown') }, 'outcome_unknown'],
  [
    'a refused signature',
    { status: 400, headers: { 'keyhearth-peer': 'refused' }, body: refusal('invalid_input') },
    'no_home',
  ],
  [
    'a home that doesn’t know the call',
    { status: 404, headers: {}, body: refusal('route_not_found') },
    'no_home',
  ],
  ['an answer of a load balancer', { status: 502, headers: {}, body: '<html>' }, 'no_home'],
  ['an answer without a revision', { status: 200, headers: {}, body: '{}' }, 'no_home'],
])('%s is said again as what it is', async (_what, answer, code) => {
  await expect(elsewhere(answer).make(CALLER, 'emails')).rejects.toMatchObject({ code });
});

test('without a home it is 503', async () => {
  const home = { current: () => ({ at: 'unknown', reason: 'nobody answers' }) as const };
  await expect(namespaceMaker(testDeps({ home }))(CALLER, 'emails')).rejects.toMatchObject({
    code: 'no_home',
  });
});
