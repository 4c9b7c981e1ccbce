import type { KeyHash } from '../domain/brands.ts';
import type { RecordReads, SharedObject, SharedRef } from '../domain/records.ts';
import type { Epoch } from '../domain/revision.ts';
import type { TaskReport } from '../home/types.ts';

/** What a region says of itself to its peers. */
export interface PeerState {
  readonly region: string;
  readonly taskId: string;
  /** Highest epoch that the task knows; null before its first poll. */
  readonly epoch: Epoch | null;
}

/** A request as it is passed on. */
export interface PassedRequest {
  /** Path and query, e.g. `/v2/keys.createKey`. */
  readonly path: string;
  readonly body: string;
  /** The caller's own headers that go with it: authorization, idempotency-key, accept. */
  readonly headers: Readonly<Record<string, string>>;
  readonly clientAddress: string;
  readonly requestId: string;
}

export interface PassedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Private calls between the regions of a zone, each with a signature of time and nonce. Fails with `Problem`: `no_home` where the
 * call certainly was not applied (no connection), `outcome_unknown` where it was sent and no answer came.
 */
export interface Peers {
  /** Other regions of the zone. */
  readonly regions: readonly string[];
  state(region: string, signal: AbortSignal): Promise<PeerState>;
  pass(region: string, request: PassedRequest): Promise<PassedAnswer>;
  report(region: string, report: TaskReport, signal: AbortSignal): Promise<void>;
  stopped(region: string, taskId: string): Promise<void>;
  readRecords(region: string, hashes: readonly KeyHash[]): Promise<RecordReads>;
  readShared(region: string, refs: readonly SharedRef[]): Promise<readonly SharedObject[]>;
}
