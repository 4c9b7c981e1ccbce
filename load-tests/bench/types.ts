/** What the client process is asked to do; one message over its IPC channel. */
export interface ClientJob {
  readonly url: string;
  readonly connections: number;
  /** Requests per second over all connections; null: as fast as the answers come. */
  readonly perS: number | null;
  readonly durationS: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Request bodies, sent in turn. */
  readonly bodies: readonly string[];
}

/** What came of it. */
export interface ClientReport {
  readonly responses: number;
  readonly durationS: number;
  readonly latencyMsP50: number;
  readonly latencyMsP99: number;
}

/** What the bare server answers, whatever it is asked: one message over its IPC channel. */
export interface BareAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
