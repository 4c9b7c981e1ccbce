import { createRequire } from 'node:module';
import type { Json } from '../values.ts';
import { plain } from './text.ts';

/** A node of a document, as far as it is read here; which members it has says what it is. */
interface Node {
  readonly tag?: string;
  readonly value?: Json;
  readonly items?: readonly (Node | { readonly key: Node; readonly value: Node | null } | null)[];
  /** What an alias stands for. */
  readonly source?: Node;
  readonly type?: string;
}

/** The reader of YAML that the CDK's library carries (version 1 of the package `yaml`), as far as it is used here. */
interface YamlReader {
  parseDocument(text: string): { readonly contents: Node | null; readonly errors: readonly Error[] };
}

/** Functions whose short form lacks the `Fn::` (`!Ref x` is `{"Ref": "x"}`). */
const WITHOUT_PREFIX = new Set(['Ref', 'Condition']);

/**
 * A template in YAML as the JSON that it stands for, short forms of functions written out.
 *
 * @throws Error where it isn't YAML
 */
export function readYaml(text: string): Json {
  const library = createRequire(createRequire(import.meta.url).resolve('aws-cdk-lib/package.json'));
  // The bundled package's types can't be reached from here; the members above are those of its version.
  const { contents, errors } = (library('yaml') as YamlReader).parseDocument(text);
  const [error] = errors;
  if (error !== undefined) throw error;
  return jsonOf(contents);
}

/** A tag that no schema knows stays on its node, while the value is read as if there were none. */
function jsonOf(node: Node | null): Json {
  if (node === null) return null;
  const value = plainValue(node);
  const name = /^!([A-Za-z]+)$/u.exec(node.tag ?? '')?.[1];
  if (name === undefined) return value;
  return { [WITHOUT_PREFIX.has(name) ? name : `Fn::${name}`]: value };
}

function plainValue(node: Node): Json {
  if (node.source !== undefined) return jsonOf(node.source);
  if (node.items === undefined) return node.value ?? null;
  const { items } = node;
  if (node.type === 'MAP' || node.type === 'FLOW_MAP') {
    return Object.fromEntries(
      items.flatMap((item) =>
        item !== null && 'key' in item ? [[plain(jsonOf(item.key)), jsonOf(item.value)]] : [],
      ),
    );
  }
  return items.flatMap((item) => (item !== null && 'key' in item ? [] : [jsonOf(item)]));
}
