import { type ProblemCode, PROBLEMS } from './problem.ts';

/** What a task of another region refused a call with. */
export interface Refusal {
  readonly code: ProblemCode;
  readonly detail: string;
}

/** One of these refusals, out of the body that a task answered; undefined where it says something else. */
export function refusalOf(body: string, codes: readonly ProblemCode[]): Refusal | undefined {
  try {
    // Each field is looked at before it is used.
    const { error } = JSON.parse(body) as { error?: { type?: unknown; detail?: unknown } };
    const { type, detail } = error ?? {};
    if (typeof type !== 'string' || typeof detail !== 'string') return undefined;
    const code = codes.find((one) => type.endsWith(`/${PROBLEMS[one].type}`));
    return code === undefined ? undefined : { code, detail };
  } catch {
    return undefined;
  }
}
