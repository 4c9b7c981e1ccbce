import type { KeyHash } from '../domain/brands.ts';
import type { SnapshotFloor } from '../domain/feed.ts';
import type { RecordReads, SharedObject, SharedRef } from '../domain/records.ts';
import type { Epoch } from '../domain/revision.ts';
import type { JoinFloor, TaskReport } from '../home/types.ts';
import type { Draw, Drawn, Settled, Settlement } from '../verify/ports.ts';

/** What a region says of itself to its peers. */
export interface PeerState {
  readonly region: string;
  readonly taskId: string;
  /** Highest epoch that the task knows; null before its first poll. */
  readonly epoch: Epoch | null;
  /** Where the task believes the home to be: its own region where it is home itself, null where it doesn't know. */
  readonly homeRegion: string | null;
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
  /** A write whose answer is lost has an unknown outcome; a read can simply be asked again. */
  readonly write: boolean;
  /** How long the other side may take by its own choice, on top of the usual limit (`revisions.wait` waits on purpose). */
  readonly extraTimeoutMs?: number;
}

export interface PassedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a peer reads from: `home`, its writer, and refused where it isn't at home; `reader`, the instance that its feed runs on. */
export type ReadFrom = 'home' | 'reader';

/** Who passed a request on, and for whom; taken from a signature that holds. */
export interface PeerOrigin {
  readonly region: string;
  readonly clientAddress: string;
  readonly requestId: string;
}

/** What a signature covers of a request. */
export interface SignedParts {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly body: string;
  /** Lower-case names; those that a signature covers are taken from here: `authorization` and `idempotency-key`. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export type PeerVerdict =
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'peer'; readonly origin: PeerOrigin };

/** Tells requests of the zone's own tasks from everybody else's. */
export interface PeerGate {
  /** Header that carries the signature, in lower case. */
  readonly header: string;
  /** A signature holds once: its nonce is remembered for as long as its time is accepted. */
  inspect(request: SignedParts): PeerVerdict;
}

/** The answering side of the calls below, for the private route to hand bodies to. */
export interface PeerEndpoint {
  /** Returns the JSON text of the answer; undefined where there is no such call. Throws Problem `invalid_input` for a bad body. */
  answer(call: string, body: string): Promise<string | undefined>;
}

/**
 * Private calls between the regions of a zone, each with a signature of time and nonce. Fails with `Problem`: `no_home` where the
 * call certainly was not applied (no connection), `outcome_unknown` where it was sent and no answer came.
 */
export interface Peers {
  /** Other regions of the zone, as they are known now. */
  readonly regions: readonly string[];
  state(region: string, signal: AbortSignal): Promise<PeerState>;
  pass(region: string, request: PassedRequest): Promise<PassedAnswer>;
  report(region: string, report: TaskReport, signal: AbortSignal): Promise<void>;
  /** A task's first report; returns what it must have applied before it serves (`TaskStatus`). */
  register(region: string, report: TaskReport, signal: AbortSignal): Promise<JoinFloor>;
  stopped(region: string, taskId: string): Promise<void>;
  readRecords(
    region: string,
    hashes: readonly KeyHash[],
    floor: SnapshotFloor,
    from: ReadFrom,
  ): Promise<RecordReads>;
  readShared(
    region: string,
    refs: readonly SharedRef[],
    floor: SnapshotFloor,
    from: ReadFrom,
  ): Promise<readonly SharedObject[]>;
  /**
   * Draws credits at home. Fails with Problem `credits_unavailable` where there was no answer: the same draw can be asked for again, and
   * its text says whether this one may have been done. Fails with `outcome_unknown`, of a home of an earlier version alone, where credits
   * may have been taken and asking again could take them twice.
   */
  draw(region: string, draw: Draw, signal?: AbortSignal): Promise<Drawn>;
  /** Tells home what became of draws. Fails with Problem `credits_unavailable` where there was no answer: all can be told again. */
  settle(region: string, settlements: readonly Settlement[]): Promise<Settled>;
}
