import { isObject } from './template.ts';

/** An output of another stack that a template reads by `Fn::GetStackOutput`. */
export interface OutputReference {
  readonly stack: string;
  /** Undefined where it is the reader's own. */
  readonly region: string | undefined;
  readonly output: string;
}

export interface References {
  /** Logical ids (and names of parameters) of the same template. */
  readonly ids: ReadonlySet<string>;
  readonly outputs: readonly OutputReference[];
}

/** What a value in a template takes from elsewhere: by Ref, Fn::GetAtt, Fn::Sub and Fn::GetStackOutput, however deep. */
export function referencesOf(value: unknown): References {
  const ids = new Set<string>();
  const outputs: OutputReference[] = [];
  collect(value, ids, outputs);
  return { ids, outputs };
}

function collect(value: unknown, ids: Set<string>, outputs: OutputReference[]): void {
  if (Array.isArray(value)) for (const one of value) collect(one, ids, outputs);
  if (!isObject(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'Ref' && typeof inner === 'string') ids.add(inner);
    else if (key === 'Fn::GetAtt') ids.add(ownerOf(inner));
    else if (key === 'Fn::Sub') for (const id of idsInText(inner)) ids.add(id);
    else if (key === 'Fn::GetStackOutput' && isObject(inner)) outputs.push(outputOf(inner));
    collect(inner, ids, outputs);
  }
}

/** `[id, attribute]`, or both in one text with a dot between. */
function ownerOf(attribute: unknown): string {
  const text: unknown = Array.isArray(attribute) ? attribute[0] : attribute;
  return typeof text === 'string' ? (text.split('.', 1)[0] ?? text) : '';
}

/** `${Id}` and `${Id.Attribute}`; `${!Literal}` is none, nor is what the function's own map of variables defines. */
function idsInText(sub: unknown): readonly string[] {
  const [text, variables]: readonly unknown[] = Array.isArray(sub) ? sub : [sub, {}];
  if (typeof text !== 'string') return [];
  const own = isObject(variables) ? variables : {};
  return [...text.matchAll(/\$\{([^!}][^}]*)\}/g)]
    .map(([, name = '']) => name.trim().split('.', 1)[0] ?? '')
    .filter((id) => !Object.hasOwn(own, id));
}

function outputOf(reference: Readonly<Record<string, unknown>>): OutputReference {
  const text = (key: string): string => {
    const value = reference[key];
    return typeof value === 'string' ? value : '';
  };
  const region = reference['Region'];
  return {
    stack: text('StackName'),
    region: typeof region === 'string' ? region : undefined,
    output: text('OutputName'),
  };
}
