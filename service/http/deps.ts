import type { FastifyBaseLogger } from 'fastify';
import type { Principal } from '../domain/principal.ts';
import type { Revision } from '../domain/revision.ts';
import type { HomeLocator, TaskStatus } from '../home/types.ts';
import type { Manage } from '../manage/types.ts';
import type { PeerEndpoint, PeerGate, Peers } from '../peers/types.ts';

export interface Readiness {
  readonly ready: boolean;
  /** One sentence for each thing that is missing; empty when ready. */
  readonly reasons: readonly string[];
  /** What was looked at, for people. */
  readonly checks?: Readonly<Record<string, unknown>>;
}

/** Everything that the HTTP surface calls. It decides nothing by itself but who is asked, and how the answer is written. */
export interface HttpDeps {
  /** The task's own region. */
  readonly region: string;
  readonly logger: FastifyBaseLogger;
  /** Addresses or CIDR blocks of proxies whose `X-Forwarded-For` is believed. Empty: nobody's. */
  readonly trustedProxies: readonly string[];
  /** Throws Problem `wrong_zone`, with the right place to go, for the text of a key that belongs to another zone. */
  readonly zoneGuard: (keyText: string) => void;
  /** Throws Problem for a root key that isn't accepted. Synchronous where the key's record is in memory. */
  readonly authenticate: (rootKeyText: string) => Principal | Promise<Principal>;
  /** Counts a caller's call against its workspace's own limit; throws Problem `workspace_rate_limited`. */
  readonly admit: (principal: Principal) => void;
  readonly manage: Manage;
  readonly home: HomeLocator;
  readonly taskStatus: Pick<TaskStatus, 'wait'>;
  /** Waits until this task's own feed has applied the revision; false when the time was over first. */
  readonly waitForRevision: (revision: Revision, timeoutMs: number) => Promise<boolean>;
  readonly peers: Pick<Peers, 'pass'>;
  readonly peerGate: PeerGate;
  readonly peerEndpoint: PeerEndpoint;
  readonly readiness: () => Readiness;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** True from the moment on in which the task was told to stop. */
  readonly closing: () => boolean;
}
