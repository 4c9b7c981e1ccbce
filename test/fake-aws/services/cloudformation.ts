import { BEHAVIOURS } from '../behaviours/index.ts';
import { cloudformation } from '../cloudformation/service.ts';

/** With every type that this local AWS has. */
export const CLOUDFORMATION = cloudformation(BEHAVIOURS);
