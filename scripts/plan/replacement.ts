import { isDeepStrictEqual } from 'node:util';
import { type Certainty, weaker } from './effect-types.ts';
import { replacedFor } from './fate.ts';
import { type OutputReference, type References, referencesOf } from './references.ts';
import { isDecidedOtherwise, type Resolved } from './resolve.ts';

/** Whether an output of another stack gets another value; null where it doesn't. */
export type OutputChange = (reference: OutputReference) => Certainty | null;

/** A property that has another value than before. */
export interface PropertyChange {
  readonly property: string;
  readonly certainty: Certainty;
  /** What it takes the value from; null where its own text changes. */
  readonly because: string | null;
}

export interface ResourceChange {
  readonly changes: readonly PropertyChange[];
  /** The one that makes the resource anew; of several, one that does so for certain. */
  readonly replacement: PropertyChange | null;
}

interface Candidate {
  readonly id: string;
  readonly type: string;
  readonly properties: readonly {
    readonly name: string;
    /** Null where it is the same text. */
    readonly differs: Certainty | null;
    readonly references: References;
  }[];
}

/**
 * Per logical id, of resources that are in both: what changes, and what is made anew. Goes over them until nothing is found any more, for
 * what refers to a resource that is made anew has another value too, and may be made anew for it.
 */
export function changesOf(
  before: Resolved,
  after: Resolved,
  outputChange: OutputChange,
): ReadonlyMap<string, ResourceChange> {
  const candidates = candidatesOf(before, after);
  const found = new Map<string, ResourceChange>();
  const valueOf: ValueChange = (references) => changeOfValue(references, found, outputChange);
  for (let isStable = false; !isStable;) {
    isStable = true;
    for (const candidate of candidates) {
      const next = changeOf(candidate, valueOf);
      if (isDeepStrictEqual(next, found.get(candidate.id) ?? UNCHANGED)) continue;
      found.set(candidate.id, next);
      isStable = false;
    }
  }
  return found;
}

const UNCHANGED: ResourceChange = { changes: [], replacement: null };

type ValueChange = (references: References) => Omit<PropertyChange, 'property'> | null;

function candidatesOf(before: Resolved, after: Resolved): readonly Candidate[] {
  return [...after.resources].flatMap(([id, { Type, Properties: next }]) => {
    const old = before.resources.get(id);
    if (old?.Type !== Type) return [];
    const names = [...new Set([...Object.keys(old.Properties), ...Object.keys(next)])].toSorted();
    const properties = names.map((name) => ({
      name,
      differs: differenceOf(old.Properties[name], next[name], before, after),
      references: referencesOf(next[name]),
    }));
    return [{ id, type: Type, properties }];
  });
}

function differenceOf(old: unknown, next: unknown, before: Resolved, after: Resolved): Certainty | null {
  if (!isDeepStrictEqual(old, next)) return 'certain';
  return isDecidedOtherwise(next, before.undecided, after.undecided) ? 'maybe' : null;
}

function changeOf({ type, properties }: Candidate, valueOf: ValueChange): ResourceChange {
  const changes = properties.flatMap(({ name, differs, references }): PropertyChange[] => {
    const change: Omit<PropertyChange, 'property'> | null =
      differs === null ? valueOf(references) : { certainty: differs, because: null };
    return change === null ? [] : [{ property: name, ...change }];
  });
  const replacements = changes.flatMap((change): PropertyChange[] => {
    const replaces = replacedFor(type, change.property);
    if (replaces === 'never') return [];
    const certainty = weaker(change.certainty, replaces === 'always' ? 'certain' : 'maybe');
    return [{ ...change, certainty }];
  });
  const replacement =
    replacements.find(({ certainty }) => certainty === 'certain') ?? replacements[0] ?? null;
  return { changes, replacement };
}

/** Whether what a value takes from elsewhere is another one now, though its own text is the same. */
function changeOfValue(
  { ids, outputs }: References,
  found: ReadonlyMap<string, ResourceChange>,
  outputChange: OutputChange,
): Omit<PropertyChange, 'property'> | null {
  let best: Omit<PropertyChange, 'property'> | null = null;
  const consider = (certainty: Certainty | null | undefined, because: string): void => {
    if (certainty === null || certainty === undefined) return;
    if (best === null || (best.certainty === 'maybe' && certainty === 'certain'))
      best = { certainty, because };
  };
  for (const id of ids) consider(found.get(id)?.replacement?.certainty, id);
  for (const reference of outputs)
    consider(outputChange(reference), `${reference.stack} ${reference.output}`);
  return best;
}

/** Names of outputs of both versions whose value is another one now. */
export function changedOutputs(
  before: Resolved,
  after: Resolved,
  changes: ReadonlyMap<string, ResourceChange>,
  outputChange: OutputChange,
): ReadonlyMap<string, Certainty> {
  const changed = new Map<string, Certainty>();
  for (const [name, value] of after.outputs) {
    if (!before.outputs.has(name)) continue;
    const certainty = isDeepStrictEqual(before.outputs.get(name), value)
      ? changeOfValue(referencesOf(value), changes, outputChange)?.certainty
      : 'certain';
    if (certainty !== undefined) changed.set(name, certainty);
  }
  return changed;
}
