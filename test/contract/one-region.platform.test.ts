import { afterAll, beforeAll } from 'vitest';
import { allCases } from './cases/all.ts';
import { type PlatformService, startPlatformService } from './platform-target.ts';

/** The whole contract, against a zone of one region: its task and its database are processes of their own, behind the accelerator. */
let service: PlatformService;

beforeAll(async () => {
  service = await startPlatformService('trial', { KEYHEARTH_ENVIRONMENT: 'trial' });
});

afterAll(async () => {
  await service.stop();
});

allCases(() => service.target);
