import type { ApiAnswer } from './api-client.ts';
import { errorCode } from './user-error.ts';

/**
 * What became of a verification that asks for a credit. `notTaken`: an answer that says that none was taken; `unreached`: nobody was asked;
 * `unknown`: it was asked, and no answer says whether one was taken.
 */
export type Outcome = 'admitted' | 'exceeded' | 'notTaken' | 'unreached' | 'unknown';

/** Of an answer, or of the error that came instead. */
export function outcomeOf(answer: unknown): Outcome {
  if (!isAnswer(answer)) return errorCode(answer) === 'ECONNREFUSED' ? 'unreached' : 'unknown';
  const { status, data } = answer;
  if (status === 200) {
    if (data['valid'] === true) return 'admitted';
    return data['code'] === 'USAGE_EXCEEDED' ? 'exceeded' : 'notTaken';
  }
  // 503 promises that nothing was taken; of 500 and 504 nobody knows.
  return status === 503 || status < 500 ? 'notTaken' : 'unknown';
}

function isAnswer(answer: unknown): answer is ApiAnswer {
  return typeof answer === 'object' && answer !== null && 'status' in answer && 'data' in answer;
}
