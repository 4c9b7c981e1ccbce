import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../../lib/user-error.ts';
import { KeptProcess, type KeptProcessOptions } from '../kept-process.ts';
import { ask } from './ask.ts';
import type { ValkeyProgram } from './program.ts';

export interface ValkeyServerOptions extends Pick<
  KeptProcessOptions,
  'logFile' | 'onStarted' | 'onNotice' | 'onChange'
> {
  readonly region: string;
  readonly program: ValkeyProgram;
  readonly port: number;
  /** Of the cluster's own protocol, which nobody else speaks here. */
  readonly busPort: number;
  /** Nothing in it outlives a start. */
  readonly dir: string;
}

const shutdownMs = 5_000;
const slotsLast = 16_383;

/**
 * The shared counters of one region: a cluster of one server that holds every slot, on loopback, with a password that is new with each
 * platform. It keeps nothing on disk: after a restart it is empty, as a replaced node of a managed one is.
 */
export class ValkeyServer {
  readonly port: number;
  readonly #options: ValkeyServerOptions;
  readonly #password = randomBytes(24).toString('hex');
  readonly #process: KeptProcess;

  constructor(options: ValkeyServerOptions) {
    this.#options = options;
    this.port = options.port;
    this.#process = new KeptProcess({
      ...options,
      what: `Valkey of ${options.region}`,
      shutdownMs,
      spawn: () => {
        this.#prepare();
        return spawn(options.program.name, [join(options.dir, 'server.conf')], {
          cwd: options.dir,
          env: { PATH: process.env['PATH'], LC_ALL: 'C' },
          stdio: ['ignore', 'pipe', 'pipe'],
          // Its own session: Ctrl-C at the terminal is for us, and we stop it in order.
          detached: true,
        });
      },
      isReady: () => this.#isReady(),
    });
  }

  /** For tasks: with the password. */
  get url(): string {
    return `redis://:${this.#password}@127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Returns once it takes commands. A region does without: what keeps it down is told as a notice. */
  async start(timeoutMs: number): Promise<void> {
    try {
      await this.#process.start(timeoutMs);
    } catch (error) {
      this.#options.onNotice(
        `Valkey of ${this.#options.region} is down, so rate limits count in each of its tasks alone: ${errorText(error)}`,
      );
    }
  }

  async isReady(): Promise<boolean> {
    return this.#process.isReady();
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** The password is in a file that only we can read: arguments are everybody's. */
  #prepare(): void {
    const { dir, port, busPort } = this.#options;
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const text = serverSettings({ dir, port, busPort, password: this.#password });
    writeFileSync(join(dir, 'server.conf'), text, { mode: 0o600 });
  }

  /** A server that has just been started has no slots: it is given all. */
  async #isReady(): Promise<boolean> {
    try {
      const info = await this.#ask('CLUSTER INFO');
      if (/^cluster_state:ok/m.test(info)) return true;
      if (/^cluster_slots_assigned:0\r?$/m.test(info))
        await this.#ask(`CLUSTER ADDSLOTSRANGE 0 ${slotsLast}`);
    } catch {
      // It isn't listening yet, or busy; asked again.
    }
    return false;
  }

  async #ask(command: string): Promise<string> {
    return ask(this.port, this.#password, command);
  }
}

interface ServerSettings extends Pick<ValkeyServerOptions, 'dir' | 'port' | 'busPort'> {
  readonly password: string;
}

/** The whole configuration of a server. */
export function serverSettings({ dir, port, busPort, password }: ServerSettings): string {
  const settings: readonly (readonly [name: string, value: string | number])[] = [
    ['bind', '127.0.0.1'],
    ['port', port],
    ['requirepass', password],
    ['dir', `"${dir.replaceAll(/["\\]/g, String.raw`\$&`)}"`],
    ['cluster-enabled', 'yes'],
    ['cluster-port', busPort],
    ['cluster-config-file', 'nodes.conf'],
    // Told to whoever asks for the slots, who may come by another name of this machine otherwise.
    ['cluster-announce-ip', '127.0.0.1'],
    ['save', '""'],
    ['appendonly', 'no'],
    ['maxclients', 256],
    ['maxmemory', '64mb'],
    ['maxmemory-policy', 'volatile-ttl'],
    ['daemonize', 'no'],
    // To stdout, whose size the log bounds.
    ['logfile', '""'],
  ];
  return settings.map(([name, value]) => `${name} ${value}\n`).join('');
}
