import type { Brand } from '../domain/brands.ts';
import type { FromCache } from '../cache/part.ts'; // bad: no-restricted-imports
import type { FromHome } from '../home/part.ts'; // bad: no-restricted-imports
import type { FromPeers } from '../peers/part.ts'; // bad: no-restricted-imports
import type { FromLimits } from '../limits/part.ts'; // bad: no-restricted-imports
import type { FromValkey } from '../valkey/part.ts'; // bad: no-restricted-imports
import type { FromHttp } from '../http/part.ts'; // bad: no-restricted-imports
import type { FromVerify } from '../verify/part.ts'; // bad: no-restricted-imports
import type { FromManage } from '../manage/part.ts'; // bad: no-restricted-imports
import type { Port } from '../manage/ports.ts';
import type { Types } from '../manage/types.ts';
import type { Own } from './own.ts';

export type Adapter = readonly [
  Brand,
  FromCache,
  FromHome,
  FromPeers,
  FromLimits,
  FromValkey,
  FromHttp,
  FromVerify,
  FromManage,
  Port,
  Types,
  Own,
];
