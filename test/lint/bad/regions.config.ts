import { readFileSync } from 'node:fs'; // bad: no-restricted-imports

import type { Topology } from './topology/types.ts';

export default { environments: JSON.parse(readFileSync('zones.json', 'utf8')) } as Topology;
