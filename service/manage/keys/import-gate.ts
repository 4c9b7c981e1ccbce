import { Problem } from '../../domain/problem.ts';

/** Imports under way in one task: each takes a connection and the processor for seconds, which other writes need too. */
const AT_ONCE = 2;
const MAX_WAITING = 50;
/** Less than a client or a passing task waits for an answer. */
const MAX_WAIT_MS = 5000;

interface Waiting {
  readonly workspaceId: string;
  readonly begin: () => void;
}

/**
 * Lets a few imports through at a time, one of each workspace, so that nobody's other writes wait behind them; the rest wait in order.
 * Refuses with `database_unavailable`, to be tried again, whoever would wait for too long.
 */
export class ImportGate {
  readonly #maxWaitMs: number;
  readonly #running = new Set<string>();
  readonly #waiting = new Set<Waiting>();

  constructor(maxWaitMs = MAX_WAIT_MS) {
    this.#maxWaitMs = maxWaitMs;
  }

  async run<T>(workspaceId: string, work: () => Promise<T>): Promise<T> {
    if (this.#hasRoomFor(workspaceId)) this.#running.add(workspaceId);
    else await this.#turn(workspaceId);
    try {
      return await work();
    } finally {
      this.#running.delete(workspaceId);
      this.#beginNext();
    }
  }

  #hasRoomFor(workspaceId: string): boolean {
    return this.#running.size < AT_ONCE && !this.#running.has(workspaceId);
  }

  /** Resolves when it runs. */
  async #turn(workspaceId: string): Promise<void> {
    if (this.#waiting.size >= MAX_WAITING) throw busy();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { workspaceId, begin: resolve };
    this.#waiting.add(waiting);
    const timer = setTimeout(() => {
      this.#waiting.delete(waiting);
      reject(busy());
    }, this.#maxWaitMs);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #beginNext(): void {
    for (const waiting of this.#waiting) {
      if (!this.#hasRoomFor(waiting.workspaceId)) continue;
      this.#waiting.delete(waiting);
      this.#running.add(waiting.workspaceId);
      waiting.begin();
    }
  }
}

function busy(): Problem {
  return new Problem('database_unavailable', 'Other imports are under way; nothing was imported.', {
    retryAfterS: 1,
  });
}
