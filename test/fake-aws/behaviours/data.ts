import type { Behaviour } from '../behaviour.ts';

export const DATA: readonly Behaviour[] = [];
