import type { Brand } from '../domain/brands.ts';
import type { Cache } from '../cache/hot-cache.ts'; // bad: no-restricted-imports
import type { Home } from '../home/home-watch.ts'; // bad: no-restricted-imports
import type { Limiter } from '../limits/memory-rate-limiter.ts'; // bad: no-restricted-imports
import type { Manage } from '../manage/create-key.ts';
import type { Client } from '../peers/client.ts'; // bad: no-restricted-imports
import type { Peers } from '../peers/types.ts';
import type { Reader } from '../store/reader.ts'; // bad: no-restricted-imports
import type { Verifier } from '../verify/verifier.ts';
import type { FakeClock } from '../../test/fake-clock.ts'; // bad: no-restricted-imports
import type { Plan } from '../../scripts/plan.ts'; // bad: no-restricted-imports

export type Route = readonly [Brand, Cache, Home, Manage, Client, Peers, Reader, Verifier, FakeClock, Plan, Limiter];
