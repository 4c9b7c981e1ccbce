/** Whether something happens for certain, or under conditions that AWS alone knows. */
export type Certainty = 'certain' | 'maybe';

/** What becomes of a resource that its stack hasn't got any more: it stays in AWS, goes, or goes and leaves a last snapshot. */
export type Fate = 'kept' | 'deleted' | 'snapshot';

/** A resource of a template. */
export interface Touched {
  /** Its logical id. */
  readonly id: string;
  readonly type: string;
}

export interface Changed extends Touched {
  /** Names of the properties whose value changes. */
  readonly properties: readonly string[];
  readonly certainty: Certainty;
}

export interface Replaced extends Touched {
  /** The property that can't be changed in place. */
  readonly property: string;
  readonly certainty: Certainty;
  /** What the property takes its new value from: a resource of this stack, or `<stack> <output>`. Null where its own text changes. */
  readonly because: string | null;
  /** Of the one that there is. */
  readonly fate: Fate;
  /** The name that the template gives it and doesn't change: CloudFormation makes no second one of that name, and the update fails. */
  readonly fixedName: string | null;
}

export interface Removed extends Touched {
  /** `maybe` where it has a condition that only AWS can decide, and the condition is another one than before. */
  readonly certainty: Certainty;
  readonly fate: Fate;
  /** The name that the template gave it. One that is kept goes on holding it. */
  readonly name: string | null;
  /** Whether it is a member of something that has the data: an instance of an Aurora cluster. */
  readonly isMember: boolean;
}

/** Something that protects a resource, or how long its data is kept, and is less than before. */
export interface Weakened extends Touched {
  /** A sentence without its beginning and end. */
  readonly what: string;
}

/** Why CloudFormation takes none of an update. */
export type Refusal =
  | {
      readonly kind: 'value';
      readonly parameter: string;
      /** What the stack has kept; null where it isn't to be shown. */
      readonly kept: string | null;
      readonly allowed: readonly string[];
      /** The template's own explanation. */
      readonly why: string | null;
    }
  | { readonly kind: 'missing'; readonly parameter: string }
  | { readonly kind: 'type'; readonly id: string; readonly from: string; readonly to: string };

/** What CloudFormation would do to a stack that gets another template. Lists are in the order of the logical ids. */
export interface Effect {
  /** Where there are any, nothing else happens. */
  readonly refused: readonly Refusal[];
  readonly added: readonly Touched[];
  readonly changed: readonly Changed[];
  readonly replaced: readonly Replaced[];
  readonly removed: readonly Removed[];
  readonly weakened: readonly Weakened[];
  /** Types that AWS's schemas here don't know, each once: any change of such a resource may make it anew. */
  readonly unknownTypes: readonly string[];
  /** Names of outputs that get another value. */
  readonly outputs: ReadonlyMap<string, Certainty>;
}

export const NO_EFFECT: Effect = {
  refused: [],
  added: [],
  changed: [],
  replaced: [],
  removed: [],
  weakened: [],
  unknownTypes: [],
  outputs: new Map(),
};

/** The weaker of two. */
export function weaker(one: Certainty, other: Certainty): Certainty {
  return one === 'maybe' ? one : other;
}
