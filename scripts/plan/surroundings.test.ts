import {
  CloudFormationClient,
  CreateStackCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it, vi } from 'vitest';
import { endpointEnvironment } from '../../test/fake-aws/environment.ts';
import { type FakeAws, startFakeAws } from '../../test/fake-aws/server.ts';
import { AWS_SETTINGS } from '../lib/aws-settings.ts';
import type { DescribedZone } from '../lib/target.ts';
import { AccountStacks } from './account-stacks.ts';
import { lookAround, type Surroundings } from './surroundings.ts';

const HOME = 'eu-west-1';
let aws: FakeAws;

beforeAll(async () => {
  aws = await startFakeAws({});
});

afterAll(async () => {
  await aws.close();
});

let account = 444_444_444_400;

/** An account of its own, so that no test sees the stacks of another. */
beforeEach(() => {
  account += 1;
  vi.stubEnv('AWS_PROFILE', undefined);
  vi.stubEnv('AWS_SESSION_TOKEN', undefined);
  for (const [name, value] of Object.entries(endpointEnvironment(aws.endpoint, String(account), HOME)))
    vi.stubEnv(name, value);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

async function deploy(StackName: string, region: string, resources: object): Promise<void> {
  const client = new CloudFormationClient({ region, ...AWS_SETTINGS });
  await client.send(
    new CreateStackCommand({ StackName, TemplateBody: JSON.stringify({ Resources: resources }) }),
  );
  await waitUntilStackCreateComplete({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { StackName });
}

const TOPIC = { Topic: { Type: 'AWS::SNS::Topic' } };

/** An accelerator that leads to a region, as an edge stack has one. */
const edge = (name: string, region: string): object => ({
  Accelerator: { Type: 'AWS::GlobalAccelerator::Accelerator', Properties: { Name: name } },
  Listener: {
    Type: 'AWS::GlobalAccelerator::Listener',
    Properties: {
      AcceleratorArn: { 'Fn::GetAtt': ['Accelerator', 'AcceleratorArn'] },
      PortRanges: [{ FromPort: 443, ToPort: 443 }],
      Protocol: 'TCP',
    },
  },
  Group: {
    Type: 'AWS::GlobalAccelerator::EndpointGroup',
    Properties: {
      ListenerArn: { 'Fn::GetAtt': ['Listener', 'ListenerArn'] },
      EndpointGroupRegion: region,
    },
  },
});

const zoneOf = (name: string, ...regions: DescribedZone['regions']): DescribedZone => ({
  environment: 'trial',
  name,
  account: String(account),
  regions,
});

const look = (zone: DescribedZone, others: readonly DescribedZone[] = []): Promise<Surroundings> =>
  lookAround(zone, [zone, ...others], new AccountStacks());

describe('an account', () => {
  it('that is empty has nothing but regions that the CDK needs a stack in', async () => {
    expect(await look(zoneOf('one', HOME, 'eu-west-3'))).toEqual({
      alsoIn: [],
      strangers: [],
      withoutBootstrap: [HOME, 'eu-west-3'],
      unseen: [],
    });
  });

  it('is prepared for the CDK in regions that have its stack', async () => {
    await deploy('CDKToolkit', HOME, TOPIC);
    expect((await look(zoneOf('one', HOME, 'eu-west-3'))).withoutBootstrap).toEqual(['eu-west-3']);
  });

  it('has a zone that is deployed from another origin where its accelerator leads', async () => {
    await deploy('keyhearth-trial-one-edge', 'ap-south-1', edge('keyhearth-trial-one', 'ap-south-1'));
    expect((await look(zoneOf('one', HOME))).alsoIn).toEqual(['ap-south-1']);
  });

  it('has one whose former origin is a region of another zone', async () => {
    await deploy('keyhearth-trial-one-zone', 'us-east-1', TOPIC);
    expect((await look(zoneOf('one', HOME), [zoneOf('two', 'us-east-1')])).alsoIn).toEqual(['us-east-1']);
  });

  it('has zones that nobody describes, in regions of the description and where their accelerators lead', async () => {
    await deploy('keyhearth-trial-old-base-eu-west-1', HOME, TOPIC);
    await deploy('keyhearth-trial-far-edge', 'sa-east-1', edge('keyhearth-trial-far', 'sa-east-1'));
    await deploy('keyhearth-trial-two-zone', HOME, TOPIC);
    await deploy('keyhearth-dashboards', HOME, TOPIC);
    expect((await look(zoneOf('one', HOME), [zoneOf('two', HOME)])).strangers).toEqual([
      { name: 'trial-old', regions: [HOME] },
      { name: 'trial-far', regions: ['sa-east-1'] },
    ]);
  });

  it('that doesn’t let itself be looked at says so, and the plan goes on', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOTHER');
    const { unseen } = await look(zoneOf('one', HOME));
    expect(unseen).toEqual([
      `Stacks in ${HOME} couldn’t be listed: whether a zone is deployed there isn’t known.`,
      'Accelerators couldn’t be listed: a zone with another origin isn’t found by its own.',
    ]);
  });
});
