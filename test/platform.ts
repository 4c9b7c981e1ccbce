import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJson } from '../scripts/lib/json-file.ts';
import { isFree } from '../scripts/lib/ports.ts';
import { type ProcessIdentity, isRunning } from '../scripts/lib/processes.ts';
import { waitFor } from '../scripts/lib/wait.ts';
import type { LocalFile } from '../scripts/local/local-file.ts';

export const COMMAND = join(import.meta.dirname, '..', 'scripts', 'keyhearth.mjs');

/** All below 32768: systems use what is above for outgoing connections. A platform of two zones takes 410 from its base. */
const PORTS = { first: 12_000, end: 32_500, block: 450, used: 410 } as const;
/** Longer than an orderly stop takes; a platform that is stopped by SIGSTOP takes for ever. */
const STOP_TIMEOUT_MS = 10_000;

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
  /** For a second platform in the same folder. */
  readonly otherBasePort: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Runs `keyhearth <args>` on it. */
  run(...args: readonly string[]): Promise<CommandResult>;
  /** Processes that the platform has registered as its own. */
  processes(): readonly ProcessIdentity[];
  /** The parent of the platform that runs here, or ran last; undefined after an orderly stop. */
  parent(): number | undefined;
  remove(): void;
}

/** A platform that runs, started by the command as a person would. */
export interface RunningPlatform {
  readonly parent: ChildProcess;
  readonly local: LocalFile;
  readonly tookMs: number;
  /** What it told the person so far, beside the JSON. */
  notices(): string;
  /** Ctrl-C, and SIGKILL where that doesn't end it within 10 s; returns the exit code when all is over, null after SIGKILL. */
  stop(): Promise<number | null>;
}

/** `settings` go to the tasks. */
export async function makePlatformPlace(
  settings: Readonly<Record<string, string>> = {},
): Promise<PlatformPlace> {
  const dir = mkdtempSync(join(tmpdir(), 'keyhearth-platform-'));
  const [one, other] = [await reservePorts(), await reservePorts()];
  const basePort = one.base;
  const env = { ...process.env, ...settings, KEYHEARTH_DIR: dir };
  return {
    dir,
    basePort,
    otherBasePort: other.base,
    env,
    run: (...args) => runCommand(args, env),
    processes: () => readRun(dir)?.processes ?? [],
    parent: () => readRun(dir)?.parent.pid,
    remove: () => {
      for (const { lock } of [one, other]) lock.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function readRun(
  dir: string,
): { readonly parent: ProcessIdentity; readonly processes: readonly ProcessIdentity[] } | undefined {
  // Written by the platform.
  return readJson(join(dir, 'run.json')) as ReturnType<typeof readRun>;
}

/** A block of ports that are free, and stay ours among test runs as long as `lock` listens on its last one. */
async function reservePorts(): Promise<{ base: number; lock: Server }> {
  const blocks = Math.floor((PORTS.end - PORTS.first) / PORTS.block);
  for (let attempt = 0; attempt < blocks; attempt++) {
    const base = PORTS.first + ((process.pid + attempt) % blocks) * PORTS.block;
    const lock = await listen(base + PORTS.block - 1);
    if (lock === undefined) continue;
    const free = await Promise.all(Array.from({ length: PORTS.used }, async (_, at) => isFree(base + at)));
    if (free.every(Boolean)) return { base, lock };
    lock.close();
  }
  throw new Error('this machine has no block of free ports for a platform');
}

/** A server on this loopback port, or undefined where it is taken. */
function listen(port: number): Promise<Server | undefined> {
  const server = createServer().unref();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
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
  const isUp = (): boolean => {
    if (!isAlive(parent)) throw new Error(`the platform ended with ${parent.exitCode}: ${stderr}`);
    return stdout.endsWith('}\n');
  };
  try {
    await waitFor(isUp, { what: 'the platform to run', timeoutMs: 90_000, intervalMs: 50 });
  } catch (error) {
    await stop(parent);
    throw new Error(`the platform didn't start; it said: ${stderr}`, { cause: error });
  }
  const tookMs = performance.now() - startedAt;
  return {
    parent,
    tookMs,
    notices: () => stderr,
    // The command's documented output.
    local: JSON.parse(stdout) as LocalFile,
    stop: () => stop(parent),
  };
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

async function stop(parent: ChildProcess): Promise<number | null> {
  if (!isAlive(parent)) return parent.exitCode;
  const exited = once(parent, 'exit');
  const timer = setTimeout(() => parent.kill('SIGKILL'), STOP_TIMEOUT_MS);
  try {
    parent.kill('SIGINT');
    await exited;
  } finally {
    clearTimeout(timer);
  }
  return parent.exitCode;
}

/** Waits until none of these processes runs any more. */
export async function waitUntilGone(processes: readonly ProcessIdentity[], timeoutMs: number): Promise<void> {
  await waitFor(() => !processes.some(isRunning), { what: 'all processes to end', timeoutMs });
}
