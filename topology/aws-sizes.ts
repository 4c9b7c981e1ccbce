import { INSTANCE_SIZES } from './aws-offers.ts';
import type { Rule } from './check-rules.ts';

/** Amounts of memory that go with a number of vCPUs, and their words for a message. */
export interface MemoryChoice {
  readonly amountsMb: readonly number[];
  readonly allowed: string;
}

/**
 * By vCPUs of a task. Source: AWS's table "Task CPU and memory", last row of it included (32 vCPUs with three amounts):
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
 */
export const FARGATE_MEMORY_MB: ReadonlyMap<number, MemoryChoice> = new Map([
  [0.25, amounts(512, 1024, 2048)],
  [0.5, steps(1024, 4096, 1024)],
  [1, steps(2048, 8192, 1024)],
  [2, steps(4096, 16_384, 1024)],
  [4, steps(8192, 30_720, 1024)],
  [8, steps(16_384, 61_440, 4096)],
  [16, steps(32_768, 122_880, 8192)],
  [32, amounts(61_440, 122_880, 249_856)],
]);

/** AWS advises them for trials only, and a global database can't have them. */
const BURSTABLE = ['t3', 't4g'];
const FAMILIES = [...INSTANCE_SIZES.keys()].join(', ');

export const INSTANCE_CLASS: Rule = [
  (value) => value === 'serverless' || isInstanceClass(value),
  `serverless, or a size such as large or 4xlarge of ${FAMILIES}, for example r8g.large`,
];

/** The rule in words for this very value: of a known family it says which sizes there are. */
export function instanceClassRule(value: unknown): Rule {
  const [family = ''] = typeof value === 'string' ? value.split('.') : [];
  const sizes = INSTANCE_SIZES.get(family);
  const [isGood] = INSTANCE_CLASS;
  return sizes === undefined
    ? INSTANCE_CLASS
    : [
        isGood,
        `serverless, or for ${family} one of the sizes ${sizes.join(', ')}, for example ${family}.${sizes[0] ?? ''}`,
      ];
}

export function isBurstable(instanceClass: string): boolean {
  return BURSTABLE.some((family) => instanceClass.startsWith(`${family}.`));
}

function isInstanceClass(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const [family = '', size = '', ...rest] = value.split('.');
  return rest.length === 0 && (INSTANCE_SIZES.get(family)?.includes(size) ?? false);
}

function amounts(...amountsMb: readonly number[]): MemoryChoice {
  return { amountsMb, allowed: `one of ${amountsMb.join(', ')}` };
}

function steps(least: number, most: number, step: number): MemoryChoice {
  const amountsMb = Array.from({ length: (most - least) / step + 1 }, (_, index) => least + index * step);
  return { amountsMb, allowed: `${least} to ${most} in steps of ${step}` };
}
