import { count, over, times } from './cost-amount.ts';
import type { BillWriter } from './cost-bill.ts';
import { GB, gbOf, type Load, MILLION, SECONDS } from './cost-load.ts';

/** What API Gateway's two kinds of API are called here. */
export type ApiKind = 'http' | 'rest';

/** Requests per second that API Gateway takes in a region, and invocations at once that Lambda runs there, until AWS raises them. */
const API_REQUESTS_PER_SECOND = 10_000;
const LAMBDA_CONCURRENCY = 1000;
/** A key of DynamoDB that is replicated, with what goes along. */
const REPLICATED_BYTES = 1024;

/**
 * A region in which API Gateway, Lambda and DynamoDB do the same: read the key, count the use, answer. Keys are in a global table of the
 * same regions, counters in a table of each region. No usage events, no logs, no cache: what Keyhearth has beyond that is left out here.
 */
export function serverlessLines(bill: BillWriter, load: Load, api: ApiKind): void {
  const { zone, region, verifications, assumed } = load;
  const millions = over(verifications, MILLION);
  bill.add(
    region,
    'API Gateway',
    `${api.toUpperCase()} API`,
    millions,
    api === 'http' ? 'httpApiMillion' : 'restApiMillion',
  );
  bill.add(region, 'Lambda', 'invocations', millions, 'lambdaMillion');
  const seconds = over(times(verifications, assumed('lambdaMs')), count(1000, 'ms per s'));
  const memory = over(assumed('lambdaMemoryMb'), count(1024));
  bill.add(region, 'Lambda', 'GB-seconds', times(seconds, memory), 'lambdaGbSecond');
  bill.add(region, 'Lambda', 'logs', gbOf('logs', load, assumed('lambdaLogBytes')), 'vendedLogGb');
  const reads = times(millions, assumed('readUnitsPerVerification'));
  bill.add(region, 'DynamoDB', 'reads of keys', reads, 'dynamoReadMillion');
  const writes = times(millions, assumed('writeUnitsPerVerification'));
  bill.add(region, 'DynamoDB', 'counters', writes, 'dynamoWriteMillion');
  keyLines(bill, load);
  bill.add(region, 'DynamoDB', 'storage', assumed('databaseGb'), 'dynamoGbMonth');
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

function keyLines(bill: BillWriter, { zone, region, isOrigin, assumed }: Load): void {
  const writes = times(assumed('keyWritesPerSecond'), SECONDS);
  const millions = over(writes, MILLION);
  const several = zone.regions.length > 1;
  if (several) {
    const what = isOrigin ? 'changes to keys' : 'changes to keys, replicated';
    bill.add(region, 'DynamoDB', what, millions, 'dynamoReplicatedWriteMillion');
  } else {
    bill.add(region, 'DynamoDB', 'changes to keys', millions, 'dynamoWriteMillion');
  }
  if (!several || !isOrigin) return;
  const further = count(zone.regions.length - 1, 'further regions');
  const gb = over(times(writes, count(REPLICATED_BYTES, 'bytes'), further), GB);
  bill.add(region, 'Data transfer', 'replication of keys', gb, 'interRegionGb');
}

/** What AWS has to raise first. */
export function serverlessLimits({ region, rate, assumed }: Load): readonly string[] {
  const atOnce = Math.ceil((rate.value * assumed('lambdaMs').value) / 1000);
  return [
    ...(rate.value > API_REQUESTS_PER_SECOND
      ? [`${region}: API Gateway takes ${API_REQUESTS_PER_SECOND} requests per second until AWS raises that`]
      : []),
    ...(atOnce > LAMBDA_CONCURRENCY
      ? [`${region}: ${atOnce} invocations at once; Lambda runs ${LAMBDA_CONCURRENCY} until AWS raises that`]
      : []),
  ];
}
