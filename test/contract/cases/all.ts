import type { TargetOf } from '../target.ts';
import { clientAnswerCases } from './clients/answers.ts';
import { everyMethodCases } from './clients/every-method.ts';
import { ratelimitClientCases } from './clients/ratelimit-client.ts';
import { envelopeCases } from './envelope.ts';
import { groupCases } from './groups.ts';
import { isolationCases, permissionCases } from './isolation.ts';
import { createKeyCases } from './keys/create-key.ts';
import { keyCases } from './keys/others.ts';
import { updateKeyCases } from './keys/update-key.ts';
import { ratelimitCases } from './ratelimit.ts';
import { verifyKeyCases } from './verify-key/index.ts';
import { writeCases } from './writes.ts';

/** Everything that a zone has to answer, whatever it consists of. */
export function allCases(target: TargetOf): void {
  verifyKeyCases(target);
  envelopeCases(target);
  createKeyCases(target);
  updateKeyCases(target);
  keyCases(target);
  groupCases(target);
  ratelimitCases(target);
  writeCases(target);
  isolationCases(target);
  permissionCases(target);
  everyMethodCases(target);
  clientAnswerCases(target);
  ratelimitClientCases(target);
}
