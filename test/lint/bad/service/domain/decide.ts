import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs'; // bad: no-restricted-imports

import type { Pool } from 'pg'; // bad: no-restricted-imports

import type { Zone } from '../../topology/types.ts';
import type { Finder } from '../verify/ports.ts'; // bad: no-restricted-imports
import type { Brand } from './brands.ts';

export type Decide = readonly [Pool, Zone, Finder, Brand];
export const digest = hash('sha256', readFileSync('key'));
