import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** What is awaited, for the error: "the standby eu-west-1 to stream". */
  readonly what: string;
  readonly timeoutMs: number;
  /** Pause between two looks; 10 where not given. */
  readonly intervalMs?: number;
}

/** A condition did not come to hold in time. */
export class WaitTimeout extends Error {
  override readonly name = 'WaitTimeout';
}

/**
 * Asks `condition` again and again until it answers with something other than undefined or false, and returns that. Looks at least once.
 * Fails with `WaitTimeout` once the time is over, and at once with whatever `condition` throws.
 */
export async function waitFor<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  { what, timeoutMs, intervalMs = 10 }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() >= deadline) throw new WaitTimeout(`waited ${timeoutMs} ms in vain for ${what}`);
    await delay(intervalMs);
  }
}
