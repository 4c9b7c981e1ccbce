import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFakeAws, type FakeAws } from '../fake-aws/server.ts';
import { jsonCall } from '../fake-aws/signed-call.ts';
import { type Properties, isProperties, textAt } from '../fake-aws/values.ts';
import { environment } from './podman.ts';

/** The local AWS's registry, with a real podman: an image of one file goes there and comes back. */
const ACCOUNT = '111122223333';
const REGION = 'eu-central-1';
const PLACE = { account: ACCOUNT, region: REGION };
const REPOSITORY = 'keyhearth/registry-test';
const IMAGE = `localhost/keyhearth-registry-test:${randomBytes(4).toString('hex')}`;

let aws: FakeAws;
let folder: string;
let remote: string;

beforeAll(async () => {
  aws = await startFakeAws();
  folder = mkdtempSync(join(tmpdir(), 'keyhearth-registry-'));
  const repository = { ...PLACE, type: 'AWS::ECR::Repository', id: REPOSITORY, attributes: {}, stack: null };
  aws.world.add({ ...repository, properties: { ImageTagMutability: 'IMMUTABLE' } });
  writeFileSync(join(folder, 'auth.json'), '{}');
  writeFileSync(join(folder, 'mark'), 'a file of its own');
  writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY mark /mark\n');
  await podman('build', '--quiet', '--tag', IMAGE, folder);
  const { repositories } = (await ecr('DescribeRepositories')).body;
  remote = textAt(firstOf(repositories), 'repositoryUri') ?? '';
});

afterAll(async () => {
  await podman('rmi', '--force', IMAGE);
  rmSync(folder, { recursive: true });
  await aws.close();
});

/** Beside this process, which answers it. With the logins of this test alone. */
async function podman(...args: readonly string[]): Promise<string> {
  const env = { ...environment(), REGISTRY_AUTH_FILE: join(folder, 'auth.json') };
  const { stdout } = await promisify(execFile)('podman', args, { env });
  return stdout.trim();
}

function ecr(action: string, input: Properties = {}) {
  const target = `AmazonEC2ContainerRegistry_V20150921.${action}`;
  return jsonCall(aws.endpoint, { ...PLACE, service: 'ecr', target, input });
}

function firstOf(list: unknown): Properties {
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  // Of an answer of JSON.
  const entry = first as Properties | undefined;
  return isProperties(entry) ? entry : {};
}

async function login(): Promise<void> {
  const { authorizationData } = (await ecr('GetAuthorizationToken')).body;
  const token = Buffer.from(textAt(firstOf(authorizationData), 'authorizationToken') ?? '', 'base64');
  const [user = '', password = ''] = token.toString().split(':');
  const host = aws.endpoint.replace('http://', '');
  await podman('login', '--tls-verify=false', '--username', user, '--password', password, host);
}

test('nobody pushes who hasn’t logged in', async () => {
  const push = podman('push', '--tls-verify=false', IMAGE, `${remote}:v1`);
  await expect(push).rejects.toThrow(/authentication required|unauthorized|Not Authorized/i);
  expect(aws.world.images.holds(PLACE, REPOSITORY)).toBe(false);
});

test('an image that was pushed is described, and comes back the same', async () => {
  await login();
  await podman('push', '--quiet', '--tls-verify=false', IMAGE, `${remote}:v1`);
  const { imageDetails } = (await ecr('DescribeImages', { repositoryName: REPOSITORY })).body;
  const digest = textAt(firstOf(imageDetails), 'imageDigest') ?? '';
  const id = await podman('image', 'inspect', '--format', '{{.Id}}', IMAGE);
  await podman('rmi', '--force', IMAGE);
  const pulled = await podman('pull', '--quiet', '--tls-verify=false', `${remote}@${digest}`);
  expect(pulled).toBe(id);
  await podman('tag', pulled, IMAGE);
});

test('a tag that is taken stays with its image', async () => {
  await login();
  writeFileSync(join(folder, 'mark'), 'another');
  await podman('build', '--quiet', '--tag', IMAGE, folder);
  const push = podman('push', '--tls-verify=false', IMAGE, `${remote}:v1`);
  await expect(push).rejects.toThrow(/cannot be overwritten because the repository is immutable/);
});

test('a repository that isn’t there takes nothing', async () => {
  await login();
  const push = podman('push', '--tls-verify=false', IMAGE, `${remote}-none:v1`);
  await expect(push).rejects.toThrow(/does not exist in the registry/);
});
