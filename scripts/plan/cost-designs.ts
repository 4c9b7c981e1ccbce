interface Design {
  /** Of a sentence: serverless “with an HTTP API”. */
  readonly words: string;
  /** Of a list. */
  readonly short: string;
  /** What clients call: one of API Gateway's two kinds of API, or the function itself. */
  readonly front: 'http' | 'rest' | 'url';
  /** Whether tables have units that are paid by the hour; on demand otherwise. */
  readonly isProvisioned: boolean;
  /** Whether the function answers from its memory where it can. */
  readonly isCached: boolean;
  /** Where limits are counted: a table of DynamoDB, or a serverless cache with Valkey. */
  readonly counters: 'table' | 'cache';
}

/** The ordinary ways to do the same without servers; the first two stand in the tables, the others beside them. */
export const DESIGNS = {
  http: {
    words: 'with an HTTP API',
    short: 'HTTP API',
    front: 'http',
    isProvisioned: false,
    isCached: false,
    counters: 'table',
  },
  rest: {
    words: 'with a REST API',
    short: 'REST API',
    front: 'rest',
    isProvisioned: false,
    isCached: false,
    counters: 'table',
  },
  url: {
    words: 'with a function URL',
    short: 'function URL',
    front: 'url',
    isProvisioned: false,
    isCached: false,
    counters: 'table',
  },
  provisioned: {
    words: 'with an HTTP API and provisioned tables',
    short: 'provisioned tables',
    front: 'http',
    isProvisioned: true,
    isCached: false,
    counters: 'table',
  },
  urlProvisioned: {
    words: 'with a function URL and provisioned tables',
    short: 'both of these',
    front: 'url',
    isProvisioned: true,
    isCached: false,
    counters: 'table',
  },
  cached: {
    words: 'with an HTTP API and a function that caches',
    short: 'caching function',
    front: 'http',
    isProvisioned: false,
    isCached: true,
    counters: 'table',
  },
  urlCached: {
    words: 'with a function URL and a function that caches',
    short: 'caching function with a URL',
    front: 'url',
    isProvisioned: false,
    isCached: true,
    counters: 'table',
  },
  valkey: {
    words: 'with an HTTP API and counters in Valkey',
    short: 'counters in Valkey',
    front: 'http',
    isProvisioned: false,
    isCached: false,
    counters: 'cache',
  },
  urlCachedValkey: {
    words: 'with a function URL, a function that caches and counters in Valkey',
    short: 'caching function with a URL and Valkey',
    front: 'url',
    isProvisioned: false,
    isCached: true,
    counters: 'cache',
  },
} as const satisfies Readonly<Record<string, Design>>;

export type DesignName = keyof typeof DESIGNS;

// Object.keys forgets what the keys of an object literal are.
export const DESIGN_NAMES = Object.keys(DESIGNS) as readonly DesignName[];

/** One value for each design. */
export function byDesign<T>(make: (name: DesignName) => T): Readonly<Record<DesignName, T>> {
  const entries = DESIGN_NAMES.map((name) => [name, make(name)] as const);
  // One entry for each name.
  return Object.fromEntries(entries) as Record<DesignName, T>;
}
