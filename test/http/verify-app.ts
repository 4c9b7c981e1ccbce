import type { FastifyInstance } from 'fastify';
import { buildApp } from '../../service/app.ts';
import { hashKey } from '../../service/domain/key-text.ts';
import type { KeyRow } from '../../service/domain/records.ts';
import { verifyKeyRoute } from '../../service/http/verify-key.ts';
import { buildKeyRow } from '../records.ts';
import { KEY, makeVerifySide, ROOT_KEY, type VerifySide } from '../verify-side.ts';
import { testDeps } from './app-deps.ts';

/** What a verification was answered with; `data` or `error`. */
export interface VerifyAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly meta?: object;
  readonly data?: object;
  readonly error?: object;
}

/** A running `keys.verifyKey` over records in memory. */
export interface VerifyApp {
  readonly side: VerifySide;
  readonly app: FastifyInstance;
  /** How long each verification took, in ms. */
  readonly tookMs: number[];
  /** Posts a body with the root key of `side`. */
  verify(body?: object, headers?: Record<string, string>): Promise<VerifyAnswer>;
  /** What is stored of `KEY`; held records stay as they are. */
  given(row: Partial<KeyRow>): void;
}

export async function startVerifyApp(): Promise<VerifyApp> {
  const side = makeVerifySide();
  const tookMs: number[] = [];
  const app = buildApp(testDeps());
  await app.register(
    verifyKeyRoute({
      authenticator: side.authenticator,
      admit: (principal) => side.workspaceLimit.admit(principal),
      verifier: side.verifier,
      freshness: { waitFor: async () => side.freshness.reaches },
      stopwatch: {
        start: () => side.clock.monotonicMs(),
        stop: (startedMs) => void tookMs.push(side.clock.monotonicMs() - startedMs),
      },
    }),
  );
  return {
    side,
    app,
    tookMs,
    verify: async (body = { key: KEY }, headers = {}) => {
      const answer = await app.inject({
        method: 'POST',
        url: '/v2/keys.verifyKey',
        headers: { authorization: `Bearer ${ROOT_KEY}`, ...headers },
        payload: body,
      });
      return { status: answer.statusCode, headers: answer.headers, ...answer.json<object>() };
    },
    given: (row) => side.source.putKey(buildKeyRow(hashKey(KEY), row)),
  };
}
