import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { afterAll, afterEach } from 'vitest';
import { buildApp } from '../../service/app.ts';
import type { HttpDeps } from '../../service/http/deps.ts';
import { AUTHORIZED, type TestDeps, testDeps } from './app-deps.ts';

export interface StartedRoutes {
  readonly deps: TestDeps;
  /** Posts JSON, or a text that is to be taken for it, to `/v2/<group>.<verb>`. */
  post(
    verb: string,
    payload: object | string,
    headers?: InjectOptions['headers'],
  ): Promise<LightMyRequestResponse>;
}

/**
 * For the tests of one group's routes; to be called at the top of their file. Tests that change no dependency share an app, since
 * building one takes a while, and find no calls noted.
 */
export function routesOf(group: string): (overrides?: Partial<HttpDeps>) => StartedRoutes {
  const shared = testDeps();
  const sharedApp = buildApp(shared);
  const open: FastifyInstance[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((app) => app.close()));
  });
  afterAll(() => sharedApp.close());
  return (overrides) => {
    shared.calls.splice(0);
    const deps = overrides === undefined ? shared : testDeps(overrides);
    const app = overrides === undefined ? sharedApp : buildApp(deps);
    if (app !== sharedApp) open.push(app);
    return {
      deps,
      post: async (verb, payload, headers = AUTHORIZED) =>
        await app.inject({
          method: 'POST',
          url: `/v2/${group}.${verb}`,
          headers: { 'content-type': 'application/json', ...headers },
          payload,
        }),
    };
  };
}
