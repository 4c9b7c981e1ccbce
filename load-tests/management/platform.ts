import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { basicEnvironment } from '../../scripts/lib/environment.ts';
import { isFree } from '../../scripts/lib/ports.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import type { LocalFile, LocalZone } from '../../scripts/local/local-file.ts';
import { repository } from '../../scripts/local/places.ts';

/** A zone that is there for one benchmark. */
export interface BenchPlatform {
  readonly zone: LocalZone;
  stop(): Promise<void>;
}

/** Ports of one zone; below those that systems use for outgoing connections. */
const PORTS = { first: 20_000, end: 32_000, block: 250 } as const;
const START_TIMEOUT_MS = 90_000;

/** Starts the local platform with one zone, in a folder of its own, and returns once all of it runs. */
export async function startPlatform(zone: string): Promise<BenchPlatform> {
  const dir = mkdtempSync(join(tmpdir(), 'keyhearth-bench-'));
  const args = ['local', 'up', '--json', '--zone', zone, '--port', String(await freeBlock())];
  const parent = spawn(process.execPath, [join(repository, 'scripts', 'keyhearth.mjs'), ...args], {
    env: { ...basicEnvironment(), KEYHEARTH_DIR: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  parent.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  parent.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const stop = async (): Promise<void> => {
    if (parent.exitCode === null && parent.signalCode === null) {
      const exited = once(parent, 'exit');
      parent.kill('SIGINT');
      await exited;
    }
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await waitFor(
      () => {
        if (parent.exitCode !== null) throw new Error(`the platform ended: ${stderr.trim()}`);
        return stdout.endsWith('}\n');
      },
      { what: 'the platform to run', timeoutMs: START_TIMEOUT_MS, intervalMs: 50 },
    );
    // The command's documented output.
    const found = (JSON.parse(stdout) as LocalFile).zones[zone];
    if (found === undefined) throw new Error(`the platform has no zone ${zone}`);
    return { zone: found, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The first of a block of ports none of whose first hundred is taken. */
async function freeBlock(): Promise<number> {
  for (let base: number = PORTS.first; base < PORTS.end; base += PORTS.block) {
    const free = await Promise.all(Array.from({ length: 100 }, async (_, at) => await isFree(base + at)));
    if (free.every(Boolean)) return base;
  }
  throw new Error('this machine has no block of free ports for a platform');
}
