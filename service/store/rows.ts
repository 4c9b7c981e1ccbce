import type { ClientBase, Pool } from 'pg';
import { Problem } from '../domain/problem.ts';
import type { Epoch } from '../domain/revision.ts';
import type { Rows } from '../manage/ports.ts';
import { problemOf } from './failures.ts';

/** A pool or a client as the plain row reader that other capabilities ask for. Errors are the database's own. */
export function rowsOf(db: Pool | ClientBase): Rows {
  return {
    async query<Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
      const result = await db.query(text, [...values]);
      // The statement beside each call names the columns that its row type has.
      return result.rows as Row[];
    },
  };
}

/**
 * The home's rows, for management reads: on the region's own writer endpoint, and only while this task is at home. Refuses with
 * `Problem` `no_home` or `database_unavailable`.
 */
export function homeRows(pool: Pool, epoch: () => Epoch | null): Rows {
  const rows = rowsOf(pool);
  return {
    async query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]> {
      if (epoch() === null) {
        throw new Problem('no_home', 'This region is not the home of the zone.', { retryAfterS: 1 });
      }
      try {
        return await rows.query<Row>(text, values);
      } catch (error) {
        throw problemOf(error);
      }
    },
  };
}
