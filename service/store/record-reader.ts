import type { Pool } from 'pg';
import type { KeyHash } from '../domain/brands.ts';
import { NO_FLOOR, type SnapshotFloor } from '../domain/feed.ts';
import { Problem } from '../domain/problem.ts';
import type { RecordReads, SharedKind, SharedObject, SharedRef } from '../domain/records.ts';
import type { RecordSource } from '../verify/ports.ts';
import { isShared, toRecordReads, toShared, type RecordRow } from './record-rows.ts';
import { READ_FIRST_WARM_PAGE, READ_NEXT_WARM_PAGE, READ_RECORDS, READ_SHARED } from './record-sql.ts';

/** Where the next warm page begins; opaque to callers. */
export interface WarmCursor {
  readonly createdAt: string;
  readonly keyId: string;
}

export interface WarmPage {
  readonly reads: RecordReads;
  /** Null: this was the last page. */
  readonly next: WarmCursor | null;
}

/**
 * Reads records on one database instance, by prepared statements, each of them one snapshot. Errors are the database's own,
 * and Problem `database_unavailable` for a snapshot below the floor, `revision_not_reached` where the floor names a revision.
 */
export class RecordReader implements RecordSource {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async readRecords(hashes: readonly KeyHash[], floor: SnapshotFloor = NO_FLOOR): Promise<RecordReads> {
    if (hashes.length === 0) return toRecordReads([]);
    const bytes = hashes.map((hash) => Buffer.from(hash, 'hex'));
    return toRecordReads(await this.#run('read records', READ_RECORDS, [bytes], floor));
  }

  async readShared(
    refs: readonly SharedRef[],
    floor: SnapshotFloor = NO_FLOOR,
  ): Promise<readonly SharedObject[]> {
    if (refs.length === 0) return [];
    const ids: Record<SharedKind, string[]> = {
      workspace: [],
      api: [],
      identity: [],
      role: [],
      permission: [],
      credits: [],
    };
    for (const { kind, id } of refs) ids[kind].push(id);
    const values = [ids.workspace, ids.api, ids.identity, ids.role, ids.permission, ids.credits];
    const objects: SharedObject[] = [];
    for (const row of await this.#run('read shared', READ_SHARED, values, floor)) {
      if (isShared(row)) objects.push(toShared(row));
    }
    return objects;
  }

  /**
   * A page of keys for filling an empty memory, newest first; the first page brings root keys as well. `limit` bounds the
   * number of each; 1–5000 keeps a page well below the statement's time limit.
   */
  async readWarmPage(
    after: WarmCursor | null,
    limit: number,
    floor: SnapshotFloor = NO_FLOOR,
  ): Promise<WarmPage> {
    const rows =
      after === null
        ? await this.#run('first warm page', READ_FIRST_WARM_PAGE, [limit], floor)
        : await this.#run(
            'next warm page',
            READ_NEXT_WARM_PAGE,
            [limit, after.createdAt, after.keyId],
            floor,
          );
    return { reads: toRecordReads(rows), next: nextCursor(rows, limit) };
  }

  async #run(
    name: string,
    text: string,
    values: readonly unknown[],
    floor: SnapshotFloor,
  ): Promise<RecordRow[]> {
    const result = await this.#pool.query({ name, text, values: [...values, ...floorValues(floor)] });
    // record-sql.ts and record-rows.ts say the same shape, one for the database and one for us.
    const rows = result.rows as RecordRow[];
    if (rows.some((row) => row.kind === 'floor' && !row.body.reached)) {
      if (floor.revision !== null) {
        const detail = 'This database instance doesn’t show the revision that was asked for.';
        throw new Problem('revision_not_reached', detail, { retryAfterS: 1 });
      }
      throw new Problem('database_unavailable', 'This database instance shows less than was seen already.', {
        retryAfterS: 1,
      });
    }
    return rows;
  }
}

function floorValues({ mark, revision }: SnapshotFloor): unknown[] {
  return [
    mark?.epoch.counter ?? null,
    mark?.epoch.id ?? null,
    mark === null ? null : String(mark.watermark),
    mark?.met ?? null,
    revision?.epoch.counter ?? null,
    revision?.epoch.id ?? null,
    revision === null ? null : String(revision.xid),
  ];
}

/** The union says nothing about order: the last key of the page is the one with the highest place. */
function nextCursor(rows: readonly RecordRow[], limit: number): WarmCursor | null {
  let count = 0;
  let lastPlace = 0;
  let last: WarmCursor | null = null;
  for (const row of rows) {
    if (row.kind !== 'key') continue;
    count += 1;
    if (row.body.place <= lastPlace) continue;
    lastPlace = row.body.place;
    last = { createdAt: row.body.createdAt, keyId: row.body.keyId };
  }
  return count < limit ? null : last;
}
