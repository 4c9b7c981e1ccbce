import type { Behaviour } from '../behaviour.ts';

export const ACCOUNT: readonly Behaviour[] = [];
