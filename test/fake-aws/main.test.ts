import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../scripts/lib/ports.ts';
import { loopbackOnly } from './environment.ts';

let child: ChildProcess | undefined;

afterEach(() => child?.kill('SIGKILL'));

function start(...args: readonly string[]): ChildProcess {
  child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], { stdio: 'pipe' });
  return child;
}

/** Variables of the lines that a shell is to run; there are no more once the last of them has come. */
async function exported({ stdout }: ChildProcess): Promise<Readonly<Record<string, string>>> {
  if (stdout === null) throw new Error('started without a pipe');
  const variables: Record<string, string> = {};
  for await (const line of createInterface(stdout)) {
    const [, name = '', value = ''] = /^export (\w+)='([^']*)'$/.exec(line) ?? [];
    expect(name).not.toBe('');
    variables[name] = value;
    if (name === 'no_proxy') break;
  }
  return variables;
}

test('a shell with the lines that it prints calls it, until it is interrupted', async () => {
  const port = await freePort();
  const running = start('--port', String(port), '--account', '444455556666', '--region', 'eu-west-1');
  const variables = await exported(running);
  expect(() => loopbackOnly(variables)).not.toThrow();
  expect(variables).toMatchObject({ AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`, AWS_REGION: 'eu-west-1' });
  const sts = new STSClient({
    endpoint: variables['AWS_ENDPOINT_URL'] ?? '',
    region: 'eu-west-1',
    credentials: {
      accessKeyId: variables['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: variables['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  });
  expect((await sts.send(new GetCallerIdentityCommand())).Account).toBe('444455556666');
  running.kill('SIGINT');
  expect(await once(running, 'exit')).toEqual([0, null]);
});

test('a port that is no number is refused', async () => {
  const [code] = (await once(start('--port', 'x'), 'exit')) as [number];
  expect(code).toBe(1);
});
