import type { Brand } from '../domain/brands.ts';
import type { Cache } from '../cache/hot-cache.ts'; // bad: no-restricted-imports
import type { Home } from '../home/home-watch.ts'; // bad: no-restricted-imports
import type { Route } from '../http/routes/keys.ts'; // bad: no-restricted-imports
import type { Manage } from '../manage/create-key.ts'; // bad: no-restricted-imports
import type { Client } from '../peers/client.ts'; // bad: no-restricted-imports
import type { Reader } from '../store/reader.ts'; // bad: no-restricted-imports
import type { Limiter } from '../limits/memory-rate-limiter.ts'; // bad: no-restricted-imports
import type { Port } from './ports.ts';

export type UseCase = readonly [Brand, Cache, Home, Route, Manage, Client, Reader, Limiter, Port];
