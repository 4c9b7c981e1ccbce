import type { Json, Properties } from '../values.ts';

/** Parts of a name that were split at its dots; a leaf has a value. */
interface Node {
  value?: string;
  readonly children: Map<string, Node>;
}

/** What belongs to the protocol rather than to the call. */
const ENVELOPE = new Set(['Action', 'Version']);

/**
 * Parameters of a Query call as an object: `Tags.member.1.Key`, `Tags.Tag.1.Key` (a list whose entries have a name) and `Tags.1.Key` (a
 * flattened one) are all an entry of the list `Tags`; `X.entry.1.key` with `.value` is a map. Values stay texts. An empty list is sent as
 * an empty text, and stays one.
 * Source: "AWS query protocol", Smithy 2.0.
 *
 * With `named: false` lists whose entries have a name aren't looked for: EC2's protocol has flattened ones alone ("EC2 query protocol").
 */
export function parseForm(
  form: URLSearchParams,
  { named = true }: { readonly named?: boolean } = {},
): Properties {
  const root: Node = { children: new Map() };
  for (const [name, value] of form) if (!ENVELOPE.has(name)) insert(root, name, value);
  return objectOf(root, named);
}

function insert(root: Node, name: string, value: string): void {
  let node = root;
  for (const part of name.split('.')) {
    const child = node.children.get(part) ?? { children: new Map() };
    node.children.set(part, child);
    node = child;
  }
  node.value = value;
}

function valueOf(node: Node, named: boolean): Json {
  if (node.children.size === 0) return node.value ?? '';
  if (isList(node)) return listOf(node, named);
  const [only] = node.children;
  if (named && only !== undefined && node.children.size === 1 && isList(only[1]))
    return only[0] === 'entry' ? mapOf(only[1], named) : listOf(only[1], named);
  return objectOf(node, named);
}

function isList(node: Node): boolean {
  return node.children.size > 0 && [...node.children.keys()].every((name) => /^\d+$/.test(name));
}

function listOf(node: Node, named: boolean): readonly Json[] {
  return inOrder(node).map((entry) => valueOf(entry, named));
}

function mapOf(node: Node, named: boolean): Properties {
  const entries = inOrder(node).map(({ children }): [string, Json] => {
    const value = children.get('value');
    return [children.get('key')?.value ?? '', value === undefined ? '' : valueOf(value, named)];
  });
  return Object.fromEntries(entries);
}

/** Entries are numbered from 1; 10 comes after 9. */
function inOrder(node: Node): readonly Node[] {
  return [...node.children].toSorted(([a], [b]) => Number(a) - Number(b)).map(([, entry]) => entry);
}

function objectOf(node: Node, named: boolean): Properties {
  return Object.fromEntries([...node.children].map(([name, child]) => [name, valueOf(child, named)]));
}
