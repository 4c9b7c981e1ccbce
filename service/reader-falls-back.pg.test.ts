import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { descendantsOf } from '../scripts/lib/processes.ts';
import { setApplyDelay } from '../scripts/local/postgres/replication.ts';
import { createKey, startTestZone, type TestZone } from '../test/zone.ts';

/**
 * A standby that crashes begins again at an earlier point, and shows the past until it has replayed what it had shown before. What was
 * revoked must stay revoked there. A delay of replay keeps the past visible for as long as the test looks.
 */
let zone: TestZone;
const KEYS = 6;
const DELAY_MS = 30_000;

beforeAll(async () => {
  zone = await startTestZone();
}, 60_000);

afterAll(async () => await zone.stop());

/** Kills one process of a running server, after which its postmaster starts all of them again. */
async function crash(region: 'eu-west-1'): Promise<void> {
  const { pid } = zone.nodes[region];
  if (pid === undefined) throw new Error('the standby runs');
  const victim = descendantsOf(pid).find(({ pid: child }) =>
    readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('background writer'),
  );
  if (victim === undefined) throw new Error('there is no background writer');
  process.kill(victim.pid, 'SIGKILL');
  await expect
    .poll(async () => {
      const past = await zone.nodes[region].asAdmin(async (client) => {
        const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
        return rows[0]?.standby;
      });
      return past;
    })
    .toBe(true);
}

test.skipIf(process.platform !== 'linux')(
  'keys that were revoked, and never looked at since, are refused while and after the reader shows the past (needs /proc)',
  async () => {
    const eu = zone.task('eu-west-1');
    const keys: { keyId: string; key: string }[] = [];
    for (let made = 0; made < KEYS; made += 1) keys.push(await createKey(zone, 'us-east-1'));
    // The restart point, from which a crash begins again, lies before the deletions.
    await zone.nodes['us-east-1'].asAdmin(async (client) => await client.query('checkpoint'));
    await expect
      .poll(async () => (await eu.verify(keys[0]?.key ?? '')).body.data)
      .toMatchObject({ valid: true });
    await zone.nodes['eu-west-1'].asAdmin(async (client) => await client.query('checkpoint'));
    let revision = '';
    for (const { keyId } of keys) {
      const deleted = await zone.task('us-east-1').call('keys.deleteKey', { keyId });
      revision = deleted.headers.get('keyhearth-revision') ?? '';
    }
    const waited = await eu.call('revisions.wait', { revision, timeoutMs: 5000 });
    expect(waited.body.data).toMatchObject({ regions: { 'eu-west-1': { state: 'applied' } } });
    await setApplyDelay(zone.nodes['eu-west-1'], zone.nodes['us-east-1'], DELAY_MS);
    await crash('eu-west-1');
    const shown = await zone.nodes['eu-west-1'].asAdmin(
      async (client) =>
        await client.query<{ keys: number }>(
          'select count(*)::integer as keys from keys where deleted_at is null',
        ),
      new URL(zone.urlOf('eu-west-1')).pathname.slice(1),
    );
    // The test is about this: the reader does show them.
    expect(shown.rows[0]?.keys).toBe(KEYS);
    for (const { key } of keys) {
      expect((await eu.verify(key)).body.data).toEqual({ valid: false, code: 'NOT_FOUND' });
    }
    await setApplyDelay(zone.nodes['eu-west-1'], zone.nodes['us-east-1'], 0);
    const { key } = await createKey(zone, 'us-east-1');
    await expect.poll(async () => (await eu.verify(key)).body.data).toMatchObject({ valid: true });
    for (const { key: dead } of keys) {
      expect((await eu.verify(dead)).body.data).toEqual({ valid: false, code: 'NOT_FOUND' });
    }
  },
);
