import type { PoolClient } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, databaseUrl, type TestPostgres } from '../../test/postgres.ts';
import { makeWriteSide, readChanges, type WriteSide } from '../../test/write-side.ts';
import type { KeyHash } from '../domain/brands.ts';
import { startEpoch } from '../home/epochs.ts';
import type { AuditEntry, WriteTransaction } from '../manage/ports.ts';
import { databaseOf } from './database.ts';
import { EpochWriter } from './epoch-writer.ts';
import { createPool } from './pool.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
let url: string;
let side: WriteSide;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  url = await postgres.createDatabase();
  side = await makeWriteSide(url);
});
afterEach(() => side.end());

const entry: AuditEntry = {
  workspaceId: 'ws_1',
  actorKind: 'system',
  actorId: 'test',
  requestId: 'req_1',
  clientAddress: '',
  action: 'test',
  targetKind: 'api',
  targetId: 'api_1',
  detail: {},
};

function note(transaction: WriteTransaction): void {
  transaction.changed('api', 'api_1');
  transaction.changedRecord('key', 'key_1', 'ab'.repeat(32) as KeyHash);
  transaction.audit(entry);
}

async function countAudit(): Promise<number> {
  const { rows } = await side.pool.query<{ count: number }>(
    'select count(*)::integer as count from audit_log',
  );
  return rows[0]?.count ?? 0;
}

/** Ends the server's side of a transaction's connection, as a crash of the server would. */
async function cut(transaction: WriteTransaction): Promise<void> {
  const [backend] = await transaction.query<{ pid: number }>('select pg_backend_pid() as pid');
  await side.pool.query('select pg_terminate_backend($1)', [backend?.pid]);
  await expect
    .poll(async () => {
      const { rows } = await side.pool.query('select from pg_stat_activity where pid = $1', [backend?.pid]);
      return rows.length;
    })
    .toBe(0);
}

test('a write leaves its change rows and its audit line, all of the transaction that its revision names', async () => {
  const { value, revision } = await side.writer.write(async (transaction) => {
    note(transaction);
    return 'done';
  });
  expect(value).toBe('done');
  expect(revision.epoch).toEqual(side.epoch);
  const xid = revision.xid.toString();
  expect(await readChanges(side.pool)).toEqual([
    { epoch: 1, xid, kind: 'api', id: 'api_1', hash: null },
    { epoch: 1, xid, kind: 'key', id: 'key_1', hash: 'ab'.repeat(32) },
  ]);
  const { rows } = await side.pool.query('select xid::text, epoch, action from audit_log');
  expect(rows).toEqual([{ xid, epoch: 1, action: 'test' }]);
});

test('a write that fails leaves nothing, and its connection is used again', async () => {
  const failing = side.writer.write(async (transaction) => {
    note(transaction);
    await transaction.query(`insert into workspaces (id, name) values ('ws_new', 'new')`);
    throw new Error('refused');
  });
  await expect(failing).rejects.toThrow('refused');
  expect(await readChanges(side.pool)).toEqual([]);
  expect(await countAudit()).toBe(0);
  expect((await side.pool.query(`select from workspaces where id = 'ws_new'`)).rowCount).toBe(0);
  expect(side.writer.counters).toMatchObject({ committed: 0, rolledBack: 1 });
});

test('changes without an audit line are a fault, and nothing is written', async () => {
  const failing = side.writer.write(async (transaction) => transaction.changed('api', 'api_1'));
  await expect(failing).rejects.toThrow('no audit line');
  expect(await readChanges(side.pool)).toEqual([]);
});

test('a write of a former epoch is refused', async () => {
  const next = { epoch: { counter: 2, id: 'bbbbbbbb' }, region: 'eu-west-1' };
  const former = side.epoch;
  if (former === null) throw new Error('the side starts at home');
  const expected = { epoch: former, region: 'us-east-1' };
  expect(await startEpoch(databaseOf(side.pool), { expected, next })).toBe(true);
  const refused = side.writer.write(async (transaction) => note(transaction));
  await expect(refused).rejects.toMatchObject({ code: 'no_home' });
  expect(await readChanges(side.pool)).toEqual([]);
});

test('an epoch with the same counter and another id is another epoch', async () => {
  side.epoch = { counter: 1, id: 'zzzzzzzz' };
  const refused = side.writer.write(async (transaction) => note(transaction));
  await expect(refused).rejects.toMatchObject({ code: 'no_home' });
});

test('away from home nothing is tried', async () => {
  side.epoch = null;
  const refused = side.writer.write(async () => expect.unreachable());
  await expect(refused).rejects.toMatchObject({ code: 'no_home', retryAfterS: 1 });
});

test('another epoch waits for the writes that run, and whoever comes after it is refused', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const { promise: began, resolve: begin } = Promise.withResolvers<void>();
  const running = side.writer.write(async (transaction) => {
    note(transaction);
    begin();
    await gate;
  });
  await began;
  const former = side.epoch;
  if (former === null) throw new Error('the side starts at home');
  const next = { epoch: { counter: 2, id: 'bbbbbbbb' }, region: 'us-east-1' };
  const expected = { epoch: former, region: 'us-east-1' };
  const starting = startEpoch(databaseOf(side.pool), { expected, next });
  await expect
    .poll(async () => {
      const { rows } = await side.pool.query(
        `select from pg_locks where locktype = 'advisory' and not granted`,
      );
      return rows.length;
    })
    .toBe(1);
  open();
  await running;
  expect(await starting).toBe(true);
  await expect(side.writer.write(async () => {})).rejects.toMatchObject({ code: 'no_home' });
  const { rows } = await side.pool.query<{ ordered: boolean }>(
    'select bool_and(c.xid < e.started_xid) as ordered from changes c, epochs e where e.counter = 2',
  );
  expect(rows[0]?.ordered).toBe(true);
});

test('a connection lost before the commit: 503, certainly not applied, and the process lives', async () => {
  const failing = side.writer.write(async (transaction) => {
    note(transaction);
    await cut(transaction);
    await transaction.query('select 1');
  });
  await expect(failing).rejects.toMatchObject({ code: 'database_unavailable', status: 503 });
  expect(await readChanges(side.pool)).toEqual([]);
});

test('a connection lost before the commit arrived: the outcome is looked up, and it is 503', async () => {
  const failing = side.writer.write(async (transaction) => {
    note(transaction);
    // The audit line must be written before the connection goes, so that only the commit fails: it is written last.
    await transaction.query(
      `create function pg_temp.cut() returns trigger language plpgsql as
       $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$`,
    );
    await transaction.query(
      `create constraint trigger cut after insert on workspaces deferrable initially deferred
       for each row execute function pg_temp.cut()`,
    );
    await transaction.query(`insert into workspaces (id, name) values ('ws_new', 'new')`);
  });
  await expect(failing).rejects.toMatchObject({ code: 'database_unavailable', status: 503 });
  expect(side.writer.counters).toMatchObject({ unansweredCommits: 1, unknownOutcomes: 0 });
  expect(await readChanges(side.pool)).toEqual([]);
});

test('a commit that was applied and whose answer was lost is found out', async () => {
  loseCommitAnswers(side);
  const { revision } = await side.writer.write(async (transaction) => note(transaction));
  expect(side.writer.counters).toMatchObject({ committed: 1, unansweredCommits: 1 });
  const changes = await readChanges(side.pool);
  expect(changes.map((change) => change.xid)).toEqual([revision.xid.toString(), revision.xid.toString()]);
});

test('a lost answer that nobody can find out about is 504', async () => {
  loseCommitAnswers(side, () => side.pool.query(`delete from audit_log`));
  const unknown = side.writer.write(async (transaction) => note(transaction));
  await expect(unknown).rejects.toMatchObject({ code: 'outcome_unknown', status: 504 });
  expect(side.writer.counters).toMatchObject({ unknownOutcomes: 1 });
});

test('a server that is not there is 503', async () => {
  const pool = createPool({
    url: 'postgres://keyhearth:x@127.0.0.1:1/keyhearth',
    applicationName: 'test',
    onIdleError: () => {},
  });
  const writer = new EpochWriter({ pool, epoch: () => ({ counter: 1, id: 'aaaaaaaa' }) });
  await expect(writer.write(async () => {})).rejects.toMatchObject({
    code: 'database_unavailable',
    retryAfterS: 1,
  });
  await pool.end();
});

test('a standby is no home', async () => {
  const standby = await postgres.addStandby('refusing');
  const database = new URL(url).pathname.slice(1);
  const pool = createPool({
    url: databaseUrl(standby.url, database),
    applicationName: 'test',
    onIdleError: () => {},
  });
  const writer = new EpochWriter({ pool, epoch: () => side.epoch });
  await expect(writer.write(async () => {})).rejects.toMatchObject({ code: 'no_home' });
  await pool.end();
});

/** From now on commits are applied, and their answers don't arrive. */
function loseCommitAnswers(from: WriteSide, between: () => Promise<unknown> = async () => {}): void {
  const { pool } = from;
  const connect = pool.connect.bind(pool);
  const losing = async (): Promise<PoolClient> => {
    const client = await connect();
    // The client's own signature is a set of overloads, of which we pass on whichever was meant.
    const query = client.query.bind(client) as unknown as (...values: readonly unknown[]) => Promise<unknown>;
    const loseAnswer = async (...values: readonly unknown[]): Promise<unknown> => {
      const answer = await query(...values);
      if (values[0] !== 'commit') return answer;
      await between();
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    };
    return Object.assign(client, { query: loseAnswer });
  };
  // The pool itself uses the form with a callback, and the writer the one without, which is the one that loses answers.
  pool.connect = ((callback?: Parameters<typeof connect>[0]) =>
    callback === undefined ? losing() : connect(callback)) as typeof pool.connect;
}
