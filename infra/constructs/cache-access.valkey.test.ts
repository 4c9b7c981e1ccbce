import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../service/clock.ts';
import { valkeyAccess } from '../../service/valkey/access.ts';
import { ValkeyConnection } from '../../service/valkey/connection.ts';
import { ValkeyCounters } from '../../service/valkey/shared-counters.ts';
import { hasValkey, NEEDS_VALKEY, startTestValkey, type TestValkey } from '../../test/valkey.ts';
import { CACHE_ACCESS } from './cache-access.ts';

describe.skipIf(!hasValkey)(`the cache’s user ${NEEDS_VALKEY}`, () => {
  const NAME = 'n'.repeat(22);
  const KEY = `kh:{${NAME}}:x`;
  let valkey: TestValkey;
  let connection: ValkeyConnection;

  beforeAll(async () => {
    valkey = await startTestValkey();
    await valkey.nodes[0]?.command('ACL', 'SETUSER', 'tasks', '>secret', ...CACHE_ACCESS.split(' '));
    const access = valkeyAccess({
      valkey: `redis://tasks:secret@localhost:${valkey.nodes[0]?.port}`,
      valkeyAuth: 'password',
      valkeyUser: '',
      valkeyCache: '',
      valkeyTlsCa: '',
      region: 'eu-west-3',
    });
    if (access === null) throw new Error('no access');
    connection = new ValkeyConnection({
      access,
      clock: systemClock,
      log: { info: () => {}, warn: () => {} },
    });
    connection.start();
    await vi.waitUntil(() => connection.state.nodesUp === 1, { timeout: 15_000 });
  });
  afterAll(async () => {
    await connection?.close();
    await valkey?.stop();
  });

  test('may do all that tasks do with counters', async () => {
    const [one, other] = [new ValkeyCounters({ connection }), new ValkeyCounters({ connection })];
    const count = { key: NAME, startMs: 600_000, durationMs: 60_000, units: 5, unitsBefore: 3 };
    await one.exchange([count]);
    expect(await other.exchange([count])).toEqual([{ units: 5, unitsBefore: 3 }]);
    const reservation = { key: NAME, cost: 3, limit: 5, durationMs: 86_400_000 };
    const { taken, startMs } = await one.reserve(reservation);
    expect(taken).toBe(true);
    await one.release(reservation, startMs);
    expect(await other.reserve(reservation)).toMatchObject({ taken: true, used: 3 });
  });

  test.each([
    [
      'a key of somebody else’s, by a script',
      ['EVAL', "return redis.call('HMGET', KEYS[1], 'u')", '1', `{${NAME}}:other`],
    ],
    ['another command, by a script', ['EVAL', "return redis.call('DEL', KEYS[1])", '1', KEY]],
    ['another command', ['DEL', KEY]],
    ['all that there is', ['FLUSHALL']],
    ['all keys', ['KEYS', '*']],
    ['what others run', ['SCRIPT', 'FLUSH']],
    ['a channel', ['PUBLISH', 'kh:x', 'text']],
    ['settings', ['CONFIG', 'GET', '*']],
  ])('may not touch %s', async (_, command) => {
    await expect(connection.send(NAME, KEY, command)).rejects.toThrow(/NOPERM|can't run this command/);
  });
});
