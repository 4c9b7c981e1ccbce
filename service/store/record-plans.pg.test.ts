import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { databaseUrl, startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { explain } from '../../test/query-plan.ts';
import { READ_FIRST_WARM_PAGE, READ_NEXT_WARM_PAGE, READ_RECORDS } from './record-sql.ts';
import { rowsOf } from './rows.ts';

/** How records are read where there are many: by their indexes, so that a page costs what it holds and not what the table holds. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const KEYS = 100_000;
const PAGE = 2000;
const LARGE = new Set(['keys', 'key_roles', 'key_permissions', 'identities', 'credit_accounts']);
const FLOOR = [null, null, null, null, null, null, null];

let postgres: TestPostgres;
let client: pg.Client;
beforeAll(async () => {
  postgres = await startTestPostgres();
  const database = new URL(await postgres.createDatabase()).pathname.slice(1);
  client = new pg.Client({ connectionString: databaseUrl(postgres.primary.adminUrl, database) });
  await client.connect();
  // What refers to what is right as it is made here; checking it row by row takes most of the time.
  await client.query('set session_replication_role = replica');
  await client.query(`
    insert into workspaces (id, name) values ('ws_1', 'one');
    insert into apis (id, workspace_id, name) values ('api_1', 'ws_1', 'one');
    insert into permissions select 'perm_' || i, 'ws_1', 'p' || i, 'p' from generate_series(1, 50) i;
    insert into roles select 'role_' || i, 'ws_1', 'r' || i from generate_series(1, 20) i;
    insert into role_permissions select 'role_' || (1 + i % 20), 'perm_' || i from generate_series(1, 50) i;
    insert into credit_accounts (id, workspace_id, granted, free)
      select 'credits_' || i, 'ws_1', 9, 9 from generate_series(1, ${KEYS}) i;
    insert into identities (id, workspace_id, external_id, credit_account_id)
      select 'id_' || i, 'ws_1', 'user_' || i, 'credits_' || i from generate_series(1, ${KEYS}) i;
    insert into keys (id, workspace_id, api_id, identity_id, credit_account_id, hash, start, created_at)
      select 'key_' || i, 'ws_1', 'api_1', 'id_' || i, case when i % 2 = 0 then 'credits_' || i end, sha256(('k' || i)::bytea), 'x', now() - make_interval(secs => i)
      from generate_series(1, ${KEYS}) i;
    insert into key_roles select 'key_' || i, 'role_' || (1 + i % 20) from generate_series(1, ${KEYS}) i;
    insert into key_permissions select 'key_' || i, 'perm_' || (1 + i % 50) from generate_series(1, ${KEYS}) i`);
  await client.query('vacuum analyze');
});
afterAll(async () => {
  await client.end();
  await postgres.stop();
});

const hashes = Array.from({ length: 200 }, (_, at) => `sha256('k${at * 7 + 1}')`).join(', ');

test.each([
  ['one record', READ_RECORDS, [`array[sha256('k77')]`]],
  ['a batch of records', READ_RECORDS, [`array[${hashes}]`]],
  ['the first warm page', READ_FIRST_WARM_PAGE, [PAGE]],
  ['a later warm page', READ_NEXT_WARM_PAGE, [PAGE, `now() - interval '50000 s'`, `'key_1'`]],
] as const)('%s is read by indexes, with whatever plan is kept for it', async (_what, text, values) => {
  for (const mode of ['force_custom_plan', 'force_generic_plan']) {
    await client.query(`set plan_cache_mode = ${mode}`);
    await client.query('deallocate all');
    await client.query(`prepare reads as ${text}`);
    const reads = await explain(
      rowsOf(client),
      `execute reads (${[...values, ...FLOOR].map((value) => value ?? 'null').join(', ')})`,
    );
    const large = reads.scanned.filter((table) => LARGE.has(table));
    expect({ mode, large }).toEqual({ mode, large: [] });
    expect(reads.rowsMax).toBeLessThanOrEqual(PAGE);
  }
});
