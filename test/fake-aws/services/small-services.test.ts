import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountKeys } from '../account.ts';
import { callContext, createByCall } from '../behaviours/by-call.ts';
import { ensureLinkedRole } from '../behaviours/iam-linked-roles.ts';
import { SECRETS } from '../behaviours/secrets.ts';
import { startFakeAws, type FakeAws } from '../server.ts';
import { authorization, jsonCall } from '../signed-call.ts';
import type { Properties } from '../values.ts';

const PLACE = { account: '111122223333', region: 'eu-central-1' };

let aws: FakeAws;

beforeAll(async () => {
  aws = await startFakeAws();
});

afterAll(() => aws.close());

describe('Parameter Store', () => {
  async function ssm(action: string, input: Properties): Promise<Properties> {
    return (await jsonCall(aws.endpoint, { ...PLACE, service: 'ssm', target: `AmazonSSM.${action}`, input }))
      .body;
  }

  test('keeps what a call puts, once, unless it may be overwritten', async () => {
    const put = (Value: string, more: Properties = {}) =>
      ssm('PutParameter', { Name: '/a/b', Type: 'String', Value, ...more });
    expect(await put('1')).toMatchObject({ Version: 1 });
    expect(await put('2')).toMatchObject({ __type: 'ParameterAlreadyExists' });
    expect(await put('3', { Overwrite: true })).toMatchObject({ Version: 2 });
    const ARN = `arn:aws:ssm:${PLACE.region}:${PLACE.account}:parameter/a/b`;
    const Parameter = { Name: '/a/b', Type: 'String', Value: '3', Version: 2, ARN };
    expect(await ssm('GetParameter', { Name: '/a/b' })).toMatchObject({ Parameter });
    expect(await ssm('GetParameter', { Name: ARN })).toMatchObject({ Parameter });
  });

  test('says which there aren’t', async () => {
    await ssm('PutParameter', { Name: 'here', Type: 'String', Value: '1' });
    expect(await ssm('GetParameter', { Name: 'none' })).toMatchObject({ __type: 'ParameterNotFound' });
    expect(await ssm('GetParameters', { Names: ['here', 'none'] })).toMatchObject({
      Parameters: [{ Name: 'here' }],
      InvalidParameters: ['none'],
    });
    await ssm('DeleteParameter', { Name: 'here' });
    expect(await ssm('GetParameter', { Name: 'here' })).toMatchObject({ __type: 'ParameterNotFound' });
  });

  test('gives a secure one away only where it is to be decrypted', async () => {
    await ssm('PutParameter', { Name: 'secret', Type: 'SecureString', Value: 'open' });
    const read = (more: Properties) => ssm('GetParameter', { Name: 'secret', ...more });
    expect(JSON.stringify(await read({}))).not.toContain('open');
    const Parameter = { Type: 'SecureString', Value: 'open' };
    expect(await read({ WithDecryption: true })).toMatchObject({ Parameter });
  });

  test('lists what is below a path: at once, or all the way down', async () => {
    for (const Name of ['/p/1', '/p/q/2', '/pp/3'])
      await ssm('PutParameter', { Name, Type: 'String', Value: 'x' });
    const below = async (Recursive: boolean) => {
      const { Parameters } = await ssm('GetParametersByPath', { Path: '/p', Recursive });
      return JSON.stringify(Parameters).match(/"Name":"[^"]+"/g);
    };
    expect(await below(false)).toEqual(['"Name":"/p/1"']);
    expect(await below(true)).toEqual(['"Name":"/p/1"', '"Name":"/p/q/2"']);
  });
});

test('Secrets Manager gives a secret’s value by its name and both forms of its ARN', async () => {
  const [behaviour] = SECRETS;
  if (behaviour === undefined) throw new Error('a secret behaves in no way');
  const properties = { Name: 'team/key', SecretString: 'open' };
  const { id: arn } = createByCall(callContext(aws.world, PLACE, 'team/key'), behaviour, properties);
  const call = (action: string, SecretId: string) =>
    jsonCall(aws.endpoint, {
      ...PLACE,
      service: 'secretsmanager',
      target: `secretsmanager.${action}`,
      input: { SecretId },
    });
  for (const id of ['team/key', arn, arn.slice(0, -'-abcdef'.length)])
    expect((await call('GetSecretValue', id)).body).toMatchObject({ SecretString: 'open', Name: 'team/key' });
  expect((await call('DescribeSecret', 'team/key')).body).toMatchObject({ ARN: arn });
  expect(JSON.stringify((await call('DescribeSecret', 'team/key')).body)).not.toContain('open');
  expect((await call('GetSecretValue', 'none')).body['__type']).toBe('ResourceNotFoundException');
});

describe('IAM', () => {
  async function iam(parameters: Readonly<Record<string, string>>): Promise<string> {
    const response = await fetch(aws.endpoint, {
      method: 'POST',
      headers: { authorization: authorization({ ...PLACE, region: 'us-east-1', service: 'iam' }) },
      body: new URLSearchParams({ Version: '2010-05-08', ...parameters }),
    });
    return response.text();
  }

  test('makes a service’s own role, once', async () => {
    const make = () => iam({ Action: 'CreateServiceLinkedRole', AWSServiceName: 'ecs.amazonaws.com' });
    const made = await make();
    expect(made).toContain('role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS</Arn>');
    expect(made).toContain(encodeURIComponent('"Service":"ecs.amazonaws.com"'));
    expect(await make()).toContain('<Code>InvalidInput</Code>');
  });

  test('lists roles by their path', async () => {
    ensureLinkedRole(aws.world, PLACE, 'rds.amazonaws.com');
    const under = (PathPrefix: string) => iam({ Action: 'ListRoles', PathPrefix });
    expect(await under('/aws-service-role/rds')).toContain('AWSServiceRoleForRDS');
    expect(await under('/elsewhere/')).toContain('<Roles></Roles>');
  });

  test('knows no role that isn’t there', async () => {
    expect(await iam({ Action: 'GetRole', RoleName: 'none' })).toContain('<Code>NoSuchEntity</Code>');
  });
});

test('CloudWatch answers in the protocol that it is asked in', async () => {
  const call = { ...PLACE, service: 'monitoring' };
  const signed = { authorization: authorization(call) };
  const json = await fetch(aws.endpoint, {
    method: 'POST',
    headers: {
      ...signed,
      'x-amzn-query-mode': 'true',
      'x-amz-target': 'GraniteServiceVersion20100801.DescribeAlarms',
    },
    body: '{}',
  });
  expect(await json.json()).toEqual({ MetricAlarms: [] });
  const cbor = await fetch(`${aws.endpoint}/service/GraniteServiceVersion20100801/operation/DescribeAlarms`, {
    method: 'POST',
    headers: { ...signed, 'smithy-protocol': 'rpc-v2-cbor' },
  });
  expect(Buffer.from(await cbor.arrayBuffer()).toString('hex')).toBe(
    `a1${Buffer.from('lMetricAlarms').toString('hex')}80`,
  );
});

test('keys are for accounts', () => {
  expect(accountKeys(PLACE.account).accessKeyId).toBe('AKIATEST111122223333');
  expect(() => accountKeys('1')).toThrow(/12 digits/);
});
