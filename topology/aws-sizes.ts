import { text, type Rule } from './check-rules.ts';

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

/**
 * Families of Aurora PostgreSQL's instance classes, without r4, which ended with PostgreSQL 12. Which of them a region offers is AWS's to say.
 * Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.DBInstanceClass.Types.html
 */
const MEMORY_OPTIMIZED = ['r5', 'r6g', 'r6gd', 'r6i', 'r6id', 'r7g', 'r7i', 'r8g', 'r8gd', 'x2g'];
/** AWS advises them for trials only, and a global database can't have them. */
const BURSTABLE = ['t3', 't4g'];

const SIZES = '(?:medium|large|[0-9]*xlarge)';

export const INSTANCE_CLASS: Rule = text(
  new RegExp(`^(?:serverless|(?:${[...MEMORY_OPTIMIZED, ...BURSTABLE].join('|')})\\.${SIZES})$`),
  `serverless, or a size such as large or 4xlarge of ${[...MEMORY_OPTIMIZED, ...BURSTABLE].join(', ')}, for example r8g.large`,
);

export function isBurstable(instanceClass: string): boolean {
  return BURSTABLE.some((family) => instanceClass.startsWith(`${family}.`));
}

function amounts(...amountsMb: readonly number[]): MemoryChoice {
  return { amountsMb, allowed: `one of ${amountsMb.join(', ')}` };
}

function steps(least: number, most: number, step: number): MemoryChoice {
  const amountsMb = Array.from({ length: (most - least) / step + 1 }, (_, index) => least + index * step);
  return { amountsMb, allowed: `${least} to ${most} in steps of ${step}` };
}
