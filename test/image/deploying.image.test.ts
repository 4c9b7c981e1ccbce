import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Deployment } from '../deploy/deployment.ts';
import { type Block, shellBlocks } from '../deploy/documented.ts';
import { TaskProcesses } from '../deploy/task-processes.ts';
import { digestOf, type Images } from '../fake-aws/registry/images.ts';
import { passwordOf } from '../fake-aws/registry/token.ts';
import { startTestPostgres, type TestPostgres } from '../postgres.ts';
import fixture from '../topology-fixture.ts';
import { makeBaseImage } from './base-image.ts';
import { environment as podmanEnvironment, run, tryRun } from './podman.ts';
import { Shell } from './shell.ts';
import { TlsFront } from './tls-front.ts';

/**
 * Runs docs/DEPLOYING.md as it stands: the CDK builds the image with podman and pushes it to the local AWS's registry, deploys the trial
 * zone, and ECS runs its tasks beside a real Postgres. What stands between client and service in AWS is a TLS front here.
 */
const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/DEPLOYING.md'), 'utf8');
const ACCOUNT = '333333333333';
const HOSTNAME = 'keys.trial.example.com';
const ROOT_KEY_FILE = join(ROOT, '.keyhearth/root-key.json');
/** Where ci.sh installs the `aws` command line. */
const AWS_CLI = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'keyhearth/awscli-1.46.3/bin',
);
/** What the Dockerfile begins with comes from the local registry, for there is no other here. */
const BASE = { account: ACCOUNT, region: 'base' };

let postgres: TestPostgres;
let tasks: TaskProcesses;
let deployment: Deployment;
let front: TlsFront;
let shell: Shell;

beforeAll(async () => {
  postgres = await startTestPostgres();
  tasks = new TaskProcesses(postgres);
  deployment = await Deployment.start({ runner: tasks });
  // With the image that the topology asks for: the CDK's own, built from this repository.
  deployment.use(fixture);
  front = await TlsFront.start(HOSTNAME, () => tasks.servicePort);
  const registry = new URL(deployment.aws.endpoint).host;
  const base = `${registry}/${BASE.account}/${BASE.region}/node`;
  deployment.aws.world.add({
    ...BASE,
    type: 'AWS::ECR::Repository',
    id: 'node',
    properties: { RepositoryName: 'node' },
    attributes: {},
    stack: null,
  });
  const registries = join(deployment.folder, 'registries.conf');
  writeFileSync(
    registries,
    [
      'unqualified-search-registries = []',
      '[[registry]]',
      'prefix = "public.ecr.aws/docker/library/node"',
      `location = "${base}"`,
      'insecure = true',
      '[[registry]]',
      `location = "${registry}"`,
      'insecure = true',
      '',
    ].join('\n'),
  );
  const curl = join(deployment.folder, '.curlrc');
  const authority = join(deployment.folder, 'authority.pem');
  writeFileSync(authority, front.certificate);
  writeFileSync(
    curl,
    `connect-to = "${HOSTNAME}:443:127.0.0.1:${front.port}"\ncacert = "${authority}"\nnoproxy = "*"\n`,
  );
  const { CONTAINERS_CONF = '', BUILDAH_ISOLATION = '' } = podmanEnvironment();
  const own = deployment.environment(ACCOUNT);
  const environment = {
    ...own,
    PATH: `${AWS_CLI}:${join(ROOT, 'node_modules/.bin')}:${own['PATH'] ?? ''}`,
    CDK_DOCKER: containerTool(deployment.folder),
    CONTAINERS_CONF,
    BUILDAH_ISOLATION,
    CONTAINERS_REGISTRIES_CONF: registries,
    CURL_HOME: deployment.folder,
    // The image's packages come through whatever this machine trusts besides.
    NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'] ?? '',
  };
  const [, version = ''] =
    /^ARG NODE_IMAGE=.*\/node:(\S+)$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')) ?? [];
  shell = new Shell(ROOT, environment);
  // Not by a call that waits: the registry is this process.
  await shell.run(
    `podman push --quiet --creds AWS:${passwordOf(BASE.account)} ${makeBaseImage()} docker://${base}:${version}`,
  );
  addArm64(deployment.aws.world.images, version);
}, 300_000);

afterAll(async () => {
  shell?.close();
  // The next build, for this machine's own processor, must not find it.
  const built = run('podman', ['images', '--format', '{{.Repository}}:{{.Tag}}'])
    .split('\n')
    .filter((name) => /cdkasset-|cdk-hnb659fds-container-assets|public\.ecr\.aws/.test(name));
  if (built.length > 0) tryRun('podman', ['rmi', '--force', ...built]);
  rmSync(ROOT_KEY_FILE, { force: true });
  await front?.close();
  await tasks?.close();
  await deployment?.close();
  await postgres?.stop();
});

/** Makes a list of two processors of the image, as the official one is: the same files, said to be for ARM64 as well. Nothing runs them. */
function addArm64(images: Images, tag: string): void {
  const own = images.find(BASE, 'node', tag);
  if (own === undefined) throw new Error('no base image');
  const manifest = JSON.parse(own.bytes.toString());
  const config = JSON.parse((images.blob(BASE, 'node', manifest.config.digest) ?? '').toString());
  const { mediaType } = own;
  const describe = (architecture: string, bytes: Buffer) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
    platform: { os: 'linux', architecture },
  });
  const armConfig = Buffer.from(JSON.stringify({ ...config, architecture: 'arm64', variant: 'v8' }));
  const digest = images.addBlob(BASE, 'node', armConfig);
  const arm = Buffer.from(
    JSON.stringify({ ...manifest, config: { ...manifest.config, digest, size: armConfig.length } }),
  );
  images.add(BASE, 'node', { reference: digestOf(arm), mediaType, bytes: arm });
  const index = 'application/vnd.oci.image.index.v1+json';
  const manifests = [describe(config.architecture, own.bytes), describe('arm64', arm)];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: index, manifests }));
  images.add(BASE, 'node', { reference: tag, mediaType: index, bytes });
}

/** podman, for a build that fetches packages: the environment of everything else leads to the local AWS and nowhere else. */
function containerTool(folder: string): string {
  const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [
    name,
    name.toLowerCase(),
  ]);
  const lines = proxies.map((name) => {
    const value = process.env[name];
    return value === undefined ? `unset ${name}` : `export ${name}='${value}'`;
  });
  // Its cache takes layers of an image for another processor for the same.
  const uncached = '[ "$1" = build ] && shift && set -- build --no-cache "$@"';
  const file = join(folder, 'container-tool');
  writeFileSync(file, ['#!/bin/sh', ...lines, uncached, 'exec podman "$@"', ''].join('\n'), { mode: 0o755 });
  return file;
}

async function isReady(): Promise<boolean> {
  const port = tasks.servicePort;
  return (
    port !== null &&
    (await fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ))
  );
}

const said = new Map<string, string>();

test.each(shellBlocks(PAGE, 'The trial zone').map((block): [string, Block] => [block.heading, block]))(
  'step %s',
  async (heading, { commands }) => {
    // In AWS a deployment lasts until its tasks are healthy; the local one takes a process that has started for that.
    if (heading.startsWith('5.')) {
      await vi.waitFor(async () => expect(await isReady()).toBe(true), { timeout: 60_000, interval: 100 });
    }
    said.set(heading, `${said.get(heading) ?? ''}${await shell.run(commands)}`);
  },
  300_000,
);

test('it led to what the page says', () => {
  const of = (start: string): string => [...said].find(([heading]) => heading.startsWith(start))?.[1] ?? '';
  expect(of('2.')).toMatch(/USD|\$/);
  expect(of('3.')).toContain(ACCOUNT);
  expect(of('5.')).toContain('workspaceId');
  expect(of('6.')).toMatch(/"valid":true,"code":"VALID"/);
  expect(of('7.')).toContain('no changes');
  expect(existsSync(ROOT_KEY_FILE)).toBe(true);
  expect(said.size).toBe(8);
});

test('what is left in the account is what the page says', async () => {
  expect([...(await deployment.stacks(ACCOUNT, 'eu-west-1')).keys()]).toEqual(['CDKToolkit']);
  const left = deployment.aws.world
    .everything()
    .filter(({ account, stack }) => account === ACCOUNT && stack === null)
    .map(({ type }) => type);
  expect([...new Set(left)].toSorted()).toEqual([
    // The test's own, for the image that the Dockerfile begins with.
    'AWS::ECR::Repository',
    'AWS::IAM::ServiceLinkedRole',
    'AWS::Route53::HostedZone',
    'AWS::Route53::RecordSet',
    'KMS::KeyPendingDeletion',
  ]);
});

test('no command asked for anything that the local AWS doesn’t know, or for anything elsewhere', () => {
  const { unknownCalls, faults, escapes } = deployment.aws;
  expect({ unknownCalls, faults, escapes }).toEqual({ unknownCalls: [], faults: [], escapes: [] });
});
