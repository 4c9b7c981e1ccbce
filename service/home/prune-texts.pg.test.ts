import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { contextOf, makeWriteSide, type WriteSide } from '../../test/write-side.ts';
import { databaseOf } from '../store/database.ts';
import { Pruner } from './pruner.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
let side: WriteSide;
beforeAll(async () => {
  postgres = await startTestPostgres();
  side = await makeWriteSide(await postgres.createDatabase());
});
afterAll(async () => {
  await side.end();
  await postgres.stop();
});

async function makeApi(texts: number): Promise<string> {
  const context = contextOf(side.principal);
  const { apiId } = (await side.manage.apis.createApi(context, { name: 'payments' })).data;
  await side.manage.apis.updateApi(context, { apiId, recoverableKeys: true });
  for (let key = 0; key < texts; key += 1) {
    // Those whose text isn't kept lie between the others.
    await side.manage.keys.createKey(context, { apiId, recoverable: true });
    await side.manage.keys.createKey(context, { apiId });
  }
  // Texts that are there are kept, whatever is said of new ones.
  await side.manage.apis.updateApi(context, { apiId, recoverableKeys: false });
  return apiId;
}

async function textsOf(apiId: string): Promise<number | null> {
  const found = await side.pool.query(
    'select from key_texts t join keys k on k.id = t.key_id where k.api_id = $1',
    [apiId],
  );
  return found.rowCount;
}

test('texts of a deleted API go in pieces, once no call can add to them; those of other APIs stay', async () => {
  const [gone, alsoGone, stays] = [await makeApi(5), await makeApi(1), await makeApi(2)];
  for (const apiId of [gone, alsoGone]) {
    await side.manage.apis.deleteApi(contextOf(side.principal), { apiId });
  }
  const pruner = new Pruner({
    database: databaseOf(side.pool),
    epoch: () => side.epoch,
    log: { info() {}, warn() {}, error() {} },
    batch: 4,
  });
  await pruner.prune();
  expect(pruner.counters.texts).toBe(0);
  await side.pool.query(`update apis set deleted_at = deleted_at - interval '2 minutes'`);
  await pruner.prune();
  expect(pruner.counters).toMatchObject({ texts: 6, failures: 0 });
  expect(await Promise.all([gone, alsoGone, stays].map(textsOf))).toEqual([0, 0, 2]);
  // They aren't looked at again.
  const left = await side.pool.query('select from apis where deleted_at is not null and recoverable_keys');
  expect(left.rowCount).toBe(0);
  expect(await side.manage.apis.getApi(side.principal, { apiId: stays })).toMatchObject({
    recoverableKeys: false,
  });
});
