import type { FromService } from '../service/part.ts'; // bad: no-restricted-imports
import type { Own } from './own.ts';

export type Tool = readonly [FromService, Own];
