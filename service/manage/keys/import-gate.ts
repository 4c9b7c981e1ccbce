import { Problem } from '../../domain/problem.ts';

/** Imports under way in one task: each takes a connection and the processor for seconds, which other writes need too. */
const AT_ONCE = 2;

/**
 * Lets a few imports through at a time, one of each workspace, so that nobody's other writes wait behind them. Refuses with
 * `database_unavailable`, to be tried again.
 */
export class ImportGate {
  readonly #workspaces = new Set<string>();

  async run<T>(workspaceId: string, work: () => Promise<T>): Promise<T> {
    if (this.#workspaces.has(workspaceId)) {
      throw busy('Another import of this workspace is under way: send one at a time.');
    }
    if (this.#workspaces.size >= AT_ONCE) throw busy('Other imports are under way.');
    this.#workspaces.add(workspaceId);
    try {
      return await work();
    } finally {
      this.#workspaces.delete(workspaceId);
    }
  }
}

function busy(detail: string): Problem {
  return new Problem('database_unavailable', `${detail} Nothing was imported.`, { retryAfterS: 1 });
}
