import type { Plan } from '../scripts/plan.ts'; // bad: no-restricted-imports
import type { FakeClock } from '../test/fake-clock.ts'; // bad: no-restricted-imports
import type { App } from './http/app.ts';

export type Main = readonly [Plan, FakeClock, App];
