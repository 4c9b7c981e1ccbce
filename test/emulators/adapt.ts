/** A template, as far as adapting it goes. */
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
}

export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: string;
}

/** What of a template didn't reach an emulator as it is, and why. */
export interface LeftOut {
  /** A resource type, with the property after a colon where the resource stayed. */
  readonly what: string;
  readonly reason: string;
}

/** A hand-written change of templates for one emulator. Tests prove that the emulator still doesn't take what is changed. */
export interface Adaptation {
  /** A resource type; `*` for all. */
  readonly type: string;
  /** Dotted path of the property that is left out (or given another value); without one, the whole resource is. */
  readonly property?: string;
  /** Only resources that have this property. */
  readonly has?: string;
  readonly value?: unknown;
  /** Only for as long as this type is left out or unknown. */
  readonly follows?: string;
  /** A reference, `Ref` or the name of an attribute, and another one that CloudFormation's documents give the same value. */
  readonly reference?: { readonly from: string; readonly to: string };
  /** A deletion policy, and another one that comes to the same for a stack whose creation went well. */
  readonly deletionPolicy?: { readonly from: string; readonly to: string };
  readonly reason: string;
}

export interface AdaptOptions {
  readonly region: string;
  readonly account: string;
  readonly unknownTypes: ReadonlySet<string>;
  readonly adaptations: readonly Adaptation[];
  /** What was made through a service's own API, by the type of resource that it stands in for: what a reference to one becomes. */
  readonly standIns: ReadonlyMap<string, string>;
  /** The value of an output of a deployed stack; `null` where the stack is left out. Throws where the stack hasn't got it. */
  readonly output: (stack: string, region: string, name: string) => string | null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Makes of a template what an emulator can take: without resources that it doesn't know, with the changes written down for it, and with
 * a stand-in wherever something refers to what was left out. `Fn::GetStackOutput` becomes the deployed stack's real output.
 */
export class TemplateAdapter {
  readonly #options: AdaptOptions;
  #types: ReadonlyMap<string, string> = new Map();
  readonly #gone = new Map<string, string>();
  readonly #leftOut: LeftOut[] = [];

  constructor(options: AdaptOptions) {
    this.#options = options;
  }

  adapt(template: Template): { readonly template: Template; readonly leftOut: readonly LeftOut[] } {
    const kept: [string, Resource][] = [];
    this.#types = new Map(Object.entries(template.Resources).map(([id, { Type: type }]) => [id, type]));
    for (const [id, resource] of Object.entries(template.Resources)) {
      const reason = this.#reasonToLeaveOut(resource);
      if (reason === undefined) kept.push([id, resource]);
      else {
        this.#gone.set(id, resource.Type);
        this.#leftOut.push({ what: resource.Type, reason });
      }
    }
    const resources = kept.map(([id, resource]) => [id, this.#adaptResource(resource)] as const);
    const outputs = Object.entries(template.Outputs ?? {}).map(
      ([id, output]) => [id, this.#resolve(output, 'outputs')] as const,
    );
    return {
      template: {
        ...template,
        Resources: Object.fromEntries(resources),
        Outputs: Object.fromEntries(outputs),
      },
      leftOut: this.#leftOut,
    };
  }

  #reasonToLeaveOut({ Type: type, Properties: properties = {} }: Resource): string | undefined {
    if (this.#options.unknownTypes.has(type)) return 'the emulator doesn’t know the type';
    return this.#options.adaptations.find(
      (entry) =>
        isWholeResource(entry) &&
        entry.type === type &&
        (entry.has === undefined || Object.hasOwn(properties, entry.has)) &&
        (entry.follows === undefined || this.#isGone(entry.follows)),
    )?.reason;
  }

  #isGone(type: string): boolean {
    const { unknownTypes, adaptations } = this.#options;
    return (
      unknownTypes.has(type) || adaptations.some((entry) => isWholeResource(entry) && entry.type === type)
    );
  }

  #adaptResource(resource: Resource): Resource {
    const { DependsOn: dependencies = [], ...rest } = resource;
    let properties = resource.Properties;
    for (const { type, property, value, reason } of this.#options.adaptations) {
      if (type !== resource.Type || property === undefined || properties === undefined) continue;
      const changed = withProperty(properties, property.split('.'), value);
      if (changed === properties) continue;
      properties = changed;
      this.#leftOut.push({ what: `${type}: ${property}`, reason });
    }
    const policy = this.#policyOf(resource);
    const stillThere = [dependencies].flat().filter((id) => !this.#gone.has(id));
    // Of the CDK's shape still: resolving changes values only.
    const resolved = this.#resolve({ ...rest, ...policy, Properties: properties }, resource.Type) as Resource;
    return stillThere.length === 0 ? resolved : { ...resolved, DependsOn: stillThere };
  }

  #policyOf({ DeletionPolicy: policy }: Resource): Pick<Resource, 'DeletionPolicy'> {
    for (const { type, deletionPolicy, reason } of this.#options.adaptations) {
      if (deletionPolicy === undefined || deletionPolicy.from !== policy) continue;
      this.#leftOut.push({ what: `${type}: DeletionPolicy ${policy}`, reason });
      return { DeletionPolicy: deletionPolicy.to };
    }
    return policy === undefined ? {} : { DeletionPolicy: policy };
  }

  #resolve(value: unknown, holder: string, isSplit = false): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#resolve(item, holder, isSplit));
    if (!isRecord(value)) return value;
    const reference = value['Fn::GetStackOutput'];
    if (isRecord(reference)) return this.#outputOf(reference, holder, isSplit);
    const target = targetOf(value);
    const gone = target === undefined ? undefined : this.#gone.get(target.id);
    if (target !== undefined && gone !== undefined) {
      const real = this.#options.standIns.get(gone);
      this.#leftOut.push({
        what: `${holder}: refers to ${gone}`,
        reason: `a stand-in${real === undefined ? '' : ', made through the service’s own API'}`,
      });
      if (real !== undefined) return real;
      return this.#standIn(target.id, isSplit || /arn$/i.test(target.attribute ?? ''));
    }
    const other = target === undefined ? undefined : this.#otherReference(target);
    if (target !== undefined && other !== undefined) {
      this.#leftOut.push({ what: `${other.type}: ${other.from}`, reason: other.reason });
      return other.to === REF ? { Ref: target.id } : { 'Fn::GetAtt': [target.id, other.to] };
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, this.#resolve(item, holder, key === 'Fn::Split')]),
    );
  }

  #otherReference({ id, attribute = REF }: Target) {
    const type = this.#types.get(id);
    for (const { type: adapted, reference, reason } of this.#options.adaptations) {
      if (adapted === type && reference?.from === attribute) return { type, ...reference, reason };
    }
    return undefined;
  }

  #outputOf(reference: Readonly<Record<string, unknown>>, holder: string, isSplit: boolean): string {
    const { StackName: stack, OutputName: name, Region: region = this.#options.region } = reference;
    if (typeof stack !== 'string' || typeof name !== 'string' || typeof region !== 'string')
      throw new Error(`a reference to an output that isn't plain text: ${JSON.stringify(reference)}`);
    const found = this.#options.output(stack, region, name);
    if (found !== null) return found;
    this.#leftOut.push({
      what: `${holder}: refers to another stack`,
      reason: 'a stand-in, as the stack is left out',
    });
    return this.#standIn(name, isSplit || /arn/i.test(name));
  }

  /** An ARN has the colons and slashes that `Fn::Split` of a secret's, load balancer's or service's ARN needs. */
  #standIn(id: string, isArn: boolean): string {
    const { region, account } = this.#options;
    return isArn
      ? `arn:aws:left-out:${region}:${account}:left-out/of/this:${id}`
      : `left-out-${id.toLowerCase()}`;
  }
}

function isWholeResource({ property, reference, deletionPolicy }: Adaptation): boolean {
  return property === undefined && reference === undefined && deletionPolicy === undefined;
}

/** What a reference refers to; without an attribute it is a `Ref`. */
interface Target {
  readonly id: string;
  readonly attribute?: string;
}

const REF = 'Ref';

function targetOf(value: Readonly<Record<string, unknown>>): Target | undefined {
  const { Ref: ref, 'Fn::GetAtt': attribute } = value;
  if (typeof ref === 'string') return { id: ref };
  if (!Array.isArray(attribute)) return undefined;
  const [id, name] = attribute as readonly unknown[];
  return typeof id === 'string' && typeof name === 'string' ? { id, attribute: name } : undefined;
}

/** The properties without the one at `path`, or with `value` there; the same object where there is none. */
function withProperty(
  properties: Readonly<Record<string, unknown>>,
  [first, ...rest]: readonly string[],
  value: unknown,
): Readonly<Record<string, unknown>> {
  if (first === undefined || !Object.hasOwn(properties, first)) return properties;
  const old = properties[first];
  if (rest.length === 0) {
    const { [first]: _, ...others } = properties;
    return value === undefined ? others : { ...others, [first]: value };
  }
  if (Array.isArray(old)) {
    const items = (old as readonly unknown[]).map((item) =>
      isRecord(item) ? withProperty(item, rest, value) : item,
    );
    return items.every((item, index) => item === old[index]) ? properties : { ...properties, [first]: items };
  }
  if (!isRecord(old)) return properties;
  const changed = withProperty(old, rest, value);
  return changed === old ? properties : { ...properties, [first]: changed };
}
