import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { expect, test } from 'vitest';
import type { DeployedStack } from '../lib/deployed-stack.ts';
import { updateStack } from './stack-calls.ts';

const STACK: DeployedStack = {
  name: 'keyhearth-production-eu-data-eu-west-3',
  region: 'eu-west-3',
  id: 'arn:aws:cloudformation:eu-west-3:222222222222:stack/x/1',
  status: 'CREATE_COMPLETE',
  reason: null,
  terminationProtection: false,
  parameters: new Map(),
  outputs: new Map(),
  tags: new Map(),
  template: { Resources: {} },
};

test('a template that CloudFormation doesn’t take in a call is refused before it is sent, with its size', async () => {
  const client = new CloudFormationClient({ region: 'eu-west-3' });
  client.middlewareStack.add(() => () => {
    throw new Error('something was sent');
  });
  const template = { Resources: {}, Metadata: { text: 'ä'.repeat(26_000) } };
  await expect(updateStack(client, { stack: STACK, template })).rejects.toThrow(
    /its template has 52\d{3} bytes, and CloudFormation takes 51200/,
  );
  // One that fits is sent.
  await expect(updateStack(client, { stack: STACK, template: { Resources: {} } })).rejects.toThrow(
    'something was sent',
  );
});
