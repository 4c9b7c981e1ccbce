import { afterAll, beforeAll, expect, test } from 'vitest';
import { pauseReplay, resumeReplay } from '../scripts/local/postgres/replication.ts';
import { createKey, startTestZone, type TestTask, type TestZone } from '../test/zone.ts';

/** Heartbeats come every 200 ms here; a view may be three of them old. */
const MAX_STALENESS_MS = 600;

let zone: TestZone;
let confirming: TestTask;
let refusing: TestTask;
let hot: { keyId: string; key: string };

beforeAll(async () => {
  zone = await startTestZone({ KEYHEARTH_MAX_STALENESS_MS: String(MAX_STALENESS_MS) });
  confirming = await zone.startTask('eu-west-1', { KEYHEARTH_STALENESS_MODE: 'confirm' });
  refusing = await zone.startTask('eu-west-1', { KEYHEARTH_STALENESS_MODE: 'refuse' });
  hot = await createKey(zone, 'us-east-1');
}, 60_000);

afterAll(async () => await zone.stop());

test('while replication runs, no mode shows', async () => {
  for (const task of [zone.task('eu-west-1'), confirming, refusing]) {
    const answer = async () => await task.verify(hot.key);
    await expect.poll(async () => (await answer()).body.data).toMatchObject({ valid: true });
    expect((await answer()).headers.get('keyhearth-staleness-ms')).toBeNull();
  }
});

test('when replication pauses, each task follows its mode, and the revocation is not claimed', async () => {
  await pauseReplay(zone.nodes['eu-west-1']);
  const serving = zone.task('eu-west-1');
  const staleness = async () => Number((await serving.verify(hot.key)).headers.get('keyhearth-staleness-ms'));
  await expect.poll(staleness, { timeout: 5000 }).toBeGreaterThan(MAX_STALENESS_MS);

  const deleted = await zone.task('us-east-1').call('keys.deleteKey', { keyId: hot.keyId });
  // The other region has applied it; this one is behind, and says so.
  expect(deleted.headers.get('keyhearth-revocation')).toBe('confirmed');
  const revision = deleted.headers.get('keyhearth-revision') ?? '';
  const waited = await zone.task('us-east-1').call('revisions.wait', { revision, timeoutMs: 300 });
  expect(waited.body.data).toMatchObject({
    regions: { 'ap-southeast-1': { state: 'applied' }, 'eu-west-1': { state: 'pending' } },
  });

  expect((await serving.verify(hot.key)).body.data).toMatchObject({ valid: true });
  expect((await confirming.verify(hot.key)).body.data).toEqual({ valid: false, code: 'NOT_FOUND' });
  const refused = await refusing.verify(hot.key);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(refused.body.error).toMatchObject({ type: expect.stringMatching(/availability\/too_stale$/) });

  // A caller that names the revision never gets the older answer, whatever the mode.
  const atLeast = await serving.verify(hot.key, { 'keyhearth-min-revision': revision });
  expect(atLeast.body.data).toEqual({ valid: false, code: 'NOT_FOUND' });
});

test('when replication goes on, all catch up', async () => {
  await resumeReplay(zone.nodes['eu-west-1']);
  for (const task of [zone.task('eu-west-1'), confirming, refusing]) {
    await expect
      .poll(async () => (await task.verify(hot.key)).body.data)
      .toEqual({ valid: false, code: 'NOT_FOUND' });
    await expect
      .poll(async () => (await task.verify(hot.key)).headers.get('keyhearth-staleness-ms'))
      .toBeNull();
  }
});
