import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Change } from '../domain/change.ts';
import type { FeedPoll } from '../domain/feed.ts';
import type { Epoch } from '../domain/revision.ts';
import { FeedPosition } from './feed-position.ts';

const EPOCH: Epoch = { counter: 1, id: 'aaaaaaaa' };

/**
 * A writer and its standby, as far as the feed is concerned: transactions take ids when they begin, write rows, and end in any
 * order; a snapshot shows what has committed; the heartbeat shows the oldest transaction still open.
 */
class Database {
  epoch = EPOCH;
  prunedBelow = 0n;
  /** Miscounts, where a test wants a database that doesn't behave. */
  miscount = 0;
  #nextXid = 100n;
  #nextSeq = 1n;
  #open = new Map<bigint, Change[]>();
  #committed: Change[] = [];
  #watermark = 100n;
  #below = 0;

  begin(): bigint {
    const xid = this.#nextXid++;
    this.#open.set(xid, []);
    return xid;
  }

  write(xid: bigint): void {
    this.#open.get(xid)?.push({ seq: this.#nextSeq++, xid, kind: 'probe', id: String(xid), hash: null });
  }

  end(xid: bigint, commit: boolean): void {
    if (commit) this.#committed.push(...(this.#open.get(xid) ?? []));
    this.#open.delete(xid);
  }

  beat(): void {
    const watermark = [...this.#open.keys()].reduce((low, xid) => (xid < low ? xid : low), this.#nextXid);
    this.#below += this.#committed.filter((c) => c.xid >= this.#watermark && c.xid < watermark).length;
    this.#watermark = watermark;
  }

  takeOver(epoch: Epoch): void {
    this.epoch = epoch;
    this.#open.clear();
    this.#committed = [];
    this.#watermark = this.#nextXid;
    this.#below = 0;
  }

  poll(position: FeedPosition): FeedPoll {
    const from = position.watermark ?? this.#watermark;
    return {
      heartbeat: {
        epoch: this.epoch,
        region: 'home',
        beatAtMs: 0,
        watermark: this.#watermark,
        changesBelowWatermark: this.#below + this.miscount,
        prunedBelow: this.prunedBelow,
      },
      readerClockMs: 0,
      changes: this.#committed.filter((change) => change.xid >= from),
    };
  }

  get committed(): readonly Change[] {
    return this.#committed;
  }
}

type Action =
  | { readonly do: 'begin' | 'beat' | 'poll' }
  | { readonly do: 'write' | 'commit' | 'rollback'; readonly which: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Action>({ do: 'begin' }, { do: 'beat' }, { do: 'poll' }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('write', 'commit', 'rollback'), which: fc.nat(20) }),
  },
);

test('however transactions interleave, each committed row is delivered once, and its revision is known as applied', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const database = new Database();
      const position = new FeedPosition();
      const delivered: bigint[] = [];
      const open: bigint[] = [];
      const poll = (): void => {
        const step = position.apply(database.poll(position));
        if (step.kind === 'changes') delivered.push(...step.changes.map((change) => change.seq));
        else expect(step.kind).toBe('epoch');
      };
      poll();
      for (const one of actions) {
        if (one.do === 'begin') open.push(database.begin());
        else if (one.do === 'beat') database.beat();
        else if (one.do === 'poll') poll();
        else if ('which' in one) {
          const xid = open[one.which % Math.max(1, open.length)];
          if (xid === undefined) continue;
          if (one.do === 'write') database.write(xid);
          else {
            database.end(xid, one.do === 'commit');
            open.splice(open.indexOf(xid), 1);
          }
        }
      }
      poll();
      const expected = database.committed.map((change) => change.seq);
      expect(delivered.toSorted(byValue)).toEqual(expected.toSorted(byValue));
      for (const { xid } of database.committed) expect(position.hasApplied({ epoch: EPOCH, xid })).toBe(true);
      for (const xid of open) expect(position.hasApplied({ epoch: EPOCH, xid })).toBe(false);
    }),
  );
});

test('another number of rows than home counted is noticed, also over heartbeats that were not seen', () => {
  const database = new Database();
  const position = new FeedPosition();
  position.apply(database.poll(position));
  for (let round = 0; round < 3; round += 1) {
    const xid = database.begin();
    database.write(xid);
    database.end(xid, true);
    database.beat();
  }
  database.miscount = 1;
  const step = position.apply(database.poll(position));
  expect(step).toEqual({ kind: 'distrust', reason: 'the feed showed 3 rows where home counted 4' });
  database.miscount = 1;
  expect(position.apply(database.poll(position))).toEqual({ kind: 'changes', changes: [] });
});

test('rows pruned before they were read are noticed', () => {
  const database = new Database();
  const position = new FeedPosition();
  position.apply(database.poll(position));
  database.prunedBelow = 200n;
  expect(position.apply(database.poll(position)).kind).toBe('distrust');
});

test('another epoch starts over at the new watermark, an older one is not used', () => {
  const database = new Database();
  const position = new FeedPosition();
  position.apply(database.poll(position));
  const revision = { epoch: EPOCH, xid: 100n };
  database.takeOver({ counter: 2, id: 'bbbbbbbb' });
  expect(position.apply(database.poll(position))).toEqual({
    kind: 'epoch',
    epoch: { counter: 2, id: 'bbbbbbbb' },
    changes: [],
  });
  expect(position.hasApplied(revision)).toBe(false);
  database.epoch = EPOCH;
  expect(position.apply(database.poll(position)).kind).toBe('behind');
});

test('of two regions that took over with the same counter every task follows the same one', () => {
  const low = { counter: 2, id: 'aaaaaaab' };
  const high = { counter: 2, id: 'zzzzzzzz' };
  const database = new Database();
  const position = new FeedPosition();
  database.epoch = low;
  position.apply(database.poll(position));
  database.epoch = high;
  expect(position.apply(database.poll(position)).kind).toBe('epoch');
  database.epoch = low;
  expect(position.apply(database.poll(position)).kind).toBe('behind');
});

test('a reader that lacks a row which was applied already can’t be continued on', () => {
  const ahead = new Database();
  const position = new FeedPosition();
  position.apply(ahead.poll(position));
  const behind = ahead.poll(position);
  const xid = ahead.begin();
  ahead.write(xid);
  ahead.end(xid, true);
  position.apply(ahead.poll(position));
  expect(position.canContinueOn(behind)).toBe(false);
  expect(position.canContinueOn(ahead.poll(position))).toBe(true);
});

function byValue(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
