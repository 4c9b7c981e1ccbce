import type { Behaviour } from '../behaviour.ts';

export const EDGE: readonly Behaviour[] = [];
