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
import { DeleteSecurityGroupCommand, DescribeSecurityGroupsCommand, EC2Client } from '@aws-sdk/client-ec2';
import type { Topology } from '../../topology/types.ts';
import { type FakeAws, type FakeAwsOptions, loopbackOnly, startFakeAws } from '../fake-aws/server.ts';
import { FIXTURE_OPTIONS } from '../fixture-options.ts';
import { imageFor, pushImage, seedZones } from './seed.ts';
import { topologyWith, zonesOf } from './topologies.ts';

const ROOT = join(import.meta.dirname, '../..');
const CDK = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'bin/cdk');
/** A command that hangs fails its test by itself. */
const COMMAND_MS = 280_000;

export interface Ran {
  readonly code: number | null;
  /** What it wrote, to stdout and stderr, in the order in which it came. */
  readonly said: string;
}

/** What a command said, which must have ended well. Throws an Error with that otherwise. */
export async function done(command: Promise<Ran>): Promise<string> {
  const { code, said } = await command;
  if (code !== 0) throw new Error(`exit code ${code}: ${said}`);
  return said;
}

/** What a command said, which must have failed. Throws an Error with that otherwise. */
export async function refused(command: Promise<Ran>): Promise<string> {
  const { code, said } = await command;
  if (code === 0 || code === null) throw new Error(`exit code ${code}: ${said}`);
  return said;
}

/** What a stack went through: `CREATE_IN_PROGRESS`, …, and when. Of the stack itself, not of its resources. */
interface StackEvent {
  readonly status: string;
  readonly at: Date;
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
    const deployment = new Deployment(aws, topologyWith(imageFor('arm64').digest));
    seedZones(aws.world, deployment.topology);
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

  /** Pushes the image to one more region. */
  seedRegion(account: string, region: string): void {
    pushImage(this.aws.world, { account, region }, imageFor('arm64'));
  }

  /** Runs the real CDK command line with the credentials of an account. */
  async cdk(account: string, ...args: readonly string[]): Promise<Ran> {
    return await this.#end(this.startCdk(account, ...args));
  }

  /** Runs `keyhearth` with the credentials of an account. */
  async keyhearth(account: string, ...args: readonly string[]): Promise<Ran> {
    return await this.#end(this.startKeyhearth(account, ...args));
  }

  /** `cdk bootstrap` of these regions of an account. Where there is no `cdk.json` it has no app to run first. */
  async bootstrap(account: string, regions: readonly string[]): Promise<Ran> {
    const places = regions.map((region) => `aws://${account}/${region}`);
    return await this.#end(this.#spawn(account, this.folder, [CDK, 'bootstrap', ...places, '--no-notices']));
  }

  /** Starts a program of Node's in this repository and leaves it running. */
  start(account: string, file: string, ...args: readonly string[]): ChildProcess {
    return this.#spawn(account, ROOT, [file, ...args]);
  }

  #spawn(account: string, cwd: string, args: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, args, {
      cwd,
      env: this.environment(account),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: `kill` ends what it has started as well.
      detached: true,
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
      // Commands that run at the same time would lock each other out of `cdk.out`.
      CDK_OUTPUT: join(this.folder, 'cdk.out'),
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
    const args = ['synth', '--quiet', '--context', 'environment=all', '--output', folder];
    await done(this.cdk(first?.zone.account ?? '', ...args));
    return folder;
  }

  client(account: string, region: string): CloudFormationClient {
    return new CloudFormationClient(this.#clientOptions(account, region));
  }

  /**
   * Deletes the one security group that Global Accelerator leaves behind in each network that it led to, which people do by hand. Returns
   * how many there were.
   */
  async deleteAcceleratorGroups(account: string, regions: readonly string[]): Promise<number> {
    let deleted = 0;
    for (const region of regions) {
      const client = new EC2Client(this.#clientOptions(account, region));
      const { SecurityGroups = [] } = await client.send(
        new DescribeSecurityGroupsCommand({
          Filters: [{ Name: 'group-name', Values: ['GlobalAccelerator'] }],
        }),
      );
      for (const { GroupId } of SecurityGroups) {
        await client.send(new DeleteSecurityGroupCommand({ GroupId }));
        deleted += 1;
      }
    }
    return deleted;
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

  /** What a stack itself went through, oldest first; of a deleted one by its id. */
  async history(account: string, region: string, nameOrId: string): Promise<readonly StackEvent[]> {
    const found: StackEvent[] = [];
    const pages = paginateDescribeStackEvents(
      { client: this.client(account, region) },
      { StackName: nameOrId },
    );
    for await (const { StackEvents = [] } of pages) {
      for (const { PhysicalResourceId, StackId, ResourceStatus = '', Timestamp } of StackEvents) {
        if (PhysicalResourceId !== StackId || Timestamp === undefined) continue;
        found.unshift({ status: ResourceStatus, at: Timestamp });
      }
    }
    return found;
  }

  /** What the local AWS saw that no test wants: calls that it doesn't know, faults of its own, calls to somewhere else. */
  get surprises(): readonly unknown[] {
    const { unknownCalls, faults, escapes } = this.aws;
    return [...unknownCalls, ...faults, ...escapes];
  }

  async close(): Promise<void> {
    for (const child of this.#running) kill(child);
    await this.aws.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.folder, 'topology.json');
  }

  #clientOptions(account: string, region: string) {
    const credentials = credentialsOf(this.aws.environment(account));
    return { region, endpoint: this.aws.endpoint, credentials };
  }

  async #end(child: ChildProcess): Promise<Ran> {
    let said = '';
    const keep = (chunk: Buffer): void => {
      said += chunk.toString();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const timer = setTimeout(() => kill(child), COMMAND_MS);
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    clearTimeout(timer);
    return { code, said };
  }
}

/** Ends a command that is running, and all that it has started, at once. */
export function kill({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}

function credentialsOf(environment: Readonly<Record<string, string>>) {
  return {
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
}
