import { Signer } from '@aws-sdk/rds-signer';
import { afterEach, expect, test, vi } from 'vitest';
import { elastiCacheToken, elastiCacheTokens, presigned } from './iam-tokens.ts';

const CREDENTIALS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'session/token+with=signs',
};
const NOW = new Date('2026-03-04T05:06:07.890Z');
const PLACE = { cache: 'kh-counters', user: 'kh-tasks', serverless: true };

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

test('a token is a presigned request to connect, without its scheme, of the form that ElastiCache documents', () => {
  const token = elastiCacheToken(PLACE, 'eu-west-1', CREDENTIALS, NOW);
  expect(token).toMatch(/^kh-counters\/\?/);
  const { signature, ...parameters } = parametersOf(token);
  expect(parameters).toEqual({
    Action: 'connect',
    User: 'kh-tasks',
    ResourceType: 'ServerlessCache',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': 'AKIDEXAMPLE/20260304/eu-west-1/elasticache/aws4_request',
    'X-Amz-Date': '20260304T050607Z',
    'X-Amz-Expires': '900',
    'X-Amz-Security-Token': 'session/token+with=signs',
    'X-Amz-SignedHeaders': 'host',
  });
  expect(signature).toMatch(/^[0-9a-f]{64}$/);
});

test('the token of a cache with nodes doesn’t name a kind', () => {
  const token = elastiCacheToken({ ...PLACE, serverless: false }, 'eu-west-1', CREDENTIALS, NOW);
  expect(token).not.toContain('ResourceType');
});

test('what is signed for another user, cache, region or moment has another signature', () => {
  const tokens = [
    elastiCacheToken(PLACE, 'eu-west-1', CREDENTIALS, NOW),
    elastiCacheToken({ ...PLACE, user: 'other' }, 'eu-west-1', CREDENTIALS, NOW),
    elastiCacheToken({ ...PLACE, cache: 'other' }, 'eu-west-1', CREDENTIALS, NOW),
    elastiCacheToken(PLACE, 'us-east-1', CREDENTIALS, NOW),
    elastiCacheToken(PLACE, 'eu-west-1', CREDENTIALS, new Date(NOW.getTime() + 1000)),
  ];
  expect(new Set(tokens.map((token) => parametersOf(token)['signature'])).size).toBe(tokens.length);
});

/** The SDK signs tokens of RDS, which differ in service and parameters only. */
test.each([CREDENTIALS, { ...CREDENTIALS, sessionToken: undefined }])(
  'a signature is the one that the AWS SDK makes of the same request',
  async ({ sessionToken, ...keys }) => {
    vi.useFakeTimers({ now: NOW, toFake: ['Date'] });
    const credentials = { ...keys, ...(sessionToken === undefined ? {} : { sessionToken }) };
    const place = { hostname: 'db.example.com', port: 5432, username: "user+with/odd (signs)'*!~" };
    const theirs = await new Signer({ ...place, region: 'eu-west-1', credentials }).getAuthToken();
    const ours = presigned({
      service: 'rds-db',
      region: 'eu-west-1',
      host: 'db.example.com:5432',
      parameters: { Action: 'connect', DBUser: place.username },
      credentials,
      now: NOW,
    });
    expect(parametersOf(ours)).toEqual(parametersOf(theirs));
  },
);

test('tokens are signed with the credentials that the process finds', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDOFTHISPROCESS');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  const token = await elastiCacheTokens('eu-west-1')(PLACE);
  expect(token).toContain('AKIDOFTHISPROCESS');
});

function parametersOf(token: string): Readonly<Record<string, string>> {
  const { 'X-Amz-Signature': signature = '', ...parameters } = Object.fromEntries(
    new URL(`https://${token}`).searchParams,
  );
  return { ...parameters, signature };
}
