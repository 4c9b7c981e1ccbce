import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GlobalAcceleratorClient, ListAcceleratorsCommand } from '@aws-sdk/client-global-accelerator';
import { ServiceQuotasClient, GetServiceQuotaCommand } from '@aws-sdk/client-service-quotas';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountKeys, type Keys } from './account.ts';
import { Refusal } from './refusal.ts';
import { startFakeAws, type FakeAws } from './server.ts';
import { setQuota } from './services/service-quotas.ts';
import { authorization, jsonCall } from './signed-call.ts';
import { GLOBAL } from './values.ts';

const ACCOUNT = '111122223333';
const OTHER = '444455556666';
const REGION = 'eu-central-1';

let aws: FakeAws;

beforeAll(async () => {
  aws = await startFakeAws();
});

afterAll(() => aws.close());

function settings(credentials: Keys = accountKeys(ACCOUNT), region = REGION) {
  return { endpoint: aws.endpoint, region, credentials, maxAttempts: 1 };
}

function addRole(account: string, name: string, principal: unknown): string {
  const Arn = `arn:aws:iam::${account}:role/${name}`;
  const Statement = [
    { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: JSON.parse(JSON.stringify(principal)) },
  ];
  aws.world.add({
    account,
    region: GLOBAL,
    type: 'AWS::IAM::Role',
    id: name,
    properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement } },
    attributes: { Arn },
    stack: null,
  });
  return Arn;
}

describe('where it listens', () => {
  test('is loopback, and nowhere else', async () => {
    expect(aws.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    for (const host of ['0.0.0.0', '::', 'localhost', '127.0.0.2'])
      await expect(startFakeAws({ host })).rejects.toThrow(/127\.0\.0\.1 only/);
  });

  test('a port that is taken is an error', async () => {
    const port = Number(new URL(aws.endpoint).port);
    await expect(startFakeAws({ port })).rejects.toThrow(/EADDRINUSE/);
  });

  test('a name that leads to this machine gets nothing', async () => {
    const answer = await overSocket(`GET / HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 421 /);
    expect(aws.escapes).toContain('evil.example');
  });

  test('a program that takes it for a proxy is let through to nowhere, and noted', async () => {
    const answer = await overSocket(
      'CONNECT sts.amazonaws.com:443 HTTP/1.1\r\nhost: sts.amazonaws.com\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(aws.escapes).toContain('sts.amazonaws.com:443');
  });
});

function overSocket(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(aws.endpoint).port), '127.0.0.1', () => socket.write(request));
    let answer = '';
    socket.on('data', (bytes) => (answer += bytes.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(answer);
    });
  });
}

describe('who calls', () => {
  test('is told by the keys', async () => {
    const identity = await new STSClient(settings()).send(new GetCallerIdentityCommand());
    expect(identity).toMatchObject({ Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:user/administrator` });
  });

  test('with keys of nobody is refused', async () => {
    const sts = new STSClient(settings({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' }));
    const refused = { name: 'InvalidClientTokenId', $metadata: { httpStatusCode: 403 } };
    await expect(sts.send(new GetCallerIdentityCommand())).rejects.toMatchObject(refused);
  });

  test('without a signature is refused', async () => {
    const response = await fetch(aws.endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSSM.GetParameter' },
      body: '{}',
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ __type: 'MissingAuthenticationToken' });
  });
});

describe('a role', () => {
  function assume(RoleArn: string) {
    return new STSClient(settings()).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'deploy' }));
  }

  const denied = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } };

  test('that trusts the caller’s account gives keys of its account', async () => {
    const arn = addRole(OTHER, 'Shared', { AWS: [`arn:aws:iam::${ACCOUNT}:root`] });
    const { Credentials } = await assume(arn);
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
    const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    const identity = await new STSClient(settings(keys)).send(new GetCallerIdentityCommand());
    expect(identity.Arn).toBe(`arn:aws:sts::${OTHER}:assumed-role/Shared/deploy`);
    expect(Credentials?.Expiration?.getTime()).toBeGreaterThan(Date.now());
    // Its id without its token is nobody's.
    const half = new STSClient(settings({ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey }));
    await expect(half.send(new GetCallerIdentityCommand())).rejects.toMatchObject({
      name: 'InvalidClientTokenId',
    });
  });

  test('that isn’t there is refused as one that may not be assumed', async () => {
    const arn = `arn:aws:iam::${ACCOUNT}:role/cdk-hnb659fds-deploy-role-${ACCOUNT}-${REGION}`;
    await expect(assume(arn)).rejects.toMatchObject({
      ...denied,
      message: `User: arn:aws:iam::${ACCOUNT}:user/administrator is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
    });
  });

  test('that trusts another account or a service is refused', async () => {
    const foreign = addRole(OTHER, 'Own', { AWS: `arn:aws:iam::${OTHER}:root` });
    const task = addRole(ACCOUNT, 'Task', { Service: 'ecs-tasks.amazonaws.com' });
    await expect(assume(foreign)).rejects.toMatchObject(denied);
    await expect(assume(task)).rejects.toMatchObject(denied);
  });
});

describe('a service', () => {
  test('that speaks Query answers errors that its client reads', async () => {
    const cloudformation = new CloudFormationClient(settings());
    await expect(cloudformation.send(new DescribeStacksCommand({ StackName: 'none' }))).rejects.toMatchObject(
      {
        name: 'ValidationError',
        message: expect.stringContaining('does not exist'),
        $metadata: { httpStatusCode: 400, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      },
    );
  });

  test('that speaks JSON answers what its client reads', async () => {
    const quotas = new ServiceQuotasClient(settings());
    const vpcs = new GetServiceQuotaCommand({ ServiceCode: 'vpc', QuotaCode: 'L-F678F1CE' });
    expect((await quotas.send(vpcs)).Quota).toMatchObject({ Value: 5, Adjustable: true });
    setQuota(aws.world, { account: ACCOUNT, region: REGION }, 'L-F678F1CE', 2);
    expect((await quotas.send(vpcs)).Quota).toMatchObject({ Value: 2 });
    const none = new GetServiceQuotaCommand({ ServiceCode: 'vpc', QuotaCode: 'L-00000000' });
    await expect(quotas.send(none)).rejects.toMatchObject({ name: 'NoSuchResourceException' });
  });

  test('whose API is in one region only has no endpoint elsewhere', async () => {
    const list = new ListAcceleratorsCommand();
    const there = new GlobalAcceleratorClient(settings(accountKeys(ACCOUNT), 'us-west-2'));
    expect((await there.send(list)).Accelerators).toEqual([]);
    const elsewhere = new GlobalAcceleratorClient(settings());
    await expect(elsewhere.send(list)).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
  });

  test('that isn’t here, or an action of one, is refused by name, counted, and not tried again', async () => {
    const own = await startFakeAws({ services: [{ signingName: 'ssm', protocol: 'json', actions: {} }] });
    const call = { account: ACCOUNT, region: REGION };
    const action = await jsonCall(own.endpoint, {
      ...call,
      service: 'ssm',
      target: 'AmazonSSM.AddTagsToResource',
    });
    expect(action.status).toBe(501);
    expect(action.headers.get('x-amzn-errortype')).toBe('UnknownOperationException');
    expect(action.body['message']).toContain('AddTagsToResource of ssm');
    const service = await jsonCall(own.endpoint, {
      ...call,
      service: 'dynamodb',
      target: 'DynamoDB_20120810.Scan',
    });
    expect(service.body['message']).toContain('dynamodb');
    expect(own.unknownCalls).toEqual(['ssm:AddTagsToResource', 'dynamodb']);
    await own.close();
  });

  test('whose names are those of an object’s own is refused too', async () => {
    const target = 'AmazonSSM.constructor';
    const { status } = await jsonCall(aws.endpoint, {
      account: ACCOUNT,
      region: REGION,
      service: 'ssm',
      target,
    });
    expect(status).toBe(501);
  });
});

describe('what it notes', () => {
  test('is each call, with who, where and how it ended', async () => {
    const own = await startFakeAws({
      services: [
        {
          signingName: 'ssm',
          protocol: 'json',
          actions: {
            Fine: () => ({ result: {} }),
            Refused: () => {
              throw new Refusal('Denied', 'No.', 403);
            },
            Broken: () => {
              throw new TypeError('a bug');
            },
          },
        },
      ],
    });
    const call = { account: ACCOUNT, region: REGION, service: 'ssm' };
    for (const action of ['Fine', 'Refused', 'Broken'])
      await jsonCall(own.endpoint, { ...call, target: `AmazonSSM.${action}` });
    expect(own.calls).toEqual([
      { ...call, action: 'Fine', status: 200 },
      { ...call, action: 'Refused', status: 403, code: 'Denied' },
      { ...call, action: 'Broken', status: 500, code: 'InternalFailure' },
    ]);
    expect(own.faults).toEqual([new TypeError('a bug')]);
    await own.close();
  });

  test('a body that is no JSON is the caller’s mistake', async () => {
    const response = await fetch(aws.endpoint, {
      method: 'POST',
      headers: {
        authorization: authorization({ account: ACCOUNT, region: REGION, service: 'ssm' }),
        'x-amz-target': 'AmazonSSM.GetParameter',
      },
      body: '{',
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('x-amzn-errortype')).toBe('SerializationException');
    expect(aws.faults).toEqual([]);
  });
});
