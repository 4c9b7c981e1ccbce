import type { Behaviour } from '../behaviour.ts';
import { ACCOUNT } from './account.ts';
import { DATA } from './data.ts';
import { EDGE } from './edge.ts';
import { NETWORK } from './network.ts';

/** By type. A type that isn't here is refused with `ValidationError`, as AWS does with types that it doesn't know. */
export const BEHAVIOURS: ReadonlyMap<string, Behaviour> = new Map(
  [...ACCOUNT, ...DATA, ...EDGE, ...NETWORK].map((behaviour) => [behaviour.type, behaviour]),
);
