import {
  intrinsicOf,
  isList,
  isObject,
  textOf,
  type Json,
  type JsonObject,
  type StackFacts,
} from './template.ts';

/** Where a text stands, as far as it matters to what it may say. */
export interface Surroundings {
  /** In a statement of a policy that denies. */
  readonly denied: boolean;
  /** Namespace of the metrics of the dashboard's widget around it; null where there is none, or more than one. */
  readonly widgetNamespace: string | null;
}

/** Called for what a walk meets. */
export interface Visitor {
  /** A text: a value, a key, or what parts are joined to. */
  readonly text: (text: string, path: string, around: Surroundings) => void;
  readonly intrinsic: (name: string, argument: Json, path: string) => void;
  /** A statement of a policy, wherever it stands. Its principals aren't visited as texts. */
  readonly statement: (statement: JsonObject, path: string) => void;
  /** Whether texts at this path are somebody else's to judge. */
  readonly isClaimed: (path: string) => boolean;
}

/** These functions name a stack, or an export, whose name may hold a region: rules of their own judge them as a whole. */
const JUDGED_AS_A_WHOLE = new Set(['Fn::GetStackOutput', 'Fn::ImportValue']);

const PRINCIPALS = new Set(['Principal', 'NotPrincipal']);

/** Visits everything in a part of a template: values, keys, functions; also what is inside a text that is JSON itself. */
export function walk(value: Json, facts: StackFacts, visitor: Visitor): void {
  const visit = (node: Json, path: string, around: Surroundings): void => {
    if (typeof node === 'string' || typeof node === 'number') {
      seen(String(node), path, around);
      return;
    }
    if (isList(node)) {
      for (const [index, member] of node.entries()) visit(member, at(path, index), around);
    } else if (isObject(node)) {
      const [name, argument] = intrinsicOf(node) ?? [];
      if (name === undefined || argument === undefined) object(node, path, around);
      else intrinsic(name, argument, node, path, around);
    }
  };

  const seen = (text: string, path: string, around: Surroundings): void => {
    const inner = text.startsWith('{') ? parsed(text) : null;
    if (inner !== null) visit(inner, path, around);
    else if (!visitor.isClaimed(path)) visitor.text(text, path, around);
  };

  const object = (node: JsonObject, path: string, around: Surroundings): void => {
    const isStatement = node['Effect'] === 'Allow' || node['Effect'] === 'Deny';
    if (isStatement) visitor.statement(node, path);
    const inner = {
      denied: around.denied || node['Effect'] === 'Deny',
      widgetNamespace: namespaceOf(node) ?? around.widgetNamespace,
    };
    for (const [key, member] of Object.entries(node)) {
      if (!visitor.isClaimed(path)) visitor.text(key, at(path, key), around);
      if (isStatement && PRINCIPALS.has(key)) continue;
      visit(member, at(path, key), inner);
    }
  };

  const intrinsic = (name: string, argument: Json, node: Json, path: string, around: Surroundings): void => {
    visitor.intrinsic(name, argument, path);
    // A reference is to something in this template, and so is judged there.
    if (name === 'Ref' || name === 'Fn::GetAtt' || JUDGED_AS_A_WHOLE.has(name)) return;
    const text = textOf(node, facts);
    if (text === null) {
      visit(argument, at(path, name), around);
      return;
    }
    seen(text, path, around);
    // The joined text holds every known part; what is left to look at are the functions among them.
    functionsIn(argument, at(path, name), around);
  };

  const functionsIn = (node: Json, path: string, around: Surroundings): void => {
    const [name] = intrinsicOf(node) ?? [];
    if (name !== undefined && textOf(node, facts) === null) visit(node, path, around);
    else if (isList(node)) {
      for (const [index, member] of node.entries()) functionsIn(member, at(path, index), around);
    } else if (isObject(node)) {
      for (const [key, member] of Object.entries(node)) functionsIn(member, at(path, key), around);
    }
  };

  visit(value, '', { denied: false, widgetNamespace: null });
}

/** The one namespace of a widget's metrics; null for what is no widget. Metrics are lists that begin with their namespace. */
function namespaceOf({ metrics, region }: JsonObject): string | null {
  if (!isList(metrics) || region === undefined) return null;
  const [first, ...others] = new Set(metrics.map((metric) => (isList(metric) ? metric[0] : null)));
  return typeof first === 'string' && others.length === 0 ? first : null;
}

function at(path: string, step: string | number): string {
  return path === '' ? String(step) : `${path}/${step}`;
}

function parsed(text: string): Json | null {
  try {
    // Whatever JSON.parse returns is of this type.
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
