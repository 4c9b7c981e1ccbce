import { afterAll, beforeAll, describe } from 'vitest';
import { clientAnswerCases } from './cases/clients/answers.ts';
import { ratelimitClientCases } from './cases/clients/ratelimit-client.ts';
import { isolationCases } from './cases/isolation.ts';
import { keyCases } from './cases/keys/others.ts';
import { ratelimitCases } from './cases/ratelimit.ts';
import { verifyKeyCases } from './cases/verify-key/index.ts';
import { type PlatformService, startPlatformService } from './platform-target.ts';
import type { Paths } from './target.ts';

/**
 * The contract against a zone of three regions: through the accelerator as clients come, at a replica, and with writes at one region
 * and verifications at another. All that verifications can answer is asked everywhere; of the management calls, which all end up
 * in the same code at home, only those that show what passing them on may get wrong.
 */
let service: PlatformService;

beforeAll(async () => {
  service = await startPlatformService('global');
});

afterAll(async () => {
  await service.stop();
});

const via = (paths: Paths) => () => service.target.via(paths);

describe('through the accelerator', () => {
  const target = via({ manage: 'any', verify: 'any' });
  verifyKeyCases(target);
});

describe('all at a replica', () => {
  const target = via({ manage: 'replica', verify: 'replica' });
  verifyKeyCases(target);
  isolationCases(target);
  keyCases(target);
  ratelimitCases(target);
  clientAnswerCases(target);
  ratelimitClientCases(target);
});

describe('written at home, verified at a replica', () => {
  const target = via({ manage: 'home', verify: 'replica' });
  verifyKeyCases(target);
  ratelimitCases(target);
});
