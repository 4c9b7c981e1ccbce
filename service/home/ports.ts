import type { Epoch } from '../domain/revision.ts';
import type { Rows } from '../manage/ports.ts';

/** The region's own writer endpoint. Errors are the database's, or `Problem` where a caller may be told of them. */
export interface Database extends Rows {
  /** Runs `work` in one transaction; whatever it throws rolls back. */
  transaction<T>(work: (rows: Rows) => Promise<T>): Promise<T>;
}

/** What the task's own feed last saw of the home. */
export interface FeedView {
  readonly epoch: Epoch;
  /** Home region, as its heartbeat says. */
  readonly region: string;
  readonly heartbeatAgeMs: number;
}

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
