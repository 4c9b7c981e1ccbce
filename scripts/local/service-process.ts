import { type ChildProcess, spawn } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { BoundedLog } from '../lib/bounded-log.ts';
import { basicEnvironment } from '../lib/environment.ts';
import { endProcesses, identify, type ProcessIdentity } from '../lib/processes.ts';
import { waitFor } from '../lib/wait.ts';
import { repository } from './places.ts';

export interface ServiceProcessOptions {
  /** `<region>/<number>`: a place that one process fills at a time. */
  readonly slot: string;
  readonly port: number;
  /** Settings beyond those that follow from slot and port. */
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly onStarted: (identity: ProcessIdentity) => void;
  /** Told in one sentence of a crash. */
  readonly onNotice: (sentence: string) => void;
  /** Told when the process came or went. */
  readonly onChange: () => void;
}

const backoff = { firstMs: 200, mostMs: 10_000, forgottenAfterMs: 30_000 } as const;
const shutdownMs = 20_000;

/**
 * One task of the service: a Node process that is started again, with growing pauses, when it crashes, and stays down when it was killed or
 * stopped on purpose. It holds an IPC channel to us, by which it notices that we are gone.
 */
export class ServiceProcess {
  readonly port: number;
  readonly #options: ServiceProcessOptions;
  readonly #log: BoundedLog;
  #running:
    | { readonly child: ChildProcess; readonly identity: ProcessIdentity; readonly startedAt: number }
    | undefined;
  #isWanted = false;
  #pauseMs: number = backoff.firstMs;
  #restart: NodeJS.Timeout | undefined;
  #lastLine = '';

  constructor(options: ServiceProcessOptions) {
    this.#options = options;
    this.port = options.port;
    this.#log = new BoundedLog(options.logFile);
  }

  get pid(): number | undefined {
    return this.#running?.identity.pid;
  }

  /** Starts it and returns once it is ready. Fails where it ends before or takes too long; it is down then. */
  async start(timeoutMs: number): Promise<void> {
    if (this.#running === undefined) {
      this.#isWanted = true;
      this.#pauseMs = backoff.firstMs;
      this.#spawn();
    }
    try {
      await waitFor(() => this.#isReadyOrGone(), {
        what: `the service of ${this.#options.slot} to be ready`,
        timeoutMs,
        intervalMs: 40,
      });
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  async #isReadyOrGone(): Promise<boolean> {
    if (this.#running !== undefined) return this.isReady();
    this.#isWanted = false;
    clearTimeout(this.#restart);
    throw new Error(
      `The service of ${this.#options.slot} ended while it started: ${this.#lastLine} (its log is ${this.#options.logFile})`,
    );
  }

  /** Does it answer /readyz with 2xx now? */
  async isReady(): Promise<boolean> {
    return this.#running !== undefined && (await get(this.port, '/readyz'));
  }

  /** SIGTERM, and SIGKILL where that doesn't end it in time. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** SIGKILL, as when a machine is lost; it stays down. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#isWanted = false;
    clearTimeout(this.#restart);
    const running = this.#running;
    if (running === undefined) return;
    await endProcesses([running.identity], signal, shutdownMs);
    await waitFor(() => this.#running !== running, {
      what: `${this.#options.slot} to be gone`,
      timeoutMs: 5_000,
    });
  }

  #spawn(): void {
    const { slot, env, port } = this.#options;
    this.#lastLine = '';
    const child = spawn(process.execPath, [join(repository, 'service', 'main.ts')], {
      cwd: repository,
      env: {
        ...basicEnvironment(),
        NODE_ENV: 'production',
        ...env,
        KEYHEARTH_HOST: '127.0.0.1',
        KEYHEARTH_PORT: String(port),
        KEYHEARTH_TASK_SLOT: slot,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Its own session: Ctrl-C at the terminal is for us, and we stop it in order.
      detached: true,
    });
    const take = (chunk: Buffer): void => {
      this.#log.write(chunk);
      const lines = chunk.toString('utf8').trim().split('\n');
      this.#lastLine = lines.at(-1)?.slice(0, 500) ?? this.#lastLine;
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.on('error', (error) => {
      this.#lastLine = error.message;
    });
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) return;
    const running = { child, identity, startedAt: performance.now() };
    this.#running = running;
    this.#options.onStarted(identity);
    child.once('exit', (code, signal) => this.#exited(running.startedAt, code, signal));
    this.#options.onChange();
  }

  #exited(startedAt: number, code: number | null, signal: NodeJS.Signals | null): void {
    this.#running = undefined;
    this.#options.onChange();
    if (!this.#isWanted) return;
    if (performance.now() - startedAt > backoff.forgottenAfterMs) this.#pauseMs = backoff.firstMs;
    const how = signal === null ? `with code ${code ?? 'unknown'}` : `by ${signal}`;
    this.#options.onNotice(
      `The service of ${this.#options.slot} ended ${how} and is started again in ${this.#pauseMs} ms.`,
    );
    this.#restart = setTimeout(() => this.#spawn(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, backoff.mostMs);
  }
}

/** GET on loopback; true for 2xx, false for everything else. */
function get(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, path, agent: false, timeout: 1_000 }, (answer) => {
      answer.resume();
      const status = answer.statusCode ?? 0;
      resolve(status >= 200 && status < 300);
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(false));
    call.end();
  });
}
