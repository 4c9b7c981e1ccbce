import type { Behaviour } from '../behaviour.ts';

export const NETWORK: readonly Behaviour[] = [];
