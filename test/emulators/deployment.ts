import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  CloudFormationClient,
  type Stack,
  type StackResourceSummary,
  DescribeStacksCommand,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { type LeftOut, type Template, TemplateAdapter } from './adapt.ts';
import type { Caller } from './ask.ts';
import { askJson, createHostedZone } from './ask.ts';
import type { AssemblyStack } from '../../scripts/lib/assembly.ts';
import type { Assembly } from './assembly.ts';
import { cdk, type Credentials } from './cdk.ts';
import type { Emulator } from './emulators.ts';

/** What of a stack an emulator didn't get as it is. */
export interface LeftOutOfStack extends LeftOut {
  readonly stack: string;
}

export interface DeploymentOptions {
  readonly emulator: Emulator;
  /** The path of the emulator's program. */
  readonly program: string;
  readonly port: number;
  readonly assembly: Assembly;
  readonly folder: string;
  /** Hosted zones that the topology names, and the domain of each: a person has them before deploying. */
  readonly hostedZones: ReadonlyMap<string, { readonly account: string; readonly name: string }>;
}

const CONCURRENCY = '8';

/** All stacks of all zones, deployed to one emulator by the real CLI, each in its own account and region. */
export class Deployment {
  readonly leftOut: LeftOutOfStack[] = [];
  /** Templates as they were deployed. */
  readonly adapted = new Map<string, Template>();
  readonly #options: DeploymentOptions;
  readonly #endpoint: string;
  readonly #credentials = new Map<string, Credentials>();
  readonly #stacks = new Map<string, Stack>();
  readonly #unmade = new Set<string>();
  readonly #certificates = new Map<string, string>();
  #unknownTypes: ReadonlySet<string> = new Set();
  #zoneIds: ReadonlyMap<string, string> = new Map();

  constructor(options: DeploymentOptions) {
    this.#options = options;
    // By this name, since it is how moto tells an endpoint with the bucket in the path from one with the bucket in the host.
    this.#endpoint = `http://localhost:${options.port}`;
  }

  /** For calls to a region of an account: as a role of that account, which is how both emulators tell accounts apart. */
  async caller(account: string, region: string): Promise<Caller> {
    const known = this.#credentials.get(account);
    if (known !== undefined) return { endpoint: this.#endpoint, region, credentials: known };
    const client = new STSClient({
      endpoint: this.#endpoint,
      region,
      credentials: { accessKeyId: account, secretAccessKey: 'none' },
    });
    const { Credentials: made } = await client.send(
      new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${account}:role/anybody`, RoleSessionName: 'test' }),
    );
    const {
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
    } = made ?? {};
    if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined)
      throw new Error(`no credentials for ${account}`);
    const credentials = { accessKeyId, secretAccessKey, sessionToken };
    this.#credentials.set(account, credentials);
    return { endpoint: this.#endpoint, region, credentials };
  }

  async client({
    account,
    region,
  }: Pick<AssemblyStack, 'account' | 'region'>): Promise<CloudFormationClient> {
    return new CloudFormationClient({ ...(await this.caller(account, region)), maxAttempts: 1 });
  }

  /** Every account and region, by the CLI; and what a person has before deploying: hosted zones. */
  async prepare(): Promise<void> {
    const { assembly, emulator, program, hostedZones } = this.#options;
    await Promise.all(
      [...Map.groupBy(assembly.stacks, ({ account }) => account)].map(async ([account, stacks]) => {
        const regions = new Set(stacks.map(({ region }) => region));
        await this.cdk(account, 'bootstrap', ...[...regions].map((region) => `aws://${account}/${region}`));
      }),
    );
    const ids = await Promise.all(
      [...hostedZones].map(async ([id, { account, name }]) => {
        return [id, await createHostedZone(await this.caller(account, 'us-east-1'), name)] as const;
      }),
    );
    this.#zoneIds = new Map(ids);
    const types = new Set(
      assembly.stacks.flatMap((stack) =>
        Object.values(assembly.original(stack).Resources).map(({ Type: type }) => type),
      ),
    );
    const [first] = assembly.stacks;
    if (first === undefined) throw new Error('there are no stacks');
    this.#unknownTypes = await emulator.unknownTypes(types, program, await this.client(first));
  }

  /** Deploys stack after stack, those that don't wait for each other together. Throws with what the CLI said where it fails. */
  async deploy(): Promise<void> {
    for (const level of this.#options.assembly.levels()) {
      for (const stack of level) await this.#adapt(stack);
      const names = level.map(({ name }) => name).filter((name) => !this.#unmade.has(name));
      const [first] = level;
      if (first === undefined || names.length === 0) continue;
      const { givesOutputsToChangeSets } = this.#options.emulator;
      const method = givesOutputsToChangeSets ? 'change-set' : 'direct';
      const words = ['--exclusively', '--require-approval', 'never', '--concurrency', CONCURRENCY];
      await this.cdk(first.account, 'deploy', ...names, ...words, '--progress', 'events', '--method', method);
      for (const stack of level) {
        if (!this.#unmade.has(stack.name)) this.#stacks.set(stack.name, await this.described(stack));
      }
    }
  }

  /** Destroys those, and nothing else. The CLI finds the order. Returns what it said. */
  async destroy(stacks: readonly AssemblyStack[]): Promise<string> {
    const [first] = stacks;
    if (first === undefined) throw new Error('nothing to destroy');
    const names = stacks.map(({ name }) => name);
    return await this.cdk(
      first.account,
      'destroy',
      ...names,
      '--force',
      '--exclusively',
      '--concurrency',
      CONCURRENCY,
    );
  }

  /** Runs the CLI as somebody of the account. */
  async cdk(account: string, command: string, ...args: readonly string[]): Promise<string> {
    const { assembly, folder } = this.#options;
    const home = join(folder, `home-${account}`);
    mkdirSync(home, { recursive: true });
    const { credentials } = await this.caller(account, 'us-east-1');
    return await cdk({ app: assembly.folder, home, endpoint: this.#endpoint, credentials }, command, ...args);
  }

  /** Those with anything left to deploy. */
  get deployed(): readonly AssemblyStack[] {
    return this.#options.assembly.stacks.filter(({ name }) => this.#stacks.has(name));
  }

  async described(stack: AssemblyStack): Promise<Stack> {
    const client = await this.client(stack);
    const { Stacks: [found] = [] } = await client.send(new DescribeStacksCommand({ StackName: stack.name }));
    if (found === undefined) throw new Error(`${stack.name} isn't there`);
    return found;
  }

  /** What the emulator's CloudFormation says that the stack has. */
  async resources(stack: AssemblyStack): Promise<readonly StackResourceSummary[]> {
    const found: StackResourceSummary[] = [];
    const client = await this.client(stack);
    for await (const page of paginateListStackResources({ client }, { StackName: stack.name }))
      found.push(...(page.StackResourceSummaries ?? []));
    return found;
  }

  async #adapt(stack: AssemblyStack): Promise<void> {
    const { assembly, emulator } = this.#options;
    const adapter = new TemplateAdapter({
      ...stack,
      unknownTypes: this.#unknownTypes,
      adaptations: emulator.gaps,
      standIns: await this.#standIns(stack),
      output: (name, _region, output) => this.#output(name, output),
    });
    const { template, leftOut } = adapter.adapt(this.#withZoneIds(assembly.original(stack)));
    this.leftOut.push(...leftOut.map((entry) => ({ ...entry, stack: stack.name })));
    this.adapted.set(stack.name, template);
    assembly.replace(stack, template);
    if (Object.keys(template.Resources).length > 0) return;
    this.#unmade.add(stack.name);
    this.leftOut.push({ what: 'the stack', reason: 'nothing is left of it', stack: stack.name });
  }

  #withZoneIds(template: Template): Template {
    let text = JSON.stringify(template);
    for (const [named, real] of this.#zoneIds) text = text.replaceAll(named, real);
    return JSON.parse(text) as Template;
  }

  #output(stack: string, output: string): string | null {
    if (this.#unmade.has(stack)) return null;
    const found = this.#stacks.get(stack)?.Outputs?.find(({ OutputKey: key }) => key === output)?.OutputValue;
    if (found === undefined) throw new Error(`${stack} has no output ${output}`);
    return found;
  }

  async #standIns({ account, region }: AssemblyStack): Promise<ReadonlyMap<string, string>> {
    const type = 'AWS::CertificateManager::Certificate';
    if (!this.#options.emulator.standIns.includes(type) || !this.#unknownTypes.has(type)) return new Map();
    const place = `${account} ${region}`;
    const caller = await this.caller(account, region);
    const target = 'CertificateManager.RequestCertificate';
    const made =
      this.#certificates.get(place) ??
      (
        (await askJson(caller, 'acm', target, { DomainName: 'example.com' })) as {
          readonly CertificateArn: string;
        }
      ).CertificateArn;
    this.#certificates.set(place, made);
    return new Map([[type, made]]);
  }
}
