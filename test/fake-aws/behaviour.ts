import type { Json, Place, Properties } from './values.ts';
import type { Resource, World } from './world.ts';

/** Where and for whom something is made, changed or deleted. */
export interface Context {
  readonly world: World;
  readonly place: Place;
  /** The stack that asks; null where a call does. */
  readonly stack: { readonly id: string; readonly name: string } | null;
  /** Its name in the template; a call's own where no stack asks. Names that CloudFormation makes up contain it. */
  readonly logicalId: string;
}

export interface Made {
  /** Physical id. */
  readonly id: string;
  readonly attributes?: Properties;
  /** Tells later rules what is so. */
  readonly state?: ReadonlyMap<string, Json>;
}

/**
 * How one type of resource behaves, beyond what its schema says (required and unknown properties, values, lengths, what replaces: the
 * engine checks those by itself before it asks). Every rule names the page of AWS's documents that it comes from. What AWS wouldn't do
 * throws a `Refusal` with AWS's code and sentence, and changes nothing.
 */
export interface Behaviour {
  /** `AWS::EC2::Subnet`. */
  readonly type: string;
  /** `global`: an account has it once, whatever region's stack makes it. @default 'regional' */
  readonly scope?: 'global' | 'regional';
  /** May add other resources to the world (network interfaces, a log group). Adds nothing of its own type: the engine does. */
  create(context: Context, properties: Properties): Made;
  /** `resource.properties` are still the old ones. Returns attributes that change. @default takes the new properties */
  update?(context: Context, resource: Resource, properties: Properties): Properties | undefined;
  /**
   * Asked where only properties change whose change AWS's schema calls a replacement "conditionally" (the database's engine version and
   * such). `changed` names all that change. @default they replace
   */
  replaces?(resource: Resource, properties: Properties, changed: readonly string[]): boolean;
  /** Undoes what `create` added. @default nothing stands in its way */
  remove?(context: Context, resource: Resource): void;
  /** Keeps what is in it, before `remove`, where the deletion policy is `Snapshot`. @default the type has no snapshots */
  snapshot?(context: Context, resource: Resource): void;
  /** Polled after create and update until it is true, as CloudFormation stabilizes a resource. @default at once */
  stable?(context: Context, resource: Resource): boolean;
}
