/**
 * What tasks may do with a region's cache: call the scripts of service/valkey/scripts.ts, which may use keys below `kh:` and the commands
 * listed here, and what a cluster client needs to find its way. No other keys, no channels, no functions, nothing dangerous.
 */
export const CACHE_ACCESS = [
  'on ~kh:* resetchannels -@all',
  '+@connection +cluster|slots +cluster|shards +cluster|nodes',
  '+eval +evalsha +hmget +hset +pexpire +time',
  '-@dangerous',
].join(' ');
