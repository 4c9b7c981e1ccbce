import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { basicEnvironment } from '../lib/environment.ts';
import { KeptProcess, type KeptProcessOptions } from './kept-process.ts';
import { repository } from './places.ts';

export interface ServiceProcessOptions extends Pick<
  KeptProcessOptions,
  'logFile' | 'onStarted' | 'onNotice' | 'onChange'
> {
  /** `<region>/<number>`: a place that one process fills at a time. */
  readonly slot: string;
  readonly port: number;
  /** Settings beyond those that follow from slot and port. */
  readonly env: Readonly<Record<string, string>>;
}

const shutdownMs = 20_000;

/** One task of the service: a Node process, kept up. It holds an IPC channel to us, by which it notices that we are gone. */
export class ServiceProcess extends KeptProcess {
  readonly port: number;

  constructor(options: ServiceProcessOptions) {
    const { slot, port, env } = options;
    super({
      ...options,
      what: `the service of ${slot}`,
      shutdownMs,
      // Ready: it answers /readyz with 2xx.
      isReady: () => get(port, '/readyz'),
      spawn: () =>
        spawn(process.execPath, [join(repository, 'service', 'main.ts')], {
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
        }),
    });
    this.port = port;
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
