import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { migrate } from './migrate.ts';
import { rowsOf } from './rows.ts';
import { isSupportedSchema, readSchemaVersion } from './schema-version.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());

const onWarning = (message: string): void => expect.unreachable(message);

async function versionOf(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await readSchemaVersion(rowsOf(client));
  } finally {
    await client.end();
  }
}

test('an empty database has schema 0, which no service works with', async () => {
  const version = await versionOf(await postgres.createDatabase('empty'));
  expect(version).toBe(0);
  expect(isSupportedSchema(version)).toBe(false);
});

test('migrating brings an empty database to a supported schema, and does nothing the second time', async () => {
  const url = await postgres.createDatabase('empty');
  const first = await migrate({ url, onWarning });
  expect(first.applied).toContain('0101_base');
  expect(isSupportedSchema(first.schema)).toBe(true);
  expect(await migrate({ url, onWarning })).toEqual({ applied: [], schema: first.schema });
  expect(await versionOf(url)).toBe(first.schema);
});

test('of several that migrate at once, one does the work and the others find it done', async () => {
  const url = await postgres.createDatabase('empty');
  const all = await Promise.all([1, 2, 3, 4].map(() => migrate({ url, onWarning })));
  expect(all.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
  expect(new Set(all.map(({ schema }) => schema)).size).toBe(1);
});
