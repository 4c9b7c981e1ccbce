import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../scripts/lib/ports.ts';
import { findPostgres } from '../scripts/local/postgres/binaries.ts';
import { makeDataRoot } from '../scripts/local/postgres/data-root.ts';
import { PostgresNode } from '../scripts/local/postgres/node.ts';
import { newPasswords } from '../scripts/local/postgres/passwords.ts';
import { makeStandby } from '../scripts/local/postgres/replication.ts';
import { migrate } from '../service/store/migrate.ts';

/** A throw-away Postgres, for the tests of one file. */
export interface TestPostgres {
  readonly primary: PostgresNode;
  /** A new database with the present schema; with `empty`, without any. Returns its URL; the same on a standby with its port. */
  createDatabase(kind?: 'migrated' | 'empty'): Promise<string>;
  /** A standby that streams from the primary. */
  addStandby(name: string): Promise<PostgresNode>;
  /** Ends all servers and deletes their data. */
  stop(): Promise<void>;
}

const TEMPLATE = 'migrated_template';

/** Starts a primary: about 0.6 s. Call `stop` in `afterAll`, or the server goes on running. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const scratch = mkdtempSync(join(tmpdir(), 'keyhearth-test-'));
  const root = makeDataRoot(scratch).path;
  const binaries = findPostgres(root);
  const passwords = newPasswords();
  const makeNode = async (name: string): Promise<PostgresNode> =>
    new PostgresNode({
      name,
      port: await freePort(),
      binaries,
      passwords,
      dataDir: join(root, name),
      logFile: join(root, `${name}.log`),
    });
  const primary = await makeNode('primary');
  const nodes = [primary];
  await primary.init();
  await primary.start();
  const admin = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: databaseUrl(primary.adminUrl, 'postgres') });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  await admin(`create database ${TEMPLATE} owner keyhearth`);
  await migrate({
    url: databaseUrl(primary.url, TEMPLATE),
    onWarning: (message) => {
      throw new Error(message);
    },
  });
  return {
    primary,
    async createDatabase(kind = 'migrated') {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await admin(
        `create database ${name} owner keyhearth template ${kind === 'empty' ? 'template0' : TEMPLATE}`,
      );
      return databaseUrl(primary.url, name);
    },
    async addStandby(name) {
      const standby = await makeNode(name);
      nodes.push(standby);
      await makeStandby(primary, standby);
      return standby;
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.stop('immediate')));
      rmSync(root, { recursive: true, force: true });
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** The URL with another database. */
export function databaseUrl(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
