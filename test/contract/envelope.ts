import { expect } from 'vitest';
import type { Answer } from './answer.ts';

const TYPE = /^https:\/\/\S+#keyhearth\/[a-z]+\/[a-z_]+$/;
const TOO_MANY_REQUESTS = 429;

/** What is so of every answer, whatever was asked: all calls of the cases go through here. */
export function expectEnvelope({ status, headers, body }: Answer): void {
  const meta = { requestId: expect.stringMatching(/^req_[A-Za-z0-9]+$/) };
  if (status === 200) {
    const { pagination, ...rest } = body;
    expect(rest).toEqual({ meta, data: expect.anything() });
    if (pagination !== undefined) expect(pagination).toHaveProperty('hasMore');
    expect(headers.get('content-type')).toBe('application/json');
    return;
  }
  expect(body).toEqual({
    meta,
    error: {
      title: expect.any(String),
      detail: expect.any(String),
      status,
      type: expect.stringMatching(TYPE),
      ...(status === 400 ? { errors: expect.any(Array) } : {}),
    },
  });
  const isProblem = headers.get('content-type') === 'application/problem+json';
  if (status === TOO_MANY_REQUESTS) expect(isProblem).toBe(true);
  if (!isProblem) expect(headers.get('content-type')).toBe('application/json');
}
