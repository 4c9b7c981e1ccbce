import type { IncomingHttpHeaders } from 'node:http';
import type { Behaviour } from '../behaviour.ts';
import { isProperties, type Json, type Place, type Properties, valueAt } from '../values.ts';
import { World, type WorldOptions } from '../world.ts';
import type { EngineOptions } from './engine.ts';
import { cloudformation } from './service.ts';
import { plain } from './text.ts';

export const PLACE: Place = { account: '111111111111', region: 'eu-west-1' };

/** CloudFormation over a world of its own, called the way the endpoint calls it. */
export class Harness {
  readonly world: World;
  readonly place = PLACE;
  readonly #service: ReturnType<typeof cloudformation>;

  constructor(
    behaviours: readonly Behaviour[],
    options: WorldOptions = {},
    engine: Pick<EngineOptions, 'orderSeed' | 'stabilizeMsMax'> = {},
  ) {
    this.world = new World(options);
    this.#service = cloudformation(new Map(behaviours.map((one) => [one.type, one])), engine);
  }

  async call(action: string, input: Properties, place: Place = this.place): Promise<Properties> {
    const run = this.#service.actions[action];
    if (run === undefined) throw new Error(`no action ${action}`);
    const headers: IncomingHttpHeaders = {};
    const answer = await run({
      ...place,
      world: this.world,
      action,
      input,
      method: 'POST',
      path: '/',
      query: new URLSearchParams(),
      headers,
      body: Buffer.alloc(0),
      endpoint: 'http://127.0.0.1:1',
    });
    if (!('result' in answer)) throw new Error('an answer of the wrong kind');
    return answer.result;
  }

  /** As the CDK's command line does it: change set, look, execute. Answers with the change set. */
  async deploy(
    name: string,
    template: Properties,
    options: { readonly place?: Place; readonly input?: Properties } = {},
  ): Promise<Properties> {
    const place = options.place ?? this.place;
    const exists = (await this.status(name, place)) !== undefined;
    if (exists) await this.call('DeleteChangeSet', { StackName: name, ChangeSetName: 'deploy' }, place);
    const { Id: id = '' } = await this.call(
      'CreateChangeSet',
      {
        StackName: name,
        ChangeSetName: 'deploy',
        ChangeSetType: exists ? 'UPDATE' : 'CREATE',
        TemplateBody: JSON.stringify(template),
        Capabilities: ['CAPABILITY_NAMED_IAM'],
        ...options.input,
      },
      place,
    );
    const set = { StackName: name, ChangeSetName: id };
    const described = await this.call('DescribeChangeSet', set, place);
    if (described['Status'] === 'FAILED') await this.call('DeleteChangeSet', set, place);
    else await this.call('ExecuteChangeSet', set, place);
    return described;
  }

  /** Undefined where there is no such stack. */
  async status(name: string, place: Place = this.place): Promise<string | undefined> {
    try {
      const { Stacks: stacks = null } = await this.call('DescribeStacks', { StackName: name }, place);
      return plain(valueAt(first(stacks), 'StackStatus'));
    } catch {
      return undefined;
    }
  }

  /** `logical id: status`, oldest first; the stack under its own name. */
  async events(name: string): Promise<readonly string[]> {
    const { StackEvents: events = null } = await this.call('DescribeStackEvents', { StackName: name });
    return listOf(events)
      .map((event) => `${plain(event['LogicalResourceId'])}: ${plain(event['ResourceStatus'])}`)
      .toReversed();
  }

  /** Why things failed, oldest first. */
  async reasons(name: string, place: Place = this.place): Promise<readonly string[]> {
    const { StackEvents: events = null } = await this.call('DescribeStackEvents', { StackName: name }, place);
    return listOf(events)
      .filter((event) => /FAILED$|ROLLBACK_IN/u.test(plain(event['ResourceStatus'])))
      .map((event) => `${plain(event['LogicalResourceId'])}: ${plain(event['ResourceStatusReason'])}`)
      .toReversed();
  }
}

/** The entries of a list in an answer. */
export function listOf(list: Json): readonly Properties[] {
  const entries = isProperties(list) ? list['member'] : [];
  return Array.isArray(entries) ? entries.filter(isProperties) : [];
}

function first(list: Json): Properties {
  return listOf(list)[0] ?? {};
}

/** A type of no meaning, whose behaviour does nothing beyond existing: `AWS::SNS::Topic` and the like of AWS's own schemas. */
export function plainBehaviour(type: string, more: Partial<Behaviour> = {}): Behaviour {
  return {
    type,
    create: ({ world, logicalId }) => ({ id: `${logicalId.toLowerCase()}-${world.hex(6)}` }),
    ...more,
  };
}
