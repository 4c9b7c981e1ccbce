import type { Behaviour } from '../behaviour.ts';
import { ACM } from './acm.ts';
import { ELBV2_LISTENERS } from './elbv2-listeners.ts';
import { ELBV2_LOAD_BALANCERS } from './elbv2-load-balancers.ts';
import { ELBV2_TARGET_GROUPS } from './elbv2-target-groups.ts';
import { GLOBAL_ACCELERATOR } from './global-accelerator.ts';
import { GLOBAL_ACCELERATOR_ENDPOINTS } from './global-accelerator-endpoints.ts';
import { ROUTE53 } from './route53.ts';
import { WAFV2 } from './wafv2.ts';

/** What clients come in through. */
export const EDGE: readonly Behaviour[] = [
  ...ELBV2_LOAD_BALANCERS,
  ...ELBV2_TARGET_GROUPS,
  ...ELBV2_LISTENERS,
  ...GLOBAL_ACCELERATOR,
  ...GLOBAL_ACCELERATOR_ENDPOINTS,
  ...ROUTE53,
  ...ACM,
  ...WAFV2,
];
