import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { descendantsOf } from '../scripts/lib/processes.ts';
import { follow, setApplyDelay, waitForCatchUp } from '../scripts/local/postgres/replication.ts';
import { createKey, startTestZone, type TestZone } from '../test/zone.ts';

/**
 * A standby that crashes begins again at an earlier point, and shows the past until it has replayed what it had shown before. What was
 * revoked must stay revoked there. A delay of replay keeps the past visible for as long as the test looks.
 */
let zone: TestZone;
const KEYS = 6;
const DELAY_MS = 30_000;
/** A standby that opens at all with the delay opens soon. */
const OPEN_MS = 3000;
const ATTEMPTS = 6;

beforeAll(async () => {
  zone = await startTestZone();
}, 60_000);

afterAll(async () => await zone.stop());

/** Kills one process of a running server, after which its postmaster starts all of them again. */
function crash(region: 'eu-west-1'): void {
  const { pid } = zone.nodes[region];
  if (pid === undefined) throw new Error('the standby runs');
  const victim = descendantsOf(pid).find(({ pid: child }) =>
    readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('background writer'),
  );
  if (victim === undefined) throw new Error('there is no background writer');
  process.kill(victim.pid, 'SIGKILL');
}

/** How many of these keys the standby shows; null: it doesn't answer. */
async function shownKeys(keyIds: readonly string[]): Promise<number | null> {
  const database = new URL(zone.urlOf('eu-west-1')).pathname.slice(1);
  try {
    return await zone.nodes['eu-west-1'].asAdmin(async (client) => {
      const { rows } = await client.query<{ keys: number }>(
        'select count(*)::integer as keys from keys where deleted_at is null and id = any($1)',
        [keyIds],
      );
      return rows[0]?.keys ?? null;
    }, database);
  } catch {
    // Starting, or not consistent yet; asked again.
    return null;
  }
}

/**
 * Deletes keys, has that applied everywhere, and crashes the standby so that it shows them again. Where it begins again isn't ours to
 * say: it stays closed until it has replayed whatever page it wrote last. False: so it is this time.
 */
async function deleteAndFallBack(keys: readonly { keyId: string }[]): Promise<boolean> {
  const [us, eu] = [zone.nodes['us-east-1'], zone.nodes['eu-west-1']];
  await waitForCatchUp(eu, us, 10_000);
  for (const node of [us, eu]) await node.asAdmin(async (client) => await client.query('checkpoint'));
  let revision = '';
  for (const { keyId } of keys) {
    const deleted = await zone.task('us-east-1').call('keys.deleteKey', { keyId });
    revision = deleted.headers.get('keyhearth-revision') ?? '';
  }
  const waited = await zone.task('eu-west-1').call('revisions.wait', { revision, timeoutMs: 5000 });
  expect(waited.body.data).toMatchObject({ regions: { 'eu-west-1': { state: 'applied' } } });
  await setApplyDelay(eu, us, DELAY_MS);
  crash('eu-west-1');
  const until = performance.now() + OPEN_MS;
  const keyIds = keys.map(({ keyId }) => keyId);
  while (performance.now() < until) if ((await shownKeys(keyIds)) === keys.length) return true;
  return false;
}

/** Replays at once again, and waits until the standby answers. */
async function catchUp(): Promise<void> {
  const [us, eu] = [zone.nodes['us-east-1'], zone.nodes['eu-west-1']];
  follow(eu, us);
  await expect.poll(async () => await shownKeys([])).toBe(0);
  await waitForCatchUp(eu, us, 10_000);
}

test.skipIf(process.platform !== 'linux')(
  'keys that were revoked, and never looked at since, are refused while and after the reader shows the past (needs /proc)',
  async () => {
    const eu = zone.task('eu-west-1');
    for (let attempt = 1; ; attempt += 1) {
      const keys: { keyId: string; key: string }[] = [];
      for (let made = 0; made < KEYS; made += 1) keys.push(await createKey(zone, 'us-east-1'));
      const fellBack = await deleteAndFallBack(keys);
      for (const { key } of fellBack ? keys : []) {
        expect((await eu.verify(key)).body.data).toEqual({ valid: false, code: 'NOT_FOUND' });
      }
      await catchUp();
      const { key: live } = await createKey(zone, 'us-east-1');
      await expect.poll(async () => (await eu.verify(live)).body.data).toMatchObject({ valid: true });
      for (const { key } of keys) {
        expect((await eu.verify(key)).body.data).toEqual({ valid: false, code: 'NOT_FOUND' });
      }
      if (fellBack) return;
      if (attempt === ATTEMPTS)
        throw new Error('the standby never showed the past: this test proved nothing');
    }
  },
);
