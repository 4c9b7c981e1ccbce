import { CounterUnreachable } from '../verify/ports.ts';

/** `unanswered`: it failed after it was asked, or it wasn't done in time; what becomes of it is let go then. */
export async function outcomeWithin(
  ms: number,
  work: Promise<void>,
  onLate: () => void,
): Promise<'done' | 'unreachable' | 'unanswered'> {
  const { promise, resolve } = Promise.withResolvers<'done' | 'unreachable' | 'unanswered'>();
  const timer = setTimeout(() => {
    onLate();
    resolve('unanswered');
  }, ms);
  work.then(
    () => resolve('done'),
    (error: unknown) => resolve(error instanceof CounterUnreachable ? 'unreachable' : 'unanswered'),
  );
  const outcome = await promise;
  clearTimeout(timer);
  return outcome;
}

/** Keeps no process alive. */
export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
