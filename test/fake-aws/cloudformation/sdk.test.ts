import {
  ChangeSetNotFoundException,
  CloudFormationClient,
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeEventsCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  GetTemplateCommand,
  GetTemplateSummaryCommand,
  InsufficientCapabilitiesException,
  ListStackResourcesCommand,
  waitUntilChangeSetCreateComplete,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountKeys } from '../account.ts';
import { startFakeAws, type FakeAws } from '../server.ts';
import { EXAMPLES, parameterOf, roleOf } from './example-behaviours.ts';
import { cloudformation } from './service.ts';

let aws: FakeAws;
let client: CloudFormationClient;

beforeAll(async () => {
  aws = await startFakeAws({ services: [cloudformation(new Map(EXAMPLES.map((one) => [one.type, one])))] });
  client = new CloudFormationClient({
    endpoint: aws.endpoint,
    region: 'eu-west-1',
    credentials: accountKeys('111111111111'),
    maxAttempts: 1,
  });
});

afterAll(async () => {
  client.destroy();
  await aws.close();
});

const WAIT = { maxWaitTime: 10, minDelay: 1, maxDelay: 1 };

describe("AWS's own client", () => {
  it('makes, reads and deletes a stack', async () => {
    const template = {
      Description: 'Example',
      Parameters: { P: { Type: 'String', Default: 'd' } },
      Resources: {
        A: parameterOf({ Ref: 'P' }),
        B: parameterOf({ Ref: 'A' }, {}, { DeletionPolicy: 'Retain' }),
      },
      Outputs: { O: { Value: { 'Fn::GetAtt': 'A.Value' }, Export: { Name: 'e' } } },
    };
    const TemplateBody = JSON.stringify(template);
    const { Id: ChangeSetName, StackId } = await client.send(
      new CreateChangeSetCommand({
        StackName: 'stack',
        ChangeSetName: 'set',
        ChangeSetType: 'CREATE',
        TemplateBody,
        Parameters: [{ ParameterKey: 'P', ParameterValue: 'given' }],
        Tags: [{ Key: 'k', Value: 'v' }],
      }),
    );
    const set = { StackName: StackId, ChangeSetName };
    await waitUntilChangeSetCreateComplete(
      { client, ...WAIT },
      { StackName: StackId ?? '', ChangeSetName: ChangeSetName ?? '' },
    );
    const described = await client.send(
      new DescribeChangeSetCommand({ ...set, IncludePropertyValues: true }),
    );
    expect(described).toMatchObject({
      Status: 'CREATE_COMPLETE',
      ChangeSetName: 'set',
      CreationTime: expect.any(Date),
      Changes: [
        {
          Type: 'Resource',
          ResourceChange: { Action: 'Add', LogicalResourceId: 'A', ResourceType: 'AWS::SSM::Parameter' },
        },
        { ResourceChange: { LogicalResourceId: 'B' } },
      ],
    });
    await client.send(new ExecuteChangeSetCommand({ ChangeSetName }));
    await waitUntilStackCreateComplete({ client, ...WAIT }, { StackName: 'stack' });

    const { Stacks: stacks } = await client.send(new DescribeStacksCommand({ StackName: 'stack' }));
    expect(stacks).toMatchObject([
      {
        StackId,
        StackStatus: 'CREATE_COMPLETE',
        Description: 'Example',
        EnableTerminationProtection: false,
        Parameters: [{ ParameterKey: 'P', ParameterValue: 'given' }],
        Outputs: [{ OutputKey: 'O', OutputValue: 'given', ExportName: 'e' }],
        Tags: [{ Key: 'k', Value: 'v' }],
      },
    ]);
    expect((await client.send(new GetTemplateCommand({ StackName: 'stack' }))).TemplateBody).toBe(
      TemplateBody,
    );
    const { StackResourceSummaries: resources } = await client.send(
      new ListStackResourcesCommand({ StackName: 'stack' }),
    );
    expect(resources?.map((one) => one.LogicalResourceId)).toEqual(['A', 'B']);
    const { StackEvents: events } = await client.send(new DescribeStackEventsCommand({ StackName: 'stack' }));
    expect(events?.[0]).toMatchObject({
      ResourceStatus: 'CREATE_COMPLETE',
      PhysicalResourceId: StackId,
      Timestamp: expect.any(Date),
    });

    await client.send(new DeleteStackCommand({ StackName: 'stack' }));
    await waitUntilStackDeleteComplete({ client, ...WAIT }, { StackName: StackId ?? '' });
    expect(aws.world.everything().map(({ stack }) => stack)).toEqual([null]);
  });

  it('recognizes the errors', async () => {
    const call = { StackName: 'other', ChangeSetName: 'set', ChangeSetType: 'CREATE' } as const;
    const named = JSON.stringify({ Resources: { R: roleOf({ RoleName: 'r' }) } });
    await expect(
      client.send(new CreateChangeSetCommand({ ...call, TemplateBody: named })),
    ).rejects.toBeInstanceOf(InsufficientCapabilitiesException);
    await client.send(
      new CreateChangeSetCommand({ ...call, TemplateBody: named, Capabilities: ['CAPABILITY_NAMED_IAM'] }),
    );
    await client.send(new DeleteChangeSetCommand(call));
    await expect(client.send(new DescribeChangeSetCommand(call))).rejects.toBeInstanceOf(
      ChangeSetNotFoundException,
    );
    await expect(client.send(new DescribeStacksCommand({ StackName: 'none' }))).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'Stack with id none does not exist',
    });
  });

  it('reads why a change set failed before it began', async () => {
    const call = { StackName: 'wrong', ChangeSetName: 'set' };
    const TemplateBody = JSON.stringify({ Resources: { A: parameterOf('a', { Colour: 'red' }) } });
    await client.send(new CreateChangeSetCommand({ ...call, ChangeSetType: 'CREATE', TemplateBody }));
    const { OperationEvents: events } = await client.send(
      new DescribeEventsCommand({ ...call, Filters: { FailedEvents: true } }),
    );
    expect(events).toMatchObject([
      { EventType: 'VALIDATION_ERROR', ValidationPath: '/Resources/A/Properties/Colour' },
    ]);
    expect(
      (await client.send(new DescribeStackResourcesCommand({ StackName: 'wrong' }))).StackResources,
    ).toEqual([]);
  });

  it('summarizes a template for an import', async () => {
    const TemplateBody = JSON.stringify({ Resources: { A: parameterOf('a'), R: roleOf({}) } });
    expect(await client.send(new GetTemplateSummaryCommand({ TemplateBody }))).toMatchObject({
      Capabilities: ['CAPABILITY_IAM'],
      ResourceIdentifierSummaries: [
        { ResourceType: 'AWS::SSM::Parameter', LogicalResourceIds: ['A'], ResourceIdentifiers: ['Name'] },
        { ResourceType: 'AWS::IAM::Role', LogicalResourceIds: ['R'], ResourceIdentifiers: ['RoleName'] },
      ],
    });
  });
});
