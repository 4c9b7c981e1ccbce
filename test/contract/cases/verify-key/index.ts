import type { TargetOf } from '../../target.ts';
import { disabledCases } from './200-disabled.ts';
import { expiredCases } from './200-expired.ts';
import { forbiddenCases } from './200-forbidden.ts';
import { insufficientPermissionsCases } from './200-insufficient-permissions.ts';
import { notFoundCases } from './200-not-found.ts';
import { exactLimitCases } from './200-rate-limited-exactly.ts';
import { rateLimitedCases } from './200-rate-limited.ts';
import { usageExceededCases } from './200-usage-exceeded.ts';
import { validCases } from './200-valid.ts';
import { badRequestCases } from './400.ts';
import { unauthorizedCases } from './401.ts';
import { forbiddenRootKeyCases } from './403.ts';
import { preconditionFailedCases } from './412.ts';
import { tooManyRequestsCases } from './429.ts';
import { unavailableCases } from './503.ts';

/** Every answer of keys.verifyKey, each with what leads to it and what it spends; but for 421, which takes a second zone. */
export function verifyKeyCases(target: TargetOf): void {
  validCases(target);
  notFoundCases(target);
  forbiddenCases(target);
  insufficientPermissionsCases(target);
  usageExceededCases(target);
  rateLimitedCases(target);
  exactLimitCases(target);
  disabledCases(target);
  expiredCases(target);
  badRequestCases(target);
  unauthorizedCases(target);
  forbiddenRootKeyCases(target);
  preconditionFailedCases(target);
  tooManyRequestsCases(target);
  unavailableCases(target);
}
