import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Clock, CreditLedger } from './verify/ports.ts';
import { ledgerOf } from './credit-sources.ts';
import type { Epoch } from './domain/revision.ts';
import type { Env } from './env.ts';
import type { HomeState } from './home/types.ts';
import { CountExchange } from './limits/count-exchange.ts';
import { CreditLeases } from './limits/credit-leases.ts';
import { SharedRateLimiter } from './limits/exact-rate-limiter.ts';
import { MemoryRateLimiter } from './limits/memory-rate-limiter.ts';
import type { PeersClient } from './peers/client.ts';
import { PostgresCreditLedger } from './store/credit-ledger.ts';
import { valkeyAccess } from './valkey/access.ts';
import { ValkeyConnection } from './valkey/connection.ts';
import { ValkeyCounters } from './valkey/shared-counters.ts';

export interface SharingOptions {
  readonly env: Env;
  readonly taskId: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** On the region's own writer endpoint, for the ledger alone. */
  readonly creditsPool: Pool;
  /** The epoch in which this task is at home; null: it isn't. */
  readonly homeEpoch: () => Epoch | null;
  /** The latest epoch that this task knows. */
  readonly latestEpoch: () => Epoch | null;
  readonly home: () => HomeState;
  readonly peers: PeersClient;
  /** Counters of workspaces' own limits, at most. */
  readonly maxWorkspaces: number;
}

/** What a task counts together with others: rate limits with the tasks of its region, credits with all of the zone. */
export interface SharingParts {
  readonly limiter: MemoryRateLimiter;
  /** Apart from the others, so that no workspace can push its own limit out by what else it counts. */
  readonly workspaceCounts: MemoryRateLimiter;
  readonly exactLimiter: SharedRateLimiter;
  readonly exchange: CountExchange;
  /** Null: no Valkey is set, and this task counts by itself. */
  readonly valkey: ValkeyConnection | null;
  /** Of this region's database, and refused where it isn't home's. */
  readonly ledger: PostgresCreditLedger;
  /** The same for peers. */
  readonly ledgerHere: CreditLedger;
  readonly leases: CreditLeases;
}

/** Builds what is shared; starts nothing. */
export function buildSharing(options: SharingOptions): SharingParts {
  const { env, clock, log, home, peers } = options;
  const access = valkeyAccess(env);
  const valkey = access === null ? null : new ValkeyConnection({ access, clock, log });
  const shared = valkey === null ? null : new ValkeyCounters({ connection: valkey });
  const limiter = new MemoryRateLimiter({ maxCounters: env.maxRateLimitCounters });
  const workspaceCounts = new MemoryRateLimiter({ maxCounters: options.maxWorkspaces });
  const ledger = new PostgresCreditLedger({ pool: options.creditsPool, epoch: options.homeEpoch, log });
  return {
    limiter,
    workspaceCounts,
    exactLimiter: new SharedRateLimiter({ shared, limiter, clock }),
    exchange: new CountExchange({ shared, limiters: [limiter, workspaceCounts], clock, log }),
    valkey,
    ledger,
    ledgerHere: ledgerOf(home, ledger, null),
    leases: new CreditLeases({
      ledger: ledgerOf(home, ledger, peers),
      clock,
      holder: options.taskId,
      epoch: options.latestEpoch,
      randomId: randomUUID,
      log,
    }),
  };
}
