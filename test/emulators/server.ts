import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../../scripts/lib/ports.ts';

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 10_000;

export interface ServerOptions {
  readonly command: string;
  readonly args: (port: number) => readonly string[];
  readonly env: (port: number, folder: string) => Readonly<Record<string, string>>;
  /** Which path answers as soon as the server is ready. */
  readonly readyPath: string;
  /** A temporary folder: the server's home, and where its log is. */
  readonly folder: string;
}

/** An emulator's process, on a loopback port of its own. It is ended by its process id. */
export class Server {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #log: string;

  private constructor(port: number, process: ChildProcess, log: string) {
    this.port = port;
    this.#process = process;
    this.#log = log;
  }

  /** Throws with the end of its log where it doesn't come up within a minute. */
  static async start({ command, args, env, readyPath, folder }: ServerOptions): Promise<Server> {
    mkdirSync(folder, { recursive: true });
    const port = await freePort();
    const log = join(folder, 'server.log');
    const output = openSync(log, 'w');
    const child = spawn(command, args(port), {
      // Nothing of ours: no credentials of a person, no proxy.
      env: { PATH: '/usr/bin:/bin', HOME: folder, TMPDIR: folder, ...env(port, folder) },
      cwd: folder,
      stdio: ['ignore', output, output],
    });
    const server = new Server(port, child, log);
    const deadline = Date.now() + START_MS_MAX;
    while (!(await answers(`http://127.0.0.1:${port}${readyPath}`))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        await server.stop();
        throw new Error(`${command} didn't start:\n${server.logEnd()}`);
      }
      await wait(100);
    }
    return server;
  }

  /** The last lines of what it wrote. */
  logEnd(): string {
    return readFileSync(this.#log, 'utf8').split('\n').slice(-40).join('\n');
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const killed = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS_MAX);
    await ended;
    clearTimeout(killed);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const { status } = await fetch(url);
    return status < 500;
  } catch {
    return false;
  }
}
