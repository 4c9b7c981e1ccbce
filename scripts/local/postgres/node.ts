import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { BoundedLog } from '../../lib/bounded-log.ts';
import {
  commandOf,
  descendantsOf,
  endProcesses,
  identify,
  isRunning,
  type ProcessIdentity,
} from '../../lib/processes.ts';
import { errorCode, errorText, UserError } from '../../lib/user-error.ts';
import { waitFor } from '../../lib/wait.ts';
import type { PostgresBinaries } from './binaries.ts';
import type { PostgresPasswords } from './passwords.ts';
import {
  accessRules,
  replicationFile,
  replicationSettings,
  type ReplicationSettings,
  serverSettings,
} from './settings.ts';

export interface PostgresNodeOptions {
  /** Short and unique within its zone, `[a-z0-9-]+`: the region. The primary sees a standby under this name. */
  readonly name: string;
  /** Under a folder from `makeDataRoot`, so that Postgres' own user can reach it. */
  readonly dataDir: string;
  readonly port: number;
  readonly binaries: PostgresBinaries;
  /** The same for all nodes of a zone. */
  readonly passwords: PostgresPasswords;
  readonly logFile: string;
  /** Told of each server process, and each initdb, as it is started, e.g. so that a guard can end it when we die. */
  readonly onStarted?: (server: ProcessIdentity) => void;
  /** Told when a server has ended; `asked` is false for a crash. */
  readonly onExited?: (asked: boolean) => void;
}

/**
 * One real Postgres 18 server with its data directory, on loopback, with passwords. It is a primary or a standby depending on what
 * its directory says (`standby.signal`); replication.ts makes standbys, promotes and re-points them.
 *
 * In a test:
 *
 *     const root = makeDataRoot(mkdtempSync(join(tmpdir(), 'kh-'))).path;   // as root: a place that `nobody` can reach
 *     const binaries = findPostgres(root), passwords = newPasswords();
 *     const node = (name, port) => new PostgresNode({ name, port, binaries, passwords, dataDir: join(root, name), logFile: join(root, `${name}.log`) });
 *     const primary = node('a', await freePort()), standby = node('b', await freePort());
 *     await primary.init();
 *     await primary.start();
 *     await makeStandby(primary, standby);       // copies, starts and returns when it streams: about 0.3 s
 *     … primary.url, standby.url …               // role keyhearth, database keyhearth, which it owns
 *     await Promise.all([standby.stop('immediate'), primary.stop('immediate')]);
 *     rmSync(root, { recursive: true });
 *
 * A start takes some 60 ms, `init` some 500 ms. The server outlives this process if nobody stops it.
 */
export class PostgresNode {
  readonly name: string;
  readonly dataDir: string;
  readonly port: number;
  readonly passwords: PostgresPasswords;
  readonly #options: PostgresNodeOptions;
  readonly #log: BoundedLog;
  #server: { readonly child: ChildProcess; readonly identity: ProcessIdentity } | undefined;
  #stopping = false;
  #lastOutput = '';

  constructor(options: PostgresNodeOptions) {
    this.#options = options;
    this.name = options.name;
    this.dataDir = options.dataDir;
    this.port = options.port;
    this.passwords = options.passwords;
    this.#log = new BoundedLog(options.logFile);
  }

  /** For the service: role and database `keyhearth`. */
  get url(): string {
    return `postgres://keyhearth:${this.passwords.service}@127.0.0.1:${this.port}/keyhearth`;
  }

  /** For control: role `postgres`, superuser, on database `keyhearth`. */
  get adminUrl(): string {
    return `postgres://postgres:${this.passwords.admin}@127.0.0.1:${this.port}/keyhearth`;
  }

  /** Of the server that runs, or undefined. */
  get pid(): number | undefined {
    return this.isRunning ? this.#server?.identity.pid : undefined;
  }

  get isRunning(): boolean {
    return (
      this.#server !== undefined &&
      this.#server.child.exitCode === null &&
      this.#server.child.signalCode === null
    );
  }

  /** Is there a data directory that was made to the end? */
  get isInitialised(): boolean {
    return existsSync(join(this.dataDir, 'PG_VERSION')) && !existsSync(`${this.dataDir}.unfinished`);
  }

  /** Does its directory say that it starts as a standby? */
  get isStandby(): boolean {
    return existsSync(join(this.dataDir, 'standby.signal'));
  }

  get account(): PostgresBinaries['account'] {
    return this.#options.binaries.account;
  }

  /** Makes a new, empty primary with roles and database, replacing what is in the data directory. Leaves it stopped. */
  async init(): Promise<void> {
    this.beginDirectory();
    const passwordFile = `${this.dataDir}.password`;
    this.writeOwned(passwordFile, this.passwords.admin);
    try {
      await this.#runInitdb(passwordFile);
    } finally {
      rmSync(passwordFile, { force: true });
    }
    this.writeOwned(join(this.dataDir, 'pg_hba.conf'), accessRules);
    this.configureReplication({ source: null, applyDelayMs: 0 });
    await this.start();
    await this.#createRoles();
    await this.stop('fast');
    this.finishDirectory();
  }

  /** Empties the data directory and marks it as unfinished, so that a half-made one is never started. */
  beginDirectory(): void {
    if (this.isRunning) throw new Error(`Postgres ${this.name} runs: its data can't be replaced`);
    mkdirSync(dirname(this.dataDir), { recursive: true, mode: 0o711 });
    writeFileSync(`${this.dataDir}.unfinished`, '');
    rmSync(this.dataDir, { recursive: true, force: true });
    mkdirSync(this.dataDir, { mode: 0o700 });
    this.own(this.dataDir);
  }

  finishDirectory(): void {
    rmSync(`${this.dataDir}.unfinished`, { force: true });
  }

  /** Writes a file that the server's user may read and nobody else. */
  writeOwned(path: string, content: string | Uint8Array): void {
    writeFileSync(path, content, { mode: 0o600 });
    this.own(path);
  }

  own(path: string): void {
    if (this.account !== undefined) chownSync(path, this.account.uid, this.account.gid);
  }

  /** Replaces the settings of replication; a server that runs takes them up with `reload`. */
  configureReplication(settings: ReplicationSettings): void {
    this.writeOwned(join(this.dataDir, replicationFile), replicationSettings(settings));
  }

  /** Makes the server read its settings again. */
  reload(): void {
    if (this.#server !== undefined && this.isRunning) this.#server.child.kill('SIGHUP');
  }

  /**
   * Starts the server and returns once it answers queries. Ends what an earlier run left on the same data. Fails with `UserError`
   * where the cause is known to be outside (port taken, disk full, a library missing).
   */
  async start(timeoutMs = 30_000): Promise<void> {
    if (this.isRunning) return;
    await endLeftover(this.dataDir);
    this.writeOwned(join(this.dataDir, 'postgresql.conf'), serverSettings(this.port));
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      this.#spawn();
      try {
        await waitFor(() => this.#answers(), {
          what: `Postgres ${this.name} to answer`,
          timeoutMs,
          intervalMs: 15,
        });
        return;
      } catch (error) {
        await this.kill();
        // Processes of a killed server notice within moments that it is gone, and hold its memory until then.
        const heldBack = /pre-existing shared memory block/.test(this.#lastOutput);
        if (!heldBack || performance.now() > deadline) throw this.#explain(error);
        await delay(100);
      }
    }
  }

  /** `fast` rolls back what runs and sends everything to standbys first; `immediate` is a crash that is tidied up at the next start. */
  async stop(mode: 'fast' | 'immediate', timeoutMs = 15_000): Promise<void> {
    const server = this.#server;
    if (server === undefined || !this.isRunning) return;
    this.#stopping = true;
    await endProcesses([server.identity], mode === 'fast' ? 'SIGINT' : 'SIGQUIT', timeoutMs);
    await this.#collected(server.child);
  }

  /** SIGKILL for the server and all its processes, as when a machine is lost. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#stopping = true;
    const family = [server.identity, ...descendantsOf(server.identity.pid)];
    await endProcesses(family, 'SIGKILL', 5_000);
    await this.#collected(server.child);
  }

  /** Runs `work` with a superuser's connection of its own. */
  async asAdmin<T>(work: (client: Client) => Promise<T>, database = 'keyhearth'): Promise<T> {
    const client = new Client({
      host: '127.0.0.1',
      port: this.port,
      user: 'postgres',
      password: this.passwords.admin,
      database,
      connectionTimeoutMillis: 5_000,
    });
    // A server that stops ends its connections; whoever waits for a query hears of it through that query.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async #runInitdb(passwordFile: string): Promise<void> {
    const auth = ['-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    const encoding = [
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
    ];
    await this.#initdb([...auth, ...encoding, '--no-instructions']);
  }

  /** Returns once all files of the data directory are on the disk: the server itself looks after those that it writes. */
  async syncToDisk(): Promise<void> {
    await this.#initdb(['--sync-only']);
  }

  async #initdb(args: readonly string[]): Promise<void> {
    this.#lastOutput = '';
    const child = spawn(this.#options.binaries.initdb, ['-D', this.dataDir, ...args], this.#spawnOptions());
    this.#follow(child);
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity !== undefined) this.#options.onStarted?.(identity);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0)
      throw this.#explain(new Error(`initdb of ${this.name} ended with ${code}: ${this.#lastOutput.trim()}`));
  }

  async #createRoles(): Promise<void> {
    await this.asAdmin(async (client) => {
      await client.query(`create role keyhearth login password '${this.passwords.service}'`);
      await client.query(
        `create role replication login replication password '${this.passwords.replication}'`,
      );
      await client.query('create database keyhearth owner keyhearth');
    }, 'postgres');
  }

  #spawnOptions() {
    return {
      ...this.account,
      cwd: dirname(this.dataDir),
      // Nothing of our environment belongs in a database server; its locale and time zone are fixed above.
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['ignore' as const, 'pipe' as const, 'pipe' as const],
      // Its own session: Ctrl-C at the terminal is for us, and we stop it in order.
      detached: true,
    };
  }

  #spawn(): void {
    this.#stopping = false;
    this.#lastOutput = '';
    const child = spawn(this.#options.binaries.postgres, ['-D', this.dataDir], this.#spawnOptions());
    child.once('error', (error) => {
      this.#lastOutput += errorText(error);
    });
    this.#follow(child);
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) {
      this.#server = undefined;
      return;
    }
    this.#server = { child, identity };
    child.once('exit', () => this.#options.onExited?.(this.#stopping));
    this.#options.onStarted?.(identity);
  }

  #follow(child: ChildProcess): void {
    const take = (chunk: Buffer): void => {
      this.#log.write(chunk);
      this.#lastOutput = (this.#lastOutput + chunk.toString('utf8')).slice(-4_000);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
  }

  async #answers(): Promise<boolean> {
    if (!this.isRunning)
      throw new Error(`Postgres ${this.name} ended while starting: ${this.#lastOutput.trim()}`);
    try {
      await this.asAdmin((client) => client.query('select 1'), 'postgres');
      return true;
    } catch (error) {
      // Refused while it isn't listening; 57P03 and a cut connection while it recovers.
      if (['ECONNREFUSED', 'ECONNRESET', '57P03', '57P01'].includes(errorCode(error) ?? '')) return false;
      if (errorText(error).includes('Connection terminated')) return false;
      throw error;
    }
  }

  async #collected(child: ChildProcess): Promise<void> {
    await waitFor(() => child.exitCode !== null || child.signalCode !== null, {
      what: `Postgres ${this.name} to be gone`,
      timeoutMs: 5_000,
    });
  }

  #explain(error: unknown): unknown {
    const output = this.#lastOutput;
    if (/could not bind|Address already in use/.test(output)) {
      return new UserError(
        `Port ${this.port}, which Postgres ${this.name} needs, is taken by another program.`,
      );
    }
    if (/No space left on device/.test(output)) {
      return new UserError(`The disk is full: Postgres ${this.name} can't write to ${this.dataDir}.`);
    }
    if (/error while loading shared libraries|Library not loaded/.test(output)) {
      return new UserError(`Postgres can't start on this machine: ${output.trim().split('\n')[0] ?? ''}`);
    }
    return error;
  }
}

/** Ends a server that an earlier run left behind on this data directory. */
export async function endLeftover(dataDir: string): Promise<void> {
  let lines: string[];
  try {
    lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  const server = identify(Number(lines[0]));
  // The pid may have gone to another program since: only a process that works in this very directory is ours.
  if (server === undefined || !commandOf(server.pid).includes(dataDir)) return;
  await endProcesses([server, ...descendantsOf(server.pid)], 'SIGQUIT', 5_000);
  await waitFor(() => !isRunning(server), { what: 'a left-over Postgres to end', timeoutMs: 5_000 });
}
