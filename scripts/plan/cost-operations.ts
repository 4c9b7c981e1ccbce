import { type Amount, count, named, over, plus, times } from './cost-amount.ts';
import type { BillWriter } from './cost-bill.ts';
import { DAYS, GB, type Load, MILLION, MINUTES, SECONDS } from './cost-load.ts';

/** Metrics of the tasks of a region: always, and of verdicts, which cost only while there are any. A test counts them. */
const TASK_METRICS = { always: 31, verdicts: 8 } as const;
/** What a region has of each; a test counts them in the templates. */
const KEYS = 2;
const SECRETS = 2;
const FIREWALL_RULES = 2;
/** Metrics that alarms of a region look at; of those, for events that go to Firehose; and queries, which look at one of each instance. */
const ALARM_METRICS = { all: 32, ofEvents: 2, queries: 1, queriesOfReplication: 1 } as const;
/** Two rules of scaling, for each of which AWS makes an alarm above and one below. */
const SCALING_ALARMS = 4;

/** Keys, secrets, logs, metrics, alarms, images, firewall of a region. */
export function operationLines(bill: BillWriter, load: Load): void {
  const { region, assumed } = load;
  bill.add(region, 'KMS', 'keys', count(KEYS, 'keys'), 'kmsKeyMonth');
  bill.add(region, 'KMS', 'requests', over(assumed('kmsRequests'), count(10_000)), 'kmsTenThousand');
  bill.add(region, 'Secrets Manager', 'secrets', count(SECRETS, 'secrets'), 'secretMonth');
  bill.add(region, 'ECR', 'image', assumed('imageGb'), 'ecrGbMonth');
  logLines(bill, load);
  bill.add(region, 'CloudWatch', 'metrics', metrics(load), 'metricMonth');
  bill.add(region, 'CloudWatch', 'alarms', alarmMetrics(load), 'alarmMonth');
  firewallLines(bill, load);
}

/** A web ACL where the zone has one, before either side's way in. */
export function firewallLines(bill: BillWriter, load: Load): void {
  const { zone, region } = load;
  if (zone.firewall === null) return;
  bill.add(region, 'Firewall', 'web ACL', count(1, 'web ACL'), 'wafAclMonth');
  bill.add(region, 'Firewall', 'rules', count(FIREWALL_RULES, 'rules'), 'wafRuleMonth');
  bill.add(region, 'Firewall', 'requests', over(load.verifications, MILLION), 'wafMillion');
}

/** What a zone has once. Its public hosted zone is there before it. */
export function zoneLines(bill: BillWriter): void {
  bill.add('zone', 'CloudWatch', 'dashboard', count(1, 'dashboard'), 'dashboardMonth');
  bill.add('zone', 'Route 53', 'private names', count(1, 'hosted zone'), 'hostedZoneMonth');
}

/** GB that the tasks write, which go through an endpoint. */
export function taskLogGb({ tasks, assumed }: Load): Amount {
  return named('logs of tasks', over(times(tasks, assumed('taskLogBytesPerMinute'), MINUTES), GB), 'GB');
}

function logLines(bill: BillWriter, load: Load): void {
  const { zone, region, tasks, here, assumed } = load;
  const insights = named(
    'logs of Container Insights',
    over(times(tasks, assumed('insightsLogBytesPerMinute'), MINUTES), GB),
    'GB',
  );
  const instances = count(here.size.databaseInstances, 'instances');
  const database = named(
    'logs of the database',
    over(times(instances, assumed('databaseLogBytesPerMinute'), MINUTES), GB),
    'GB',
  );
  const written = named('logs', plus(taskLogGb(load), insights, database), 'GB');
  bill.add(region, 'CloudWatch', 'logs', written, 'logIngestGb');
  const flows = flowLogGb(load);
  bill.add(region, 'CloudWatch', 'flow logs', flows, 'vendedLogGb');
  const kept = times(plus(written, flows), assumed('logCompression'));
  const days = over(count(zone.retention.logDays, 'days'), DAYS);
  bill.add(region, 'CloudWatch', 'logs kept', times(kept, days), 'logStorageGbMonth');
}

/**
 * A flow is one direction, so each end of a connection writes two records: when it is new, and in each minute in which it is open, for
 * instances of the Nitro system aggregate over a minute at most. Source: "Amazon VPC User Guide", "Flow log records".
 */
function flowLogGb({ rate, assumed }: Load): Amount {
  const opened = named('new connections', times(rate, assumed('newConnectionShare'), SECONDS));
  const open = over(rate, assumed('verificationsPerOpenConnection'));
  const seen = named('open connections seen', times(open, MINUTES));
  const bytes = times(plus(opened, seen), count(2, 'ends'), count(2, 'directions'), assumed('flowLogBytes'));
  return named('flow logs', over(bytes, GB), 'GB');
}

function metrics({ verifications, assumed }: Load): Amount {
  const verdicts = verifications.value > 0 ? TASK_METRICS.verdicts : 0;
  return plus(count(TASK_METRICS.always + verdicts, 'of the tasks'), assumed('insightsMetrics'));
}

function alarmMetrics({ zone, here }: Load): Amount {
  const events = zone.events.kind === 'firehose' ? 0 : ALARM_METRICS.ofEvents;
  const queries = ALARM_METRICS.queries + (zone.regions.length > 1 ? ALARM_METRICS.queriesOfReplication : 0);
  return plus(
    count(ALARM_METRICS.all - events, 'metrics'),
    times(count(queries, 'queries'), count(here.size.databaseInstances, 'instances')),
    count(SCALING_ALARMS, 'of scaling'),
  );
}
