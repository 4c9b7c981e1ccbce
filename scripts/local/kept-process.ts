import type { ChildProcess } from 'node:child_process';
import { BoundedLog } from '../lib/bounded-log.ts';
import { endProcesses, identify, type ProcessIdentity } from '../lib/processes.ts';
import { waitFor } from '../lib/wait.ts';

export interface KeptProcessOptions {
  /** For sentences: "the service of eu-west-1/0". */
  readonly what: string;
  readonly spawn: () => ChildProcess;
  /** Whether it does its work now. Asked only while it runs. */
  readonly isReady: () => Promise<boolean>;
  readonly logFile: string;
  /** How long it has after SIGTERM, ms. */
  readonly shutdownMs: number;
  readonly onStarted: (identity: ProcessIdentity) => void;
  /** Told in one sentence of a crash. */
  readonly onNotice: (sentence: string) => void;
  /** Told when the process came or went. */
  readonly onChange: () => void;
}

const backoff = { firstMs: 200, mostMs: 10_000, forgottenAfterMs: 30_000 } as const;

/**
 * A process that is started again, with growing pauses, when it crashes, and stays down when it was killed or stopped on purpose.
 * What it prints goes to a log of bounded size.
 */
export class KeptProcess {
  readonly #options: KeptProcessOptions;
  readonly #log: BoundedLog;
  #running:
    | { readonly child: ChildProcess; readonly identity: ProcessIdentity; readonly startedAt: number }
    | undefined;
  #isWanted = false;
  #pauseMs: number = backoff.firstMs;
  #restart: NodeJS.Timeout | undefined;
  #lastLine = '';

  constructor(options: KeptProcessOptions) {
    this.#options = options;
    this.#log = new BoundedLog(options.logFile);
  }

  get pid(): number | undefined {
    return this.#running?.identity.pid;
  }

  /** Starts it and returns once it is ready. Fails where it ends before or takes too long; it is down then. */
  async start(timeoutMs: number): Promise<void> {
    if (this.#running === undefined) {
      clearTimeout(this.#restart);
      this.#isWanted = true;
      this.#pauseMs = backoff.firstMs;
      this.#spawn();
    }
    try {
      await waitFor(() => this.#isReadyOrGone(), {
        what: `${this.#options.what} to be ready`,
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
    const { what, logFile } = this.#options;
    throw new Error(`${capital(what)} ended while it started: ${this.#lastLine} (its log is ${logFile})`);
  }

  async isReady(): Promise<boolean> {
    return this.#running !== undefined && (await this.#options.isReady());
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
    const { what, shutdownMs } = this.#options;
    await endProcesses([running.identity], signal, shutdownMs);
    await waitFor(() => this.#running !== running, { what: `${what} to be gone`, timeoutMs: 5_000 });
  }

  #spawn(): void {
    this.#lastLine = '';
    const child = this.#options.spawn();
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
      `${capital(this.#options.what)} ended ${how} and is started again in ${this.#pauseMs} ms.`,
    );
    this.#restart = setTimeout(() => this.#spawn(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, backoff.mostMs);
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
