import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasValkey, NEEDS_VALKEY } from '../../../test/valkey.ts';
import { freePort } from '../../lib/ports.ts';
import { commandOf } from '../../lib/processes.ts';
import { ask } from './ask.ts';
import { findValkey } from './program.ts';
import { ValkeyServer } from './server.ts';

describe.skipIf(!hasValkey)(`the shared counters of a region ${NEEDS_VALKEY}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'keyhearth-local-valkey-'));
  const notices: string[] = [];
  let server: ValkeyServer;

  beforeAll(async () => {
    const program = findValkey();
    if (program === undefined) throw new Error('the server on the PATH is too old');
    server = new ValkeyServer({
      region: 'eu-west-3',
      program,
      port: await freePort(),
      busPort: await freePort(),
      dir: join(dir, 'data'),
      logFile: join(dir, 'valkey.log'),
      onStarted: () => undefined,
      onNotice: (sentence) => notices.push(sentence),
      onChange: () => undefined,
    });
    await server.start(15_000);
  });

  afterAll(async () => {
    await server.stop();
    rmSync(dir, { recursive: true });
  });

  const passwordOf = ({ url }: ValkeyServer): string => new URL(url).password;

  test('it is a cluster that serves every slot', async () => {
    const info = await ask(server.port, passwordOf(server), 'CLUSTER INFO');
    expect(info).toContain('cluster_state:ok');
    expect(info).toContain('cluster_slots_ok:16384');
  });

  test('nobody gets in without the password, which neither arguments nor others’ eyes show', async () => {
    await expect(ask(server.port, 'guess', 'CLUSTER INFO')).rejects.toThrow(/WRONGPASS/);
    expect(commandOf(server.pid ?? 0)).toContain(String(server.port));
    expect(commandOf(server.pid ?? 0)).not.toContain(passwordOf(server));
    expect(statSync(join(dir, 'data', 'server.conf')).mode & 0o777).toBe(0o600);
  });

  test('killed, it is started again, empty and with the same password', async () => {
    const password = passwordOf(server);
    await ask(server.port, password, 'SET kh:one 1');
    const before = server.pid ?? 0;
    process.kill(before, 'SIGKILL');
    await expect.poll(async () => server.pid !== before && (await server.isReady())).toBe(true);
    expect(await ask(server.port, password, 'GET kh:one')).toBe('$-1\r\n+OK\r\n');
    expect(notices).toEqual(['Valkey of eu-west-3 ended by SIGKILL and is started again in 200 ms.']);
  });
});
