import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { basicEnvironment } from '../scripts/lib/environment.ts';
import { databaseUrl, type TestPostgres } from './postgres.ts';

/** An empty database with a master user as RDS makes it: no superuser, may create roles, owns the database. */
export interface MasteredDatabase {
  readonly name: string;
  readonly master: string;
  readonly masterPassword: string;
  readonly appPassword: string;
  /** Without password. */
  readonly masterUrl: string;
  /** As keyhearth_app, with its password. */
  readonly appUrl: string;
  /** What the migrator is to be told. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The roles that the migrator makes belong to the server, so all databases of one server have one master and one app password. */
export class MasteredServer {
  readonly #postgres: TestPostgres;
  readonly #master = `master_${randomBytes(4).toString('hex')}`;
  readonly #masterPassword = randomBytes(16).toString('hex');
  readonly #appPassword = randomBytes(16).toString('hex');

  private constructor(postgres: TestPostgres) {
    this.#postgres = postgres;
  }

  static async on(postgres: TestPostgres): Promise<MasteredServer> {
    const server = new MasteredServer(postgres);
    await postgres.primary.asAdmin(async (client) => {
      await client.query(
        `create role ${server.#master} login createrole createdb password '${server.#masterPassword}'`,
      );
    });
    return server;
  }

  async createDatabase(): Promise<MasteredDatabase> {
    const name = `prepared_${randomBytes(6).toString('hex')}`;
    await this.#postgres.primary.asAdmin(async (client) => {
      await client.query(`create database ${name} owner ${this.#master} template template0`);
    });
    return this.describe(name);
  }

  describe(name: string): MasteredDatabase {
    const { port } = this.#postgres.primary;
    const masterUrl = `postgres://${this.#master}@127.0.0.1:${port}/${name}`;
    const appUrl = `postgres://keyhearth_app:${this.#appPassword}@127.0.0.1:${port}/${name}`;
    return {
      name,
      master: this.#master,
      masterPassword: this.#masterPassword,
      appPassword: this.#appPassword,
      masterUrl,
      appUrl,
      settings: {
        KEYHEARTH_READER_URLS: appUrl,
        KEYHEARTH_MASTER_URLS: masterUrl,
        KEYHEARTH_MASTER_PASSWORD: this.#masterPassword,
        KEYHEARTH_APP_PASSWORD: this.#appPassword,
      },
    };
  }

  /** Runs queries as a superuser. */
  async asAdmin<T>(database: MasteredDatabase, work: (client: pg.Client) => Promise<T>): Promise<T> {
    return await withClient(databaseUrl(this.#postgres.primary.adminUrl, database.name), work);
  }
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** How an entry of the service ended. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `node service/<entry>.ts` with these settings and nothing else of ours. */
export async function runEntry(
  entry: string,
  settings: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Ended> {
  const child = spawn(process.execPath, [`service/${entry}.ts`, ...args], {
    env: { ...basicEnvironment(), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { status, stdout, stderr };
}
