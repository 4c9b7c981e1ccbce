import { readFileSync } from 'node:fs'; // bad: no-restricted-imports

import { sizeOf } from '../service/sizes.ts'; // bad: no-restricted-imports
import { places } from './places.ts';

export const table = [readFileSync, sizeOf, places];
