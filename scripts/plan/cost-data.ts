import { processingUnitsOf } from '../../infra/cache-limits.ts';
import { type Amount, count, largest, named, over, plus, smallest, times, whole } from './cost-amount.ts';
import type { BillWriter } from './cost-bill.ts';
import { DAYS, GB, HOURS, limited, type Load, MILLION, MINUTES, SECONDS } from './cost-load.ts';

/** Firehose bills each record as a multiple of so many bytes. Source: "Amazon Data Firehose pricing". */
const RECORD_BYTES = 5 * 1024;
/** An object is written after so many bytes, or after a minute (infra/constructs/event-stream.ts). */
const OBJECT_BYTES = 16 * 2 ** 20;

/** What a region keeps: database, counters, events. */
export function dataLines(bill: BillWriter, load: Load): void {
  instanceLines(bill, load);
  volumeLines(bill, load);
  cacheLines(bill, load);
  if (load.zone.events.kind === 'firehose') eventLines(bill, load, load.assumed('eventsPerRecord'));
}

/** Serverless instances at their minimum: verifications come from the tasks' memory. */
function instanceLines(bill: BillWriter, { region, here: { size }, assumed }: Load): void {
  const instances = count(size.databaseInstances, 'instances');
  if (size.databaseInstanceClass === 'serverless') {
    const each = largest(count(size.databaseMinAcu, 'ACU configured'), assumed('acuAtLeast'));
    const units = times(instances, each, HOURS);
    bill.add(region, 'Aurora', 'capacity units', units, 'auroraAcuHour');
    return;
  }
  const hours = times(instances, HOURS);
  bill.add(
    region,
    'Aurora',
    `instances db.${size.databaseInstanceClass}`,
    hours,
    `auroraHour ${size.databaseInstanceClass}`,
  );
}

/** Each region has a volume of its own. Home is where the origin is, until it moves: what it pays for writes moves with it. */
function volumeLines(bill: BillWriter, load: Load): void {
  const { zone, region, isOrigin, verifications, assumed } = load;
  const volume = assumed('databaseGb');
  bill.add(region, 'Aurora', 'storage', volume, 'auroraStorageGbMonth');
  const reads = named('reads', times(verifications, assumed('coldShare'), assumed('ioPerColdRead')));
  const writes = named('writes', times(assumed('writesPerSecond'), SECONDS, assumed('ioPerWrite')));
  const requests = isOrigin ? plus(reads, writes) : reads;
  bill.add(
    region,
    'Aurora',
    isOrigin ? 'reads and writes, as home' : 'reads',
    over(requests, MILLION),
    'auroraIoMillion',
  );
  if (!isOrigin) {
    bill.add(
      region,
      'Aurora',
      'writes replicated to here',
      over(writes, MILLION),
      'auroraReplicatedWriteMillion',
    );
  }
  const days = count(zone.retention.backupDays - 1, 'days beyond the first');
  bill.add(
    region,
    'Aurora',
    'backups',
    times(volume, assumed('backupDailyShare'), days),
    'auroraBackupGbMonth',
  );
}

/** Tasks exchange what they count. */
function cacheLines(bill: BillWriter, load: Load): void {
  const { rate, here, assumed } = load;
  const exchanges = times(limited(rate, load), assumed('exchangesPerVerification'));
  countLines(bill, load, exchanges, count(processingUnitsOf(here.size), 'at most'));
}

/** Counters in ElastiCache Serverless for Valkey, with so many calls of a script a second and so many processing units at most. */
export function countLines(
  bill: BillWriter,
  { region, assumed }: Load,
  callsPerSecond: Amount,
  unitsPerSecondMax: Amount,
): void {
  const stored = largest(count(0.1, 'GB at least'), assumed('cacheGb'));
  bill.add(region, 'Valkey', 'storage', times(stored, HOURS), 'cacheGbHour');
  const perSecond = smallest(unitsPerSecondMax, times(callsPerSecond, assumed('ecpuPerExchange')));
  const units = over(times(perSecond, SECONDS), MILLION);
  bill.add(region, 'Valkey', 'processing units', units, 'cacheEcpuMillion');
}

/** GB of usage events in a month, before they are compressed. */
export function eventGb({ verifications, assumed }: Load): Amount {
  const bytes = times(verifications, assumed('eventsPerVerification'), assumed('eventBytes'));
  return named('events', over(bytes, GB), 'GB');
}

/** Usage events to S3, so many in a record of Firehose. */
export function eventLines(bill: BillWriter, load: Load, perRecord: Amount): void {
  const { zone, region, verifications, assumed } = load;
  const events = times(verifications, assumed('eventsPerVerification'));
  const records = named('records', over(events, perRecord));
  const recordBytes = times(perRecord, assumed('eventBytes'));
  const each = times(whole(over(recordBytes, count(RECORD_BYTES))), count(RECORD_BYTES, 'bytes'));
  bill.add(region, 'Firehose', 'events', over(times(records, each), GB), 'firehoseGb');
  const kept = named('compressed events', times(eventGb(load), assumed('eventCompression')), 'GB');
  const days = over(count(zone.retention.eventDays, 'days'), DAYS);
  bill.add(region, 'S3', 'events, once as many days are full', times(kept, days), 's3GbMonth');
  // Without events nothing is written.
  const minutes = events.value === 0 ? count(0, 'minutes') : MINUTES;
  const objects = largest(minutes, over(times(eventGb(load), GB), count(OBJECT_BYTES, 'bytes')));
  bill.add(region, 'S3', 'objects written', over(objects, count(1000)), 's3PutThousand');
}
