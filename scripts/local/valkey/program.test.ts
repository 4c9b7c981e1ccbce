import { expect, test } from 'vitest';
import { findValkey } from './program.ts';
import { serverSettings } from './server.ts';

const versions =
  (known: Readonly<Record<string, string>>) =>
  (name: string): string | undefined =>
    known[name];

test('Valkey comes first, and Redis will do from version 7', () => {
  const redis = 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64';
  const valkey = 'Server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64';
  expect(findValkey(versions({ 'redis-server': redis, 'valkey-server': valkey }))?.name).toBe(
    'valkey-server',
  );
  expect(findValkey(versions({ 'redis-server': redis }))?.name).toBe('redis-server');
  expect(findValkey(versions({ 'redis-server': redis.replace('7.0.15', '6.2.14') }))).toBeUndefined();
  expect(findValkey(versions({}))).toBeUndefined();
});

test('a server is closed to the network, needs its password and keeps nothing', () => {
  const text = serverSettings({ dir: '/tmp/a "b"', port: 8860, busPort: 8880, password: 'secret' });
  for (const line of [
    'bind 127.0.0.1',
    'port 8860',
    'cluster-port 8880',
    'requirepass secret',
    'save ""',
    'appendonly no',
    String.raw`dir "/tmp/a \"b\""`,
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});
