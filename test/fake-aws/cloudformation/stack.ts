import { randomUUID } from 'node:crypto';
import type { Json, Place, Properties } from '../values.ts';
import type { ChangeSet } from './change-set.ts';
import type { ParameterValue } from './parameters.ts';
import type { DeletionPolicy, Template } from './template.ts';

/** What a stack is made from. */
export interface Definition {
  readonly template: Template;
  readonly parameters: ReadonlyMap<string, ParameterValue>;
  readonly tags: readonly Json[];
}

/** A resource of a stack. What it is in the world is found by type, place and physical id. */
export interface StackResource {
  readonly logicalId: string;
  readonly type: string;
  /** Where it lives: the stack's place, or the account's own for a type that isn't regional. */
  readonly place: Place;
  physicalId: string;
  /** As the template that it was last made or changed by has them, with every function resolved. What calls change isn't in here. */
  properties: Properties;
  status: string;
  statusReason: string | undefined;
  changed: Date;
  /** Logical ids that it needs: they are deleted after it. */
  dependsOn: ReadonlySet<string>;
  deletionPolicy: DeletionPolicy;
  updateReplacePolicy: DeletionPolicy;
  metadata: Json;
}

export interface StackEvent {
  readonly id: string;
  readonly at: Date;
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string | undefined;
  readonly properties: Properties | undefined;
  /** Which operation of the stack it belongs to. */
  readonly operation: string;
}

export interface Output {
  readonly key: string;
  readonly value: string;
  readonly description: string | undefined;
  readonly exportName: string | undefined;
}

/** What a failed operation did so far, so that it can be undone; the first done stands first. */
export type Undo =
  | { readonly kind: 'created'; readonly entry: StackResource }
  | { readonly kind: 'imported'; readonly entry: StackResource }
  | { readonly kind: 'replaced'; readonly entry: StackResource; readonly old: StackResource }
  | {
      readonly kind: 'updated';
      readonly entry: StackResource;
      /** A copy of the entry as it was. */
      readonly before: StackResource;
    };

/** A stack, with all that DescribeStacks tells of it. Its operations change it; whoever reads it sees the present. */
export class Stack implements Place {
  readonly id: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly created = new Date();
  updated: Date | undefined;
  deleted: Date | undefined;
  status = 'REVIEW_IN_PROGRESS';
  statusReason: string | undefined;
  /** Null until its first change set is executed. */
  definition: Definition | null = null;
  /** To go back to while an update isn't finished. */
  stable: Definition | null = null;
  readonly resources = new Map<string, StackResource>();
  outputs: readonly Output[] = [];
  /** Names of exports that its values come from. */
  imports: ReadonlySet<string> = new Set();
  terminationProtection = false;
  disableRollback = false;
  capabilities: readonly string[] = [];
  notificationArns: readonly string[] = [];
  roleArn: string | undefined;
  /** Newest last. */
  readonly events: StackEvent[] = [];
  readonly changeSets = new Map<string, ChangeSet>();
  undo: Undo[] = [];
  /** What is no longer in the template, or has been replaced: deleted once everything else has succeeded. */
  superseded: StackResource[] = [];
  /** The operation that runs, or the last one; it never rejects. */
  running: Promise<void> = Promise.resolve();
  /** Asks the operation that runs to stop and go back. */
  cancelled = false;
  #operation: string = randomUUID();

  constructor({ account, region }: Place, name: string) {
    this.account = account;
    this.region = region;
    this.name = name;
    this.id = `arn:aws:cloudformation:${region}:${account}:stack/${name}/${randomUUID()}`;
  }

  /** A new state of the stack itself, with its event. */
  become(status: string, reason?: string): void {
    this.status = status;
    this.statusReason = reason;
    this.#event({
      logicalId: this.name,
      physicalId: this.id,
      type: 'AWS::CloudFormation::Stack',
      status,
      reason,
    });
  }

  /** A new operation, to which the events from now on belong. */
  begin(status: string, reason?: string): void {
    this.#operation = randomUUID();
    this.cancelled = false;
    this.become(status, reason);
  }

  /** A new state of one of its resources, with its event. */
  mark(entry: StackResource, status: string, reason?: string, properties?: Properties): void {
    entry.status = status;
    entry.statusReason = reason;
    entry.changed = new Date();
    this.#event({ ...entry, status, reason, properties });
  }

  #event(event: {
    readonly logicalId: string;
    readonly physicalId: string;
    readonly type: string;
    readonly status: string;
    readonly reason: string | undefined;
    readonly properties?: Properties | undefined;
  }): void {
    const { logicalId, physicalId, type, status, reason, properties } = event;
    this.events.push({
      id: type === 'AWS::CloudFormation::Stack' ? randomUUID() : `${logicalId}-${status}-${randomUUID()}`,
      at: new Date(),
      logicalId,
      physicalId,
      type,
      status,
      reason,
      properties,
      operation: this.#operation,
    });
  }
}

/** Exports of a region's stacks, by name. */
export function exportsOf(
  stacks: readonly Stack[],
): ReadonlyMap<string, { readonly stack: Stack; readonly value: string }> {
  return new Map(
    stacks.flatMap((stack) =>
      stack.outputs.flatMap(({ exportName, value }) =>
        exportName === undefined ? [] : [[exportName, { stack, value }] as const],
      ),
    ),
  );
}
