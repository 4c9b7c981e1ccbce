import { type Amount, count, largest, over, plus, times, whole } from './cost-amount.ts';
import type { BillWriter } from './cost-bill.ts';
import { countLines, eventLines } from './cost-data.ts';
import { GB, gbOf, HOURS, limited, type Load, MILLION, SECONDS } from './cost-load.ts';
import { firewallLines } from './cost-operations.ts';
import type { DesignName } from './cost-designs.ts';
import { DESIGNS } from './cost-designs.ts';

/** Requests per second that API Gateway takes in a region, and invocations at once that Lambda runs there, until AWS raises them. */
const API_REQUESTS_PER_SECOND = 10_000;
const LAMBDA_CONCURRENCY = 1000;
/** The most that a serverless cache can be given, a second. Source: "ECPUPerSecond" in the API reference of ElastiCache. */
const CACHE_UNITS_MAX = 15_000_000;
/** A key of DynamoDB that is replicated, with what goes along. */
const REPLICATED_BYTES = 1024;

/**
 * A region in which Lambda and DynamoDB do the same: read the key, count the use where it has a limit, record it where that is supposed,
 * answer. Keys are in a global table of the same regions, counters in a table or a cache of each region. No backups, no logs: what Keyhearth has beyond that is left out.
 */
export function serverlessLines(bill: BillWriter, load: Load, name: DesignName): void {
  const { zone, region, verifications, assumed } = load;
  const { front, isCached } = DESIGNS[name];
  const millions = over(verifications, MILLION);
  if (front !== 'url') {
    const price = front === 'http' ? 'httpApiMillion' : 'restApiMillion';
    bill.add(region, 'API Gateway', `${front.toUpperCase()} API`, millions, price);
  }
  // AWS WAF takes REST APIs, and neither HTTP APIs nor function URLs. Source: "AWS WAF Developer Guide", resources that it protects.
  if (front === 'rest') firewallLines(bill, load);
  bill.add(region, 'Lambda', 'invocations', millions, 'lambdaMillion');
  const seconds = over(times(verifications, lambdaMs(load, isCached)), count(1000, 'ms per s'));
  const memory = over(assumed('lambdaMemoryMb'), count(1024));
  bill.add(region, 'Lambda', 'GB-seconds', times(seconds, memory), 'lambdaGbSecond');
  bill.add(region, 'Lambda', 'logs', gbOf('logs', load, assumed('lambdaLogBytes')), 'vendedLogGb');
  tableLines(bill, load, name);
  counterLines(bill, load, name);
  bill.add(region, 'DynamoDB', 'storage', assumed('databaseGb'), 'dynamoGbMonth');
  // A function has one request at a time, so each event is a record of its own.
  if (zone.events.kind === 'firehose' && assumed('eventsPerVerification').value > 0) {
    eventLines(bill, load, count(1, 'event'));
  }
  const out = gbOf('answers', load, assumed('responseBytes'));
  bill.add(region, 'Data transfer', 'to the internet', out, 'internetGb');
  bill.add(region, 'KMS', 'key', count(1, 'key'), 'kmsKeyMonth');
  bill.add(region, 'CloudWatch', 'alarms', assumed('serverlessAlarms'), 'alarmMonth');
  // With one region there is nothing to choose from.
  if (zone.regions.length > 1) {
    bill.add(region, 'Route 53', 'health check', count(1, 'health check'), 'healthCheckMonth');
  }
}

/** What a zone has once. Queries for aliases of AWS's own endpoints cost nothing, by latency or not. */
export function serverlessZoneLines(bill: BillWriter): void {
  bill.add('zone', 'CloudWatch', 'dashboard', count(1, 'dashboard'), 'dashboardMonth');
}

/** Billed of an invocation on average; with nothing counted as it is, so that a formula says no more than there is. */
function lambdaMs({ assumed }: Load, isCached: boolean): Amount {
  const each = assumed(isCached ? 'cachedLambdaMs' : 'lambdaMs');
  const share = assumed('limitedShare');
  return share.value === 0 ? each : plus(each, times(share, assumed('countLambdaMs')));
}

/** A verification of a key that has a limit counts once, where the design has its counters. */
function counterLines(bill: BillWriter, load: Load, name: DesignName): void {
  const { region, rate, verifications, assumed } = load;
  const { isProvisioned, counters } = DESIGNS[name];
  if (counters === 'cache') {
    countLines(bill, load, limited(rate, load), count(CACHE_UNITS_MAX, 'at most'));
    return;
  }
  const units = assumed('writeUnitsPerCount');
  if (!isProvisioned) {
    const millions = over(limited(verifications, load), MILLION);
    bill.add(region, 'DynamoDB', 'counters', times(millions, units), 'dynamoWriteMillion');
    return;
  }
  const perSecond = times(limited(rate, load), units);
  if (assumed('limitedShare').value === 0) return;
  bill.add(region, 'DynamoDB', 'counters, provisioned', provisioned(perSecond, load), 'dynamoWriteUnitHour');
}

function tableLines(bill: BillWriter, load: Load, name: DesignName): void {
  const { region, rate, verifications, assumed } = load;
  const { isProvisioned, isCached } = DESIGNS[name];
  const reads = assumed(isCached ? 'cachedReadUnitsPerVerification' : 'readUnitsPerVerification');
  if (isProvisioned) {
    const read = provisioned(times(rate, reads), load);
    bill.add(region, 'DynamoDB', 'reads of keys, provisioned', read, 'dynamoReadUnitHour');
  } else {
    const millions = over(verifications, MILLION);
    bill.add(region, 'DynamoDB', 'reads of keys', times(millions, reads), 'dynamoReadMillion');
  }
  keyLines(bill, load, isProvisioned);
}

/**
 * Hours of the units that are provisioned for so many a second. Scaling keeps a part of them unused, and a table has one at least. Source:
 * "Amazon DynamoDB Developer Guide", "Managing throughput capacity automatically with DynamoDB auto scaling".
 */
function provisioned(perSecond: Amount, { assumed }: Load): Amount {
  const units = largest(count(1, 'at least'), whole(over(perSecond, assumed('provisionedUse'))));
  return times(units, HOURS);
}

/** Every region of a global table pays for each write to it. */
function keyLines(bill: BillWriter, load: Load, isProvisioned: boolean): void {
  const { zone, region, isOrigin, assumed } = load;
  const writes = times(assumed('keyWritesPerSecond'), SECONDS);
  const several = zone.regions.length > 1;
  const what = several && !isOrigin ? 'changes to keys, replicated' : 'changes to keys';
  if (isProvisioned) {
    const units = provisioned(assumed('keyWritesPerSecond'), load);
    bill.add(region, 'DynamoDB', `${what}, provisioned`, units, 'dynamoWriteUnitHour');
  } else {
    const price = several ? 'dynamoReplicatedWriteMillion' : 'dynamoWriteMillion';
    bill.add(region, 'DynamoDB', what, over(writes, MILLION), price);
  }
  if (!several || !isOrigin) return;
  const further = count(zone.regions.length - 1, 'further regions');
  const gb = over(times(writes, count(REPLICATED_BYTES, 'bytes'), further), GB);
  bill.add(region, 'Data transfer', 'replication of keys', gb, 'interRegionGb');
}

/** What AWS has to raise first. */
export function serverlessLimits(load: Load): readonly string[] {
  const { region, rate } = load;
  const atOnce = Math.ceil((rate.value * lambdaMs(load, false).value) / 1000);
  return [
    ...(rate.value > API_REQUESTS_PER_SECOND
      ? [`${region}: API Gateway takes ${API_REQUESTS_PER_SECOND} requests per second until AWS raises that`]
      : []),
    ...(atOnce > LAMBDA_CONCURRENCY
      ? [`${region}: ${atOnce} invocations at once; Lambda runs ${LAMBDA_CONCURRENCY} until AWS raises that`]
      : []),
  ];
}
