import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProcessIdentity, isRunning } from '../scripts/lib/processes.ts';
import { waitFor } from '../scripts/lib/wait.ts';
import type { LocalFile } from '../scripts/local/local-file.ts';

const COMMAND = join(import.meta.dirname, '..', 'scripts', 'keyhearth.mjs');

/** What a command line came to. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of its own for a platform, so that tests leave a person's own `.keyhearth` alone, and ports of its own. */
export interface PlatformPlace {
  readonly dir: string;
  readonly basePort: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Runs `keyhearth <args>` on it. */
  run(...args: readonly string[]): Promise<CommandResult>;
  /** Processes that the platform has registered as its own. */
  processes(): readonly ProcessIdentity[];
  remove(): void;
}

/** A platform that runs, started by the command as a person would. */
export interface RunningPlatform {
  readonly parent: ChildProcess;
  readonly local: LocalFile;
  readonly tookMs: number;
  /** Ctrl-C; returns the exit code when all is over. */
  stop(): Promise<number | null>;
}

/** `settings` go to the tasks. */
export function makePlatformPlace(settings: Readonly<Record<string, string>> = {}): PlatformPlace {
  const dir = mkdtempSync(join(tmpdir(), 'keyhearth-platform-'));
  // Below the ports that systems give to outgoing connections, and different for test runs at the same time.
  const basePort = 12_000 + (process.pid % 30) * 600;
  const env = { ...process.env, ...settings, KEYHEARTH_DIR: dir };
  return {
    dir,
    basePort,
    env,
    run: (...args) => runCommand(args, env),
    processes: () => {
      // Written by the platform.
      const run = JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8')) as { processes: ProcessIdentity[] };
      return run.processes;
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function runCommand(args: readonly string[], env: PlatformPlace['env']): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [COMMAND, ...args], { env }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

/** Starts a platform and returns once everything runs. Fails with what the command said where it didn't. */
export async function startPlatform(
  place: PlatformPlace,
  ...args: readonly string[]
): Promise<RunningPlatform> {
  const startedAt = performance.now();
  const all = ['local', 'up', '--json', '--port', String(place.basePort), ...args];
  const parent = spawn(process.execPath, [COMMAND, ...all], {
    env: place.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  parent.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  parent.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await waitFor(
    () => {
      if (parent.exitCode !== null) throw new Error(`the platform ended with ${parent.exitCode}: ${stderr}`);
      return stdout.endsWith('}\n');
    },
    { what: `the platform to run; it said ${stderr}`, timeoutMs: 90_000, intervalMs: 50 },
  );
  const tookMs = performance.now() - startedAt;
  return {
    parent,
    tookMs,
    // The command's documented output.
    local: JSON.parse(stdout) as LocalFile,
    stop: async () => {
      if (parent.exitCode === null && parent.signalCode === null) {
        parent.kill('SIGINT');
        await once(parent, 'exit');
      }
      return parent.exitCode;
    },
  };
}

/** Waits until none of these processes runs any more. */
export async function waitUntilGone(processes: readonly ProcessIdentity[], timeoutMs: number): Promise<void> {
  await waitFor(() => !processes.some(isRunning), { what: 'all processes to end', timeoutMs });
}
