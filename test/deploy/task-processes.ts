import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { basicEnvironment } from '../../scripts/lib/environment.ts';
import { freePort } from '../../scripts/lib/ports.ts';
import type { ContainerLaunch, TaskLaunch, TaskRunner } from '../fake-aws/task-runner.ts';
import type { TestPostgres } from '../postgres.ts';

const DATABASE_URL = /postgres:\/\/(\w+)@[\w.-]+:5432\/\w+/g;
/** The test's Postgres has one of the name that RDS would make. */
const DATABASE = 'deployed';
const ENTRY = /^\/app\/([\w-]+)\.mjs$/;

/**
 * Runs what task definitions say as processes of this repository beside a real Postgres. A container's command and its settings are those
 * of its definition, with what one machine can't have put in place of it: the database's host, its passwords instead of IAM tokens, no
 * TLS to it, and a port that is free.
 */
export class TaskProcesses implements TaskRunner {
  readonly runsServices = true;
  readonly #postgres: TestPostgres;
  readonly #appPassword = randomBytes(16).toString('hex');
  readonly #children = new Set<ChildProcess>();
  #servicePort: number | null = null;

  constructor(postgres: TestPostgres) {
    this.#postgres = postgres;
  }

  /** Where the service that was started last listens; null before. */
  get servicePort(): number | null {
    return this.#servicePort;
  }

  async run(launch: TaskLaunch): Promise<Readonly<Record<string, number>>> {
    const codes: Record<string, number> = {};
    for (const container of launch.containers) {
      await this.#prepareMaster(container);
      const code = await this.#runContainer(launch, container);
      codes[container.name] = code;
      if (code !== 0) break;
    }
    return codes;
  }

  /** Ends what still runs. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#children].map(async (child) => {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await ended;
      }),
    );
  }

  /** The master user that RDS makes with a cluster: no superuser, owner of the database. */
  async #prepareMaster({ environment }: ContainerLaunch): Promise<void> {
    const password = environment['KEYHEARTH_MASTER_PASSWORD'];
    const [, user] = [...(environment['KEYHEARTH_MASTER_URLS'] ?? '').matchAll(DATABASE_URL)][0] ?? [];
    if (password === undefined || user === undefined) return;
    await this.#postgres.primary.asAdmin(async (client) => {
      const { rowCount } = await client.query('select from pg_roles where rolname = $1', [user]);
      if (rowCount !== 0) return;
      await client.query(`create role ${user} login createrole createdb password '${password}'`);
      await client.query(`create database ${DATABASE} owner ${user} template template0`);
    });
  }

  async #runContainer(launch: TaskLaunch, container: ContainerLaunch): Promise<number> {
    const [file = '', ...args] = container.command;
    const entry = ENTRY.exec(file)?.[1];
    if (entry === undefined) throw new Error(`${container.name} runs ${container.command.join(' ')}`);
    const child = spawn(process.execPath, [`service/${entry}.ts`, ...args], {
      env: { ...basicEnvironment(), ...(await this.#settings(container.environment)) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    const stop = (): void => void child.kill('SIGTERM');
    launch.signal.addEventListener('abort', stop);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => launch.log(container.name, line));
    }
    const code = await new Promise<number>((resolve) =>
      child.on('close', (status) => resolve(status ?? 137)),
    );
    this.#children.delete(child);
    return code;
  }

  async #settings(environment: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const { port } = this.#postgres.primary;
    const passwords: Record<string, string> = { keyhearth_app: `:${this.#appPassword}` };
    const rewritten = Object.entries(environment).map(([name, value]) => [
      name,
      value.replaceAll(
        DATABASE_URL,
        (_, user: string) => `postgres://${user}${passwords[user] ?? ''}@127.0.0.1:${port}/${DATABASE}`,
      ),
    ]);
    const settings: Record<string, string> = {
      ...Object.fromEntries(rewritten),
      KEYHEARTH_DATABASE_AUTH: 'password',
      KEYHEARTH_DATABASE_TLS: 'off',
    };
    if ('KEYHEARTH_MASTER_URLS' in settings) settings['KEYHEARTH_APP_PASSWORD'] = this.#appPassword;
    if ('KEYHEARTH_PORT' in settings) {
      this.#servicePort = await freePort();
      settings['KEYHEARTH_PORT'] = String(this.#servicePort);
    }
    return settings;
  }
}
