import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type * as App from '../../service/app.ts';
import { CALLS } from './calls.ts';
import { allCases } from './cases/all.ts';
import { databaseReadCases } from './cases/database-reads.ts';
import { wrongZoneCases } from './cases/verify-key/421.ts';
import { type InProcessService, startInProcess } from './in-process.ts';

/** The whole contract, against a service of one region in this process. */
let service: InProcessService;

const registered = vi.hoisted(() => new Set<string>());

// Its plugins are registered once it is built, so that a hook which is added then sees all their routes.
vi.mock('../../service/app.ts', async (original) => {
  const { buildApp } = await original<typeof App>();
  return {
    buildApp: (deps: Parameters<typeof buildApp>[0]): FastifyInstance => {
      const app = buildApp(deps);
      app.addHook('onRoute', ({ method, url }) => {
        if (method === 'POST' && url.startsWith('/v2/')) registered.add(url.slice('/v2/'.length));
      });
      return app;
    },
  };
});

beforeAll(async () => {
  service = await startInProcess();
});

afterAll(async () => {
  await service.stop();
});

const target = () => service.target;

test('every call that the service answers is in the table of all calls, and no other', () => {
  expect([...registered].toSorted()).toEqual([...new Set(CALLS.map(({ verb }) => verb))].toSorted());
});

allCases(target);
wrongZoneCases(target);
databaseReadCases(target);
