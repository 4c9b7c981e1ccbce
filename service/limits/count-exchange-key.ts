import { hash } from 'node:crypto';
import type { WindowCount } from '../verify/ports.ts';
import type { CountedWindow } from './window-queue.ts';

/**
 * Names a counter where the tasks of a region share it: 22 characters of base64url, 132 bits of SHA-256, so that no caller's text stands
 * there. The counter's own name comes last: neither an id nor a number has a line break in it.
 */
export function sharedKey(workspaceId: string, counter: string, durationMs: number): string {
  return hash('sha256', `${workspaceId}\n${durationMs}\n${counter}`, 'base64url').slice(0, 22);
}

/** What a window has counted, as it is told to others. */
export function countOf(window: CountedWindow): WindowCount {
  const { counter, durationMs, startMs, units, unitsBefore } = window;
  const key = sharedKey(window.holder?.workspaceId ?? '', counter, durationMs);
  return { key, startMs, durationMs, units, unitsBefore };
}
