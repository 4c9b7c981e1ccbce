import { isDeepStrictEqual } from 'node:util';
import {
  isObject,
  isSecret,
  type Template,
  type TemplateParameter,
  type TemplateResource,
} from './template.ts';

/** Values of a stack's parameters, by name. */
export type Parameters = ReadonlyMap<string, string>;

export type ResolvedResource = TemplateResource & { readonly Properties: Properties };

/** Where a stack is; undefined where that isn't known. */
export interface Place {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
}

/** What conditions and mappings ask for that only CloudFormation can decide, by name. */
export interface Undecided {
  readonly conditions: ReadonlyMap<string, unknown>;
  readonly mappings: ReadonlyMap<string, unknown>;
}

/** A template with everything decided that its parameters, its place and its mappings decide. */
export interface Resolved {
  /** By logical id, without those whose condition is false. */
  readonly resources: ReadonlyMap<string, ResolvedResource>;
  /** Values by name. */
  readonly outputs: ReadonlyMap<string, unknown>;
  readonly undecided: Undecided;
}

export type Properties = Readonly<Record<string, unknown>>;

/** What a value that CloudFormation leaves out resolves to. */
const NOTHING = Symbol('AWS::NoValue');

/** Values that a template gives by itself. */
export function defaultsOf({ Parameters = {} }: Template): Parameters {
  return new Map(
    Object.entries(Parameters).flatMap(([name, { Default }]) =>
      Default === undefined ? [] : [[name, String(Default)]],
    ),
  );
}

/**
 * Puts parameters in their places, evaluates conditions and looks mappings up, so that two versions of a template compare by what they
 * ask for. What can't be known here stays as it is written: pseudo parameters but region and account, values from SSM, lists,
 * everything made from resources, and the values of parameters that aren't to be shown. What has a condition that can't be decided
 * counts as there.
 */
export function resolve(template: Template, parameters: Parameters, place: Place = {}): Resolved {
  const resolver = new Resolver(template, parameters, place);
  const present = ({ Condition }: { readonly Condition?: string }): boolean =>
    Condition === undefined || resolver.condition(Condition) !== false;
  const resources = Object.entries(template.Resources).filter(([, resource]) => present(resource));
  const outputs = Object.entries(template.Outputs ?? {}).filter(([, output]) => present(output));
  return {
    resources: new Map(
      resources.map(([id, resource]) => {
        const properties = resolver.value(resource.Properties ?? {});
        return [id, { ...resource, Properties: isObject(properties) ? properties : {} }];
      }),
    ),
    outputs: new Map(outputs.map(([name, { Value }]) => [name, resolver.value(Value)])),
    undecided: {
      conditions: new Map(
        Object.keys(template.Conditions ?? {})
          .filter((name) => resolver.condition(name) === undefined)
          .map((name) => [name, resolver.definition(name)]),
      ),
      mappings: new Map(Object.entries(template.Mappings ?? {})),
    },
  };
}

/** Whether a value has a choice left in it that isn't decided here, and that the other version of the template makes differently. */
export function isDecidedOtherwise(value: unknown, before: Undecided, after: Undecided): boolean {
  if (Array.isArray(value)) return value.some((one) => isDecidedOtherwise(one, before, after));
  if (!isObject(value)) return false;
  const { 'Fn::If': choice, 'Fn::FindInMap': lookUp } = value;
  const differs = (kind: keyof Undecided, name: unknown): boolean =>
    typeof name === 'string' && !isDeepStrictEqual(before[kind].get(name), after[kind].get(name));
  return (
    (Array.isArray(choice) && differs('conditions', choice[0])) ||
    (Array.isArray(lookUp) && differs('mappings', lookUp[0])) ||
    Object.values(value).some((inner) => isDecidedOtherwise(inner, before, after))
  );
}

class Resolver {
  readonly #conditions: Readonly<Record<string, unknown>>;
  readonly #mappings: Readonly<Record<string, unknown>>;
  readonly #values: Parameters;
  /** Of conditions that have been asked for; undefined inside for what can't be decided, and while one is being decided. */
  readonly #decided = new Map<string, boolean | undefined>();

  constructor(template: Template, values: Parameters, { account, region }: Place) {
    const { Parameters = {}, Conditions = {}, Mappings = {} } = template;
    this.#conditions = Conditions;
    this.#mappings = Mappings;
    this.#values = new Map([
      ...[...values].filter(([name]) => isPlain(Parameters[name])),
      ...(account === undefined ? [] : [['AWS::AccountId', account] as const]),
      ...(region === undefined ? [] : [['AWS::Region', region] as const]),
    ]);
  }

  /** Of a condition, with all in its place that is known and the conditions that it names. */
  definition(name: string, within: readonly string[] = []): unknown {
    const expand = (written: unknown): unknown => {
      if (Array.isArray(written)) return written.map(expand);
      if (!isObject(written)) return written;
      const { Condition: other } = written;
      if (typeof other === 'string' && !within.includes(other))
        return this.condition(other) ?? this.definition(other, [...within, name]);
      return Object.fromEntries(Object.entries(written).map(([key, inner]) => [key, expand(inner)]));
    };
    return expand(this.value(this.#conditions[name]));
  }

  condition(name: string): boolean | undefined {
    if (!this.#decided.has(name)) {
      this.#decided.set(name, undefined);
      this.#decided.set(name, this.#decide(this.#conditions[name]));
    }
    return this.#decided.get(name);
  }

  value(written: unknown): unknown {
    if (Array.isArray(written)) return written.map((one) => this.value(one)).filter((one) => one !== NOTHING);
    if (!isObject(written)) return written;
    const { Ref: name, 'Fn::If': choice, 'Fn::Sub': text, 'Fn::FindInMap': lookUp } = written;
    if (name === 'AWS::NoValue') return NOTHING;
    if (typeof name === 'string') return this.#values.get(name) ?? written;
    if (Array.isArray(choice) && typeof choice[0] === 'string') {
      const decision = this.condition(choice[0]);
      if (decision !== undefined) return this.value(choice[decision ? 1 : 2]);
    }
    if (typeof text === 'string') return this.#substituted(text);
    if (Array.isArray(lookUp)) {
      const found = this.#lookUp(lookUp.map((one) => this.value(one)));
      if (found !== undefined) return this.value(found);
    }
    const entries = Object.entries(written).map(([key, inner]): [string, unknown] => [
      key,
      this.value(inner),
    ]);
    return Object.fromEntries(entries.filter(([, inner]) => inner !== NOTHING));
  }

  /** A map's name and its two keys; undefined where one of them isn't known, or the map hasn't got it. */
  #lookUp([map, first, second]: readonly unknown[]): unknown {
    let at: unknown = this.#mappings;
    for (const key of [map, first, second]) {
      if (typeof key !== 'string' || !isObject(at) || !Object.hasOwn(at, key)) return undefined;
      at = at[key];
    }
    return at;
  }

  /** The text itself once nothing is left in it that only CloudFormation knows. */
  #substituted(text: string): unknown {
    const done = text.replaceAll(
      /\$\{([^!}][^}]*)\}/g,
      (whole, name: string) => this.#values.get(name.trim()) ?? whole,
    );
    return done.includes('${') ? { 'Fn::Sub': done } : done;
  }

  #decide(expression: unknown): boolean | undefined {
    if (!isObject(expression)) return undefined;
    const {
      Condition: name,
      'Fn::Equals': equals,
      'Fn::Not': not,
      'Fn::And': and,
      'Fn::Or': or,
    } = expression;
    if (typeof name === 'string') return this.condition(name);
    if (Array.isArray(equals)) return sameText(this.value(equals[0]), this.value(equals[1]));
    if (Array.isArray(not)) {
      const inner = this.#decide(not[0]);
      return inner === undefined ? undefined : !inner;
    }
    if (Array.isArray(and)) return this.#each(and, false);
    return Array.isArray(or) ? this.#each(or, true) : undefined;
  }

  /** One that is `settling` decides; otherwise all have to be known. */
  #each(expressions: readonly unknown[], settling: boolean): boolean | undefined {
    const decisions = expressions.map((one) => this.#decide(one));
    if (decisions.includes(settling)) return settling;
    return decisions.includes(undefined) ? undefined : !settling;
  }
}

/** Whose `Ref` is its value, and may be shown. */
function isPlain(parameter: TemplateParameter | undefined): boolean {
  const type = parameter?.Type ?? 'String';
  return parameter !== undefined && !isSecret(parameter) && (type === 'String' || type === 'Number');
}

/** `Fn::Equals` compares texts; undefined where one of them isn't known yet. */
function sameText(one: unknown, other: unknown): boolean | undefined {
  const isKnown = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);
  return isKnown(one) && isKnown(other) ? String(one) === String(other) : undefined;
}
