import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import { regionsOf } from '../../topology/read.ts';
import type { Topology } from '../../topology/types.ts';
import { digestOf } from '../fake-aws/registry/images.ts';
import { type FakeAws, type FakeAwsOptions, loopbackOnly, startFakeAws } from '../fake-aws/server.ts';
import { globalPlace } from '../fake-aws/world.ts';
import { FIXTURE_OPTIONS } from '../fixture-options.ts';
import { REPOSITORY, topologyWith, zonesOf } from './topologies.ts';

const ROOT = join(import.meta.dirname, '../..');
const CDK = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'bin/cdk');
/** A command that hangs fails its test by itself. */
const COMMAND_MS = 170_000;

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const IMAGE = {
  reference: 'latest',
  mediaType: MANIFEST,
  bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST })),
};

export interface Ran {
  readonly code: number | null;
  /** What it wrote, to stdout and stderr, in the order in which it came. */
  readonly said: string;
}

/** A local AWS, a topology that may change from one command to the next, and the real commands run against both. */
export class Deployment {
  readonly aws: FakeAws;
  readonly folder = mkdtempSync(join(tmpdir(), 'keyhearth-deploy-'));
  #topology: Topology;
  readonly #running = new Set<ChildProcess>();

  private constructor(aws: FakeAws, topology: Topology) {
    this.aws = aws;
    this.#topology = topology;
    this.use(topology);
  }

  /** With the zones of the fixture, an image in the registry of each region, and the hosted zones that the topology names. */
  static async start(options: FakeAwsOptions = {}): Promise<Deployment> {
    const aws = await startFakeAws(options);
    const deployment = new Deployment(aws, topologyWith(digestOf(IMAGE.bytes)));
    deployment.#seed();
    return deployment;
  }

  get topology(): Topology {
    return this.#topology;
  }

  /** What commands take for `regions.config.ts` from now on. */
  use(topology: Topology): void {
    this.#topology = topology;
    writeFileSync(this.#file, JSON.stringify(topology));
  }

  /** Pushes the image to every region of every zone, and makes the hosted zones: what people do before they deploy. */
  #seed(): void {
    const { world } = this.aws;
    for (const { zone } of zonesOf(this.#topology)) {
      for (const region of regionsOf(zone)) this.seedRegion(zone.account, region);
      const { domain, account } = zone;
      if (domain === undefined || !('hostedZoneId' in domain)) continue;
      const place = globalPlace({ account, region: zone.origin });
      if (world.find(place, 'AWS::Route53::HostedZone', domain.hostedZoneId) !== undefined) continue;
      world.add({
        ...place,
        type: 'AWS::Route53::HostedZone',
        id: domain.hostedZoneId,
        properties: { Name: `${domain.hostedZoneName}.` },
        attributes: { Id: domain.hostedZoneId },
        stack: null,
      });
    }
  }

  /** Pushes the image to one more region. */
  seedRegion(account: string, region: string): void {
    const { world } = this.aws;
    const place = { account, region };
    if (world.find(place, 'AWS::ECR::Repository', REPOSITORY) !== undefined) return;
    world.add({
      ...place,
      type: 'AWS::ECR::Repository',
      id: REPOSITORY,
      properties: { RepositoryName: REPOSITORY },
      attributes: { Arn: `arn:aws:ecr:${region}:${account}:repository/${REPOSITORY}` },
      stack: null,
    });
    world.images.add(place, REPOSITORY, IMAGE);
  }

  /** Runs the real CDK command line with the credentials of an account. */
  async cdk(account: string, ...args: readonly string[]): Promise<Ran> {
    return await this.#end(this.startCdk(account, ...args));
  }

  /** Runs `keyhearth` with the credentials of an account. */
  async keyhearth(account: string, ...args: readonly string[]): Promise<Ran> {
    return await this.#end(this.startKeyhearth(account, ...args));
  }

  /** Starts a program of Node's and leaves it running; `cdk` is the file of the command line. */
  start(account: string, file: string, ...args: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, [file, ...args], {
      cwd: ROOT,
      env: this.environment(account),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    child.on('exit', () => this.#running.delete(child));
    return child;
  }

  /** Starts `keyhearth` and leaves it running. */
  startKeyhearth(account: string, ...args: readonly string[]): ChildProcess {
    return this.start(account, join(ROOT, 'scripts/keyhearth.mjs'), ...args);
  }

  /** Starts the CDK command line and leaves it running. */
  startCdk(account: string, ...args: readonly string[]): ChildProcess {
    return this.start(account, CDK, ...args, '--no-notices');
  }

  /** Nothing of the person's own who runs the tests, and no endpoint but the local one. */
  environment(account: string): Record<string, string> {
    const environment = {
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      HOME: this.folder,
      NODE_OPTIONS: FIXTURE_OPTIONS,
      KEYHEARTH_TEST_TOPOLOGY: this.#file,
      CDK_VALIDATION: 'false',
      // The CDK writes to stdout then, and never asks.
      CI: 'true',
      NO_COLOR: '1',
      ...this.aws.environment(account),
    };
    loopbackOnly(environment);
    return environment;
  }

  /** Synthesizes every environment as it is now into a folder of its own; `--app` takes it. */
  async synth(name: string): Promise<string> {
    const folder = join(this.folder, name);
    const [first] = zonesOf(this.#topology);
    const { code, said } = await this.cdk(
      first?.zone.account ?? '',
      ...['synth', '--quiet', '--context', 'environment=all', '--output', folder],
    );
    if (code !== 0) throw new Error(said);
    return folder;
  }

  client(account: string, region: string): CloudFormationClient {
    return new CloudFormationClient({
      region,
      endpoint: this.aws.endpoint,
      credentials: credentialsOf(this.aws.environment(account)),
    });
  }

  /** The one security group that Global Accelerator leaves behind in each network that it led to: people delete it by hand. */
  deleteAcceleratorGroups(account: string): void {
    const { world } = this.aws;
    for (const group of world.all('AWS::EC2::SecurityGroup')) {
      if (group.account === account && group.properties['GroupName'] === 'GlobalAccelerator')
        world.remove(group);
    }
  }

  /** Every stack of an account and region that isn't deleted, by name. */
  async stacks(account: string, region: string): Promise<ReadonlyMap<string, Stack>> {
    const { Stacks = [] } = await this.client(account, region).send(new DescribeStacksCommand({}));
    return new Map(Stacks.map((stack) => [stack.StackName ?? '', stack]));
  }

  /** Every event of every stack of an account and region that isn't deleted: two equal answers mean that nothing happened between them. */
  async events(account: string, region: string): Promise<ReadonlyMap<string, number>> {
    const client = this.client(account, region);
    const counted = [...(await this.stacks(account, region)).keys()].map(async (name) => {
      let count = 0;
      for await (const { StackEvents = [] } of paginateDescribeStackEvents({ client }, { StackName: name })) {
        count += StackEvents.length;
      }
      return [name, count] as const;
    });
    return new Map(await Promise.all(counted));
  }

  async close(): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL');
    await this.aws.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.folder, 'topology.json');
  }

  async #end(child: ChildProcess): Promise<Ran> {
    let said = '';
    const keep = (chunk: Buffer): void => {
      said += chunk.toString();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_MS);
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    clearTimeout(timer);
    return { code, said };
  }
}

function credentialsOf(environment: Readonly<Record<string, string>>) {
  return {
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
}
