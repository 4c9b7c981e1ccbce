import { setTimeout as delay } from 'node:timers/promises';

/** Waits, or returns at once when aborted. Never fails. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  try {
    await delay(Math.max(0, ms), undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Runs `step` until aborted; it returns the ms until its next run and handles its own failures. */
export async function repeat(step: () => Promise<number>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await pause(await step(), signal);
}

/** `intervalMs`, doubled with each failure in a row up to `maxMs`. */
export function backoff(intervalMs: number, failures: number, maxMs: number): number {
  return failures === 0
    ? intervalMs
    : Math.min(Math.max(maxMs, intervalMs), intervalMs * 2 ** Math.min(failures, 16));
}

/** Fails with a plain error after `ms`; the work itself goes on and its late outcome is let go. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = async (): Promise<never> => {
    await delay(ms, undefined, { signal: timer.signal });
    throw new Error(`${what} took more than ${ms} ms`);
  };
  try {
    return await Promise.race([work, late()]);
  } finally {
    timer.abort();
    work.catch(() => {});
  }
}
