import type { Pool } from 'pg';
import type { KeyHash } from '../domain/brands.ts';
import type { Change, ChangeKind } from '../domain/change.ts';
import type { FeedPoll } from '../domain/feed.ts';
import type { Epoch, Revision } from '../domain/revision.ts';
import type { FeedReader } from './change-feed.ts';
import { RecordReader } from './record-reader.ts';

/** One statement, so that heartbeat and rows are of one snapshot. The heartbeat's columns repeat with each row. */
const POLL = `
  select h.epoch, h.epoch_id, h.region, extract(epoch from h.beat_at) * 1000, h.watermark::text,
    h.changes_below_watermark, h.pruned_below::text, extract(epoch from clock_timestamp()) * 1000,
    c.seq, c.xid::text, c.kind, c.id, encode(c.hash, 'hex')
  from heartbeat h
  left join changes c on c.epoch = h.epoch
    and c.xid >= case when h.epoch = $1 and h.epoch_id = $2 then $3::text::xid8 else h.watermark end`;

const CONTAINS = `
  select exists (
    select from changes c join epochs e on e.counter = c.epoch
    where c.epoch = $1 and e.id = $2 and c.xid = $3::text::xid8
  ) as present`;

type PollRow = readonly [
  epoch: number,
  epochId: string,
  region: string,
  beatAtMs: string,
  watermark: string,
  changesBelowWatermark: string,
  prunedBelow: string,
  readerClockMs: string,
  ...change: readonly [seq: string | null, xid: string, kind: ChangeKind, id: string, hash: KeyHash | null],
];

/** The change feed on one database instance. `pool` is the feed's own, so that no other query delays a poll. */
export class PostgresFeedReader implements FeedReader {
  readonly name: string;
  readonly records: RecordReader;
  readonly #pool: Pool;
  readonly #recordsPool: Pool;

  constructor(options: { name: string; pool: Pool; recordsPool: Pool }) {
    this.name = options.name;
    this.#pool = options.pool;
    this.#recordsPool = options.recordsPool;
    this.records = new RecordReader(options.recordsPool);
  }

  async poll(from: { readonly epoch: Epoch; readonly xid: bigint } | null): Promise<FeedPoll | null> {
    const values = from === null ? [0, '', '0'] : [from.epoch.counter, from.epoch.id, String(from.xid)];
    const result = await this.#pool.query({ name: 'feed', text: POLL, values, rowMode: 'array' });
    // The row type above says what the statement selects.
    return toPoll(result.rows as unknown as readonly PollRow[]);
  }

  async contains(revision: Revision): Promise<boolean> {
    const { epoch, xid } = revision;
    const values = [epoch.counter, epoch.id, String(xid)];
    const result = await this.#recordsPool.query<{ present: boolean }>({
      name: 'contains',
      text: CONTAINS,
      values,
    });
    return result.rows[0]?.present === true;
  }
}

function toPoll(rows: readonly PollRow[]): FeedPoll | null {
  const [first] = rows;
  if (first === undefined) return null;
  const [epoch, epochId, region, beatAtMs, watermark, changesBelowWatermark, prunedBelow, readerClockMs] =
    first;
  const changes: Change[] = [];
  for (const row of rows) {
    const [, , , , , , , , seq, xid, kind, id, hash] = row;
    if (seq !== null) changes.push({ seq: BigInt(seq), xid: BigInt(xid), kind, id, hash });
  }
  return {
    heartbeat: {
      epoch: { counter: epoch, id: epochId },
      region,
      beatAtMs: Number(beatAtMs),
      watermark: BigInt(watermark),
      changesBelowWatermark: Number(changesBelowWatermark),
      prunedBelow: BigInt(prunedBelow),
    },
    readerClockMs: Number(readerClockMs),
    changes,
  };
}
