import { INSTANCE_SIZES, offersInstanceClass } from './aws-offers.ts';
import { isAwsRegion, type AwsRegion } from './aws-regions.ts';
import { FARGATE_MEMORY_MB, instanceClassRule, isBurstable } from './aws-sizes.ts';
import { resolveSize, SIZE_RULES, type Resolved, type ResolvedSize } from './resolved-size.ts';
import {
  checkObject,
  isFields,
  oneOf,
  checkValue,
  show,
  type Fields,
  type RegionNames,
  type Report,
} from './check-rules.ts';

/** Instances of a cluster; in a global database every other region costs the writer's cluster one of them. */
const MAX_DATABASE_INSTANCES = 16;
/** Twice the clients at most make twice the load, and a processor has 100 %. */
const MAX_CPU_TARGET_TO_ABSORB = 50;

/**
 * The sizes of a zone: every field as it is written, then what each region gets once defaults are in. A problem of a region's whole is
 * reported where the topology says it, and once if all regions have it from the same place.
 */
export function checkSizes(zone: Fields, names: RegionNames, report: Report): void {
  const { regions } = names;
  checkWritten(zone['sizes'], names, report);
  const seen = new Set<string>();
  const once: Report = (field, message) => {
    if (!seen.has(`${field}: ${message}`)) report(field, message);
    seen.add(`${field}: ${message}`);
  };
  const written = isFields(zone['sizes']) ? Object.keys(zone['sizes']) : [];
  // Sizes of what is no region of the zone are judged as well: the name may be what is wrong.
  const judged = new Set([...regions, ...written.filter((name) => name !== 'default')]);
  const sizes = new Map(
    (judged.size === 0 ? ['default'] : [...judged]).map((name) => [name, resolveSize(zone['sizes'], name)]),
  );
  for (const size of sizes.values()) {
    checkPairs(size, once);
    checkDatabase(size, regions.size - 1, once);
  }
  checkInstanceClasses(new Map([...sizes].filter(([name]) => regions.has(name))), report);
  const regionLoss = zone['regionLoss'];
  if (regionLoss !== undefined) checkValue(regionLoss, 'regionLoss', oneOf(['absorb', 'scale-out']), report);
  if (regionLoss === 'scale-out' || regions.size < 2) return;
  checkRegionLoss(new Map([...sizes].filter(([name]) => regions.has(name))), once);
}

function checkWritten(sizes: unknown, { regions, allowed }: RegionNames, report: Report): void {
  if (sizes === undefined) return;
  if (!isFields(sizes)) return report('sizes', `must be an object, is ${show(sizes)}`);
  for (const [key, size] of Object.entries(sizes)) {
    const field = `sizes.${key}`;
    if (key !== 'default' && !regions.has(key))
      report(field, `isn't in the zone; allowed are ${['default', ...allowed].join(', ')}`);
    const instanceClass = isFields(size) ? size['databaseInstanceClass'] : undefined;
    const rules = { ...SIZE_RULES, databaseInstanceClass: instanceClassRule(instanceClass) };
    checkObject(size, field, rules, report, { optional: true });
  }
}

function checkPairs({ numbers }: ResolvedSize, report: Report): void {
  checkOrder(numbers.get('minTasks'), numbers.get('maxTasks'), 'Tasks', report);
  checkOrder(numbers.get('databaseMinAcu'), numbers.get('databaseMaxAcu'), 'Acu', report);
  const memory = numbers.get('taskMemoryMb');
  const vcpu = numbers.get('taskVcpu');
  if (memory === undefined || vcpu === undefined) return;
  const choice = FARGATE_MEMORY_MB.get(vcpu.value);
  if (choice === undefined || choice.amountsMb.includes(memory.value)) return;
  const isMemoryNearer = memory.nearness >= vcpu.nearness;
  report(
    isMemoryNearer ? memory.field : vcpu.field,
    isMemoryNearer
      ? `${memory.value} doesn't go with taskVcpu ${origin(vcpu)}; Fargate allows ${choice.allowed}`
      : `${vcpu.value} doesn't go with taskMemoryMb ${origin(memory)}; Fargate allows ${choice.allowed}`,
  );
}

function checkOrder(
  least: Resolved<number> | undefined,
  most: Resolved<number> | undefined,
  what: 'Tasks' | 'Acu',
  report: Report,
): void {
  if (least === undefined || most === undefined || least.value <= most.value) return;
  const [minimum, maximum] =
    what === 'Tasks' ? ['minTasks', 'maxTasks'] : ['databaseMinAcu', 'databaseMaxAcu'];
  if (least.nearness >= most.nearness)
    report(least.field, `${least.value} is more than ${maximum}, ${origin(most)}`);
  else report(most.field, `${most.value} is less than ${minimum}, ${origin(least)}`);
}

function checkDatabase({ numbers, instanceClass }: ResolvedSize, replicas: number, report: Report): void {
  if (replicas < 1) return;
  if (instanceClass !== undefined && isBurstable(instanceClass.value)) {
    report(
      instanceClass.field,
      `${instanceClass.value} can't be part of a global database, which a zone of several regions has; take serverless or a memory-optimized class such as r8g.large`,
    );
  }
  const instances = numbers.get('databaseInstances');
  const most = MAX_DATABASE_INSTANCES - replicas;
  if (instances !== undefined && instances.value > most) {
    report(
      instances.field,
      `${instances.value} is more than the ${most} that home can have beside ${replicas} replicas, and every region can become home`,
    );
  }
}

/** Instance classes that regions don't have, each told once with all those regions. */
function checkInstanceClasses(sizes: ReadonlyMap<string, ResolvedSize>, report: Report): void {
  const lacking = new Map<string, { readonly value: string; readonly regions: AwsRegion[] }>();
  for (const [region, { instanceClass }] of sizes) {
    if (!isAwsRegion(region) || instanceClass === undefined) continue;
    const { value, field } = instanceClass;
    if (offersInstanceClass(region, value)) continue;
    const found = lacking.get(field) ?? { value, regions: [] };
    found.regions.push(region);
    lacking.set(field, found);
  }
  for (const [field, { value, regions }] of lacking) {
    const families = [...INSTANCE_SIZES.keys()].filter(
      (family) =>
        (sizes.size === 1 || !isBurstable(`${family}.`)) &&
        regions.every((region) => offersInstanceClass(region, family)),
    );
    report(
      field,
      `${value} isn't offered in ${regions.join(', ')}; take serverless or a class of ${families.join(', ')}`,
    );
  }
}

/**
 * The clients of a lost region go to the nearest other one at once, while tasks take minutes to start. So each must keep as many vCPUs as
 * the largest one.
 */
function checkRegionLoss(sizes: ReadonlyMap<string, ResolvedSize>, report: Report): void {
  const capacities = [...sizes].flatMap(([region, { numbers }]) => {
    const tasks = numbers.get('minTasks');
    const vcpu = numbers.get('taskVcpu');
    if (tasks === undefined || vcpu === undefined) return [];
    return [{ region, tasks: tasks.value, vcpu: vcpu.value, total: tasks.value * vcpu.value }];
  });
  const largest = capacities.toSorted((one, other) => other.total - one.total)[0];
  for (const { region, tasks, vcpu, total } of capacities) {
    if (largest === undefined || total >= largest.total) continue;
    const needed = Math.ceil(largest.total / vcpu);
    const isAboveMost = needed > (sizes.get(region)?.numbers.get('maxTasks')?.value ?? needed);
    report(
      `sizes.${region}.minTasks`,
      `${tasks} ${tasks === 1 ? 'task' : 'tasks'} of ${vcpu} vCPU can't absorb the loss of ${largest.region}, which keeps ${largest.tasks} of ${largest.vcpu}: its clients go to the next region at once; raise minTasks of ${region} to ${needed}${isAboveMost ? ' and maxTasks with it' : ''}, or set regionLoss: 'scale-out'`,
    );
  }
  for (const { numbers } of sizes.values()) {
    const target = numbers.get('cpuTargetPercent');
    if (target !== undefined && target.value > MAX_CPU_TARGET_TO_ABSORB) {
      report(
        target.field,
        `${target.value} leaves no room for the clients of a lost region, which may double the load; at most ${MAX_CPU_TARGET_TO_ABSORB}, or set regionLoss: 'scale-out'`,
      );
    }
  }
}

/** A value that a problem isn't reported at. */
function origin({ value, nearness }: Resolved<number>): string {
  return nearness === 0 ? `${value} (the default)` : String(value);
}
