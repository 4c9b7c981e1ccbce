import type { Settings } from '../service/env.ts';
import { buildApp } from '../service/app.ts'; // bad: no-restricted-imports
import { FakeClock } from '../test/fake-clock.ts'; // bad: no-restricted-imports
import config from '../regions.config.ts';

export type Tool = Settings;
export const tool = [buildApp, FakeClock, config];
