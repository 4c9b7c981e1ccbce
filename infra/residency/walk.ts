import { textsOf } from './evaluate.ts';
import { intrinsicOf, isList, isObject, type Json, type JsonObject, type StackFacts } from './template.ts';

/** Where a text stands, as far as it matters to what it may say. */
export interface Surroundings {
  /** In a statement of a policy that denies. */
  readonly denied: boolean;
  /** Namespace of the metrics of the dashboard's widget around it; null where there is none, or more than one. */
  readonly widgetNamespace: string | null;
}

/** Where a value stands while walking. */
interface Place extends Surroundings {
  /** It is a statement, or one of the statements, of a policy's document. */
  readonly isStatement: boolean;
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

/** These put a text together: it is judged as a whole, in every way that it may come out. */
const MAKES_TEXT = new Set(['Fn::Join', 'Fn::Sub', 'Fn::Select']);

/** A property that holds a policy: `PolicyDocument`, `KeyPolicy`, `AssumeRolePolicyDocument`… */
const IN_POLICY = /Policy(?:Document)?(?:\/|$)/;

/** Visits everything in a part of a template: values, keys, functions; also what is inside a text that is JSON itself. */
export function walk(value: Json, facts: StackFacts, visitor: Visitor): void {
  const visit = (node: Json, path: string, place: Place): void => {
    if (typeof node === 'string' || typeof node === 'number') {
      seen(String(node), path, place);
      return;
    }
    if (isList(node)) {
      for (const [index, member] of node.entries()) visit(member, at(path, index), place);
    } else if (isObject(node)) {
      const [name, argument] = intrinsicOf(node) ?? [];
      if (name === undefined || argument === undefined) object(node, path, place);
      else intrinsic(name, argument, node, path, place);
    }
  };

  const seen = (text: string, path: string, place: Place): void => {
    const inner = /^\s*[{[]/.test(text) ? parsed(text) : null;
    if (inner !== null) visit(inner, path, place);
    else if (!visitor.isClaimed(path)) visitor.text(unescaped(text), path, place);
  };

  const object = (node: JsonObject, path: string, place: Place): void => {
    const isStatement = ['Effect', ...PRINCIPALS].some((key) => node[key] !== undefined);
    if (isStatement) visitor.statement(node, path);
    const inner: Place = {
      // What isn't literally refused may be allowed.
      denied: place.denied || (place.isStatement && node['Effect'] === 'Deny' && IN_POLICY.test(path)),
      widgetNamespace: namespaceOf(node) ?? place.widgetNamespace,
      isStatement: false,
    };
    for (const [key, member] of Object.entries(node)) {
      if (!visitor.isClaimed(path)) visitor.text(key, at(path, key), { ...place, denied: inner.denied });
      if (isStatement && PRINCIPALS.has(key)) continue;
      visit(member, at(path, key), { ...inner, isStatement: key === 'Statement' });
    }
  };

  const intrinsic = (name: string, argument: Json, node: Json, path: string, place: Place): void => {
    visitor.intrinsic(name, argument, path);
    // A reference is to something in this template, and so is judged there.
    if (name === 'Ref' || name === 'Fn::GetAtt' || JUDGED_AS_A_WHOLE.has(name)) return;
    const texts = MAKES_TEXT.has(name) ? textsOf(node, facts) : null;
    if (texts === null) {
      visit(argument, at(path, name), place);
      return;
    }
    for (const text of new Set(texts)) seen(text, path, place);
    // The texts hold every known part; what is left to look at are the functions among them.
    functionsIn(argument, at(path, name), place);
  };

  const functionsIn = (node: Json, path: string, place: Place): void => {
    const [name, argument] = intrinsicOf(node) ?? [];
    if (name !== undefined && argument !== undefined) {
      if (textsOf(node, facts) === null && name !== 'Fn::Split') {
        visit(node, path, place);
        return;
      }
      visitor.intrinsic(name, argument, path);
      if (JUDGED_AS_A_WHOLE.has(name)) return;
    }
    if (isList(node)) {
      for (const [index, member] of node.entries()) functionsIn(member, at(path, index), place);
    } else if (isObject(node)) {
      for (const [key, member] of Object.entries(node)) functionsIn(member, at(path, key), place);
    }
  };

  visit(value, '', { denied: false, widgetNamespace: null, isStatement: false });
}

/** The one namespace of a widget's metrics; null for what is no widget. Metrics are lists that begin with their namespace. */
function namespaceOf({ metrics, region, query }: JsonObject): string | null {
  // With a query, it shows a log, whatever metrics it names.
  if (!isList(metrics) || region === undefined || query !== undefined) return null;
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

/** JSON that a reference keeps from being read may still write a letter by its number. */
function unescaped(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
