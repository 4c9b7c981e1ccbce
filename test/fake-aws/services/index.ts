import type { Service } from '../call.ts';

/** Every service that the endpoint answers for. */
export const SERVICES: readonly Service[] = [];
