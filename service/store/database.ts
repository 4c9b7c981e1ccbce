import type { Pool } from 'pg';
import type { Database } from '../home/ports.ts';
import type { Rows } from '../manage/ports.ts';
import { isConnectionFailure, problemOf } from './failures.ts';
import { rowsOf } from './rows.ts';

/**
 * A pool as the plain database that the home's own bookkeeping (epochs, heartbeat, task status) works on. Not for management
 * writes: these are fenced and answer for a lost commit, see epoch-writer.ts.
 */
export function databaseOf(pool: Pool): Database {
  const rows = rowsOf(pool);
  return {
    async query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]> {
      try {
        return await rows.query<Row>(text, values);
      } catch (error) {
        throw problemOf(error);
      }
    },
    async transaction<T>(work: (transaction: Rows) => Promise<T>): Promise<T> {
      try {
        return await inTransaction(pool, work);
      } catch (error) {
        throw problemOf(error);
      }
    },
  };
}

async function inTransaction<T>(pool: Pool, work: (transaction: Rows) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // While a connection is checked out, nobody but us hears of its end; the query that is under way fails with it as well.
  const onError = (): void => {};
  client.on('error', onError);
  let broken = false;
  try {
    await client.query('begin');
    try {
      const value = await work(rowsOf(client));
      await client.query('commit');
      return value;
    } catch (error) {
      broken = isConnectionFailure(error);
      if (!broken) {
        await client.query('rollback').catch(() => {
          broken = true;
        });
      }
      throw error;
    }
  } catch (error) {
    broken ||= isConnectionFailure(error);
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}
