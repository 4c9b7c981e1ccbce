import { createHash } from 'node:crypto';

/** Which of those that could be begun are begun now, at the same time: at least one of them. */
export type Next = <T>(ready: readonly T[]) => readonly T[];

/** All of them, which is the fastest order, and always the same one. */
export const ALL: Next = (ready) => ready;

/**
 * One at a time, any of them: every order that the dependencies allow can come out, and the same seed gives the same one. AWS promises
 * no other order than that of the dependencies, so what works in one order only lacks a dependency.
 */
export function oneByOne(seed: number): Next {
  let drawn = 0;
  return (ready) => {
    drawn += 1;
    const number = createHash('sha256').update(`${seed}/${drawn}`).digest().readUInt32BE();
    const first = number % Math.max(ready.length, 1);
    return ready.slice(first, first + 1);
  };
}
