import { DEFAULT_SIZE } from './read.ts';
import type { RegionSize } from './types.ts';
import { INSTANCE_CLASS, FARGATE_MEMORY_MB } from './aws-sizes.ts';
import { isFields, oneOf, wholeNumber, type Fields, type Rule } from './check-rules.ts';

export type SizeField = keyof RegionSize;

/** Every field of a size by itself. */
export const SIZE_RULES: Readonly<Record<SizeField, Rule>> = {
  minTasks: wholeNumber(1, 1000),
  maxTasks: wholeNumber(1, 1000),
  taskVcpu: oneOf([...FARGATE_MEMORY_MB.keys()]),
  taskMemoryMb: wholeNumber(512, 249_856),
  requestsPerTask: wholeNumber(1, 100_000),
  cpuTargetPercent: wholeNumber(10, 90),
  databaseMinAcu: capacityUnits(0.5),
  // Aurora takes no less as a maximum.
  databaseMaxAcu: capacityUnits(1),
  databaseInstanceClass: INSTANCE_CLASS,
  databaseInstances: wholeNumber(1, 16),
};

// Object.keys is typed as string[]; the table has exactly these.
const SIZE_FIELDS = Object.keys(SIZE_RULES) as readonly SizeField[];

/** One field of a region's size once the zone's default and `DEFAULT_SIZE` are in, and who said so. */
export interface Resolved<T> {
  readonly value: T;
  /** Where the topology says it; the region's own field where nobody says anything. */
  readonly field: string;
  /** 2: for the region; 1: for the zone; 0: nobody. What is said nearer is what a problem is reported at. */
  readonly nearness: 0 | 1 | 2;
}

/** A region's size; fields that break their own rule are reported as such elsewhere and missing here. */
export interface ResolvedSize {
  readonly numbers: ReadonlyMap<SizeField, Resolved<number>>;
  readonly instanceClass: Resolved<string> | undefined;
}

/** `region` is a region, or `default` for what the zone says of all of them. `sizes` is what the topology has there, whatever it is. */
export function resolveSize(sizes: unknown, region: string): ResolvedSize {
  const numbers = new Map<SizeField, Resolved<number>>();
  let instanceClass: Resolved<string> | undefined;
  for (const name of SIZE_FIELDS) {
    const { value, ...place } = resolveField(sizes, region, name);
    const [isGood] = SIZE_RULES[name];
    if (!isGood(value)) continue;
    if (typeof value === 'number') numbers.set(name, { value, ...place });
    if (typeof value === 'string') instanceClass = { value, ...place };
  }
  return { numbers, instanceClass };
}

function resolveField(sizes: unknown, region: string, name: SizeField): Resolved<unknown> {
  const own = fieldsAt(sizes, region);
  const shared = fieldsAt(sizes, 'default');
  if (region !== 'default' && Object.hasOwn(own, name))
    return { value: own[name], field: `sizes.${region}.${name}`, nearness: 2 };
  if (Object.hasOwn(shared, name))
    return { value: shared[name], field: `sizes.default.${name}`, nearness: 1 };
  return { value: DEFAULT_SIZE[name], field: `sizes.${region}.${name}`, nearness: 0 };
}

function fieldsAt(sizes: unknown, key: string): Fields {
  const size = isFields(sizes) && Object.hasOwn(sizes, key) ? sizes[key] : undefined;
  return isFields(size) ? size : {};
}

function capacityUnits(least: number): Rule {
  return [
    (value) => typeof value === 'number' && Number.isInteger(value * 2) && value >= least && value <= 256,
    `${least} to 256 in steps of 0.5`,
  ];
}
