import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where the local platform keeps everything that it writes. */
export interface Places {
  readonly root: string;
  /** Database files, by zone and region. */
  readonly data: string;
  readonly logs: string;
  /** Settings of the regions' Valkey servers, by zone and region; nothing to keep. */
  readonly valkey: string;
  /** Compiled code of the service, which halves the work of starting a task. */
  readonly compileCache: string;
  /** What the platform offers: URLs and keys, for people and tools. */
  readonly localFile: string;
  /** Root keys and sample keys, kept for later starts. */
  readonly credentials: string;
  /** Keys that encrypt the texts of recoverable keys: the same for all zones and regions here. */
  readonly vaultKey: string;
  /** How commands reach the running platform. */
  readonly control: string;
  /** Processes of the running platform, and after a crash those of the last one. */
  readonly run: string;
}

/** `.keyhearth/` in the repository, or the folder that the environment variable KEYHEARTH_DIR names. */
export function placesOf(
  root: string = process.env['KEYHEARTH_DIR'] ?? join(repository, '.keyhearth'),
): Places {
  const absolute = resolve(root);
  return {
    root: absolute,
    data: join(absolute, 'data'),
    logs: join(absolute, 'logs'),
    valkey: join(absolute, 'valkey'),
    compileCache: join(absolute, 'compile-cache'),
    localFile: join(absolute, 'local.json'),
    credentials: join(absolute, 'credentials.json'),
    vaultKey: join(absolute, 'vault-key.json'),
    control: join(absolute, 'control.json'),
    run: join(absolute, 'run.json'),
  };
}
